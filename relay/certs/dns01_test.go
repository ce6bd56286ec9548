package certs

import (
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	mdns "github.com/miekg/dns"
)

const (
	tsigKey    = "forepost."
	tsigSecret = "c2VjcmV0IG9mIHRoZSB6b25lLCAzMiBvY3RldHMgLi4="
)

// primary is the primary server of example.test: it takes updates that its key signs, and
// answers with what they said.
type primary struct {
	addr string

	mu      sync.Mutex
	txt     map[string][]string
	updates []string // what was done
	refused int
}

func newPrimary(t *testing.T) *primary {
	t.Helper()
	p := &primary{txt: map[string][]string{}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pc, err := net.ListenPacket("udp", ln.Addr().String())
	if err != nil {
		t.Skip("the port of TCP is taken for UDP")
	}
	p.addr = ln.Addr().String()
	for _, srv := range []*mdns.Server{{Listener: ln}, {PacketConn: pc}} {
		srv.Handler, srv.TsigSecret = mdns.HandlerFunc(p.answer), map[string]string{tsigKey: tsigSecret}
		srv.MsgAcceptFunc = func(mdns.Header) mdns.MsgAcceptAction { return mdns.MsgAccept } // updates, too
		go srv.ActivateAndServe()
		t.Cleanup(func() { srv.Shutdown() })
	}
	return p
}

func (p *primary) answer(w mdns.ResponseWriter, q *mdns.Msg) {
	m := new(mdns.Msg).SetReply(q)
	m.Authoritative = true
	if q.Opcode == mdns.OpcodeUpdate {
		if q.IsTsig() == nil || w.TsigStatus() != nil {
			p.mu.Lock()
			p.refused++
			p.mu.Unlock()
			m.Rcode = mdns.RcodeNotAuth
		} else {
			p.update(q.Ns)
			m.SetTsig(tsigKey, mdns.HmacSHA256, 300, time.Now().Unix())
		}
		w.WriteMsg(m)
		return
	}
	name := strings.ToLower(q.Question[0].Name)
	header := func(typ uint16) mdns.RR_Header {
		return mdns.RR_Header{Name: name, Rrtype: typ, Class: mdns.ClassINET, Ttl: 1}
	}
	switch typ := q.Question[0].Qtype; {
	case typ == mdns.TypeSOA && name == "example.test.":
		m.Answer = []mdns.RR{&mdns.SOA{Hdr: header(mdns.TypeSOA), Ns: "ns.example.test.", Mbox: "x.example.test.", Serial: 1, Refresh: 1, Retry: 1, Expire: 1, Minttl: 1}}
	case typ == mdns.TypeA:
		m.Answer = []mdns.RR{&mdns.A{Hdr: header(typ), A: net.IPv4(127, 0, 0, 1)}}
	case typ == mdns.TypeTXT:
		p.mu.Lock()
		for _, s := range p.txt[name] {
			m.Answer = append(m.Answer, &mdns.TXT{Hdr: header(typ), Txt: []string{s}})
		}
		p.mu.Unlock()
	}
	w.WriteMsg(m)
}

func (p *primary) update(rrs []mdns.RR) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, rr := range rrs {
		t, ok := rr.(*mdns.TXT)
		if !ok {
			continue
		}
		name := strings.ToLower(t.Hdr.Name)
		if t.Hdr.Class == mdns.ClassINET {
			p.txt[name] = append(p.txt[name], t.Txt[0])
			p.updates = append(p.updates, "add "+name)
			continue
		}
		delete(p.txt, name)
		p.updates = append(p.updates, "remove "+name)
	}
}

func (p *primary) did() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.updates, ", ")
}

func (p *primary) update2136(secret string) DNSUpdate {
	return DNSUpdate{Server: p.addr, Key: tsigKey, Algorithm: "hmac-sha256", Secret: secret, Resolvers: []string{p.addr}}
}

// TestDNS01: a certificate comes with a challenge that is published in the DNS, which nothing
// of this machine need be reachable for; afterwards the record is gone.
func TestDNS01(t *testing.T) {
	p := newPrimary(t)
	d := newDirectoryAt(t, 24*time.Hour, p.addr)
	a := d.acme(t.TempDir(), "mx.example.test")
	a.DNS = p.update2136(tsigSecret)
	m, err := FromACME(a, Options{Name: "main"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	await(t, "there is a certificate", func() bool { return d.trusted(m, "mx.example.test") == nil })
	await(t, "the record is taken out again", func() bool {
		return p.did() == "add _acme-challenge.mx.example.test., remove _acme-challenge.mx.example.test."
	})
}

// TestDNS01Refused: where the zone's server takes no update, the log says which, and why.
func TestDNS01Refused(t *testing.T) {
	p := newPrimary(t)
	d := newDirectoryAt(t, 24*time.Hour, p.addr)
	var out syncLog
	a := d.acme(t.TempDir(), "mx.example.test")
	a.DNS = p.update2136("d3Jvbmc=")
	m, err := FromACME(a, Options{Name: "main", Log: slog.New(slog.NewTextHandler(&out, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	await(t, "the log says so", func() bool {
		s := out.String()
		return strings.Contains(s, "could not be obtained") && strings.Contains(s, "takes updates with the key "+tsigKey) && strings.Contains(s, p.addr)
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.updates) > 0 || p.refused == 0 {
		t.Errorf("done: %q, refused %d", p.updates, p.refused)
	}
}
