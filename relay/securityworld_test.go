package relay

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/outbound"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/route"
	"github.com/forepost/forepost/relay/sts"
	"github.com/forepost/forepost/relay/trail"
)

// secWorld is a queue with all that carries mail by MX, and its trail.
type secWorld struct {
	q     *queue.Queue
	trail *trail.Trail
	ids   *mail.IDs
	ended chan mail.ID
}

// Event lets the test know that a message has come to an end, for now.
func (w *secWorld) Event(e trail.Event) {
	w.trail.Event(e)
	if e.What != "tls" {
		w.ended <- e.ID
	}
}

func (w *secWorld) Record(r *trail.Record) { w.trail.Record(r) }

func (w *secWorld) send(t *testing.T, c secCase) trail.Story {
	t.Helper()
	id := w.ids.Session().Transaction(0)
	d, err := w.q.Draft(id)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(d, "From: a@from.test\r\n%s\r\nHi.\r\n", c.header)
	to := mail.Recipient{Address: mail.Address{Local: "b", Domain: c.name + ".test"}, Route: c.route}
	if err := d.Commit(t.Context(), queue.Submission{Envelope: mail.Envelope{ID: id, To: []mail.Recipient{to}, RequireTLS: c.required, Received: time.Now()}}); err != nil {
		t.Fatal(err)
	}
	for got := range w.ended {
		if got == id {
			break
		}
	}
	story, err := w.trail.Story(id)
	if err != nil {
		t.Fatal(err)
	}
	return story
}

func newSecWorld(t *testing.T) *secWorld {
	t.Helper()
	ca := newAuthority(t)
	at := startSecServers(t, ca)
	zone := dns.MustZone(secZone(t, ca, at.Port()))
	dir := t.TempDir()
	tr, err := trail.Open(filepath.Join(dir, "trail"), trail.Options{})
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(filepath.Join(dir, "mail"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &secWorld{trail: tr, ids: mail.NewIDs("test", time.Now), ended: make(chan mail.ID, 100)}
	table, err := route.NewTable(route.TableOptions{Resolver: zone, Port: at.Port(), Routes: []*route.Route{
		{Name: "require", TLS: route.TLSRequire}, {Name: "verify", TLS: route.TLSVerify}, {Name: "dane", TLS: route.TLSDANE}}})
	if err != nil {
		t.Fatal(err)
	}
	client := outbound.NewSMTP(outbound.Options{Hostname: "gate.test", Finder: table, TLS: &tls.Config{RootCAs: ca.pool}, KeepIdle: -1, DNS: zone,
		STS: secPolicies(t, ca, zone), Trail: w, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	w.q = queue.New(queue.Options{Journal: j, Trail: w, IDs: w.ids, Hostname: "gate.test", Router: NewRouter(table, Transports{SMTP: client.For})})
	if err := j.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.q.Start()
	t.Cleanup(func() {
		client.Close()
		if err := w.q.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		j.Close()
		tr.Close()
	})
	return w
}

// secZone is the DNS of all cases. Hosts that end in .clear have no STARTTLS, those
// that end in .old no REQUIRETLS.
func secZone(t *testing.T, ca *authority, port uint16) dns.Names {
	z := dns.Names{}
	signed := func(name, typ string, data ...string) {
		if z[name] == nil {
			z[name] = map[string]any{"secure": true}
		}
		z[name][typ] = data
	}
	for _, host := range []string{"ee.mx", "ta.mx", "taname.mx", "roll.mx", "mismatch.mx", "bogus.mx", "silent.mx", "unusable.mx", "unsignedtlsa.mx", "target.mx",
		"good.mx", "wrong.mx", "expired.mx", "self.mx"} {
		signed(host, "A", "127.0.0.1")
	}
	for _, host := range []string{"unusable.clear", "ee.clear", "plain.clear"} {
		signed(host, "A", "127.0.0.2")
	}
	signed("old.old", "A", "127.0.0.3")
	z["open.mx"] = map[string]any{"A": []string{"127.0.0.1"}}
	z["else.mx"] = map[string]any{"A": []string{"127.0.0.1"}}
	signed("alias.mx", "CNAME", "target.mx.")
	signed("leads.mx", "CNAME", "else.mx.")

	tlsa := func(host string, data ...string) { signed(fmt.Sprintf("_%d._tcp.%s", port, host), "TLSA", data...) }
	self := hash(ca.self.Leaf.RawSubjectPublicKeyInfo)
	nobody := hash([]byte("nobody"))
	root := hash(ca.root.Raw)
	tlsa("ee.mx", "3 1 1 "+self)
	tlsa("ee.clear", "3 1 1 "+self)
	tlsa("ta.mx", "2 0 1 "+root)
	tlsa("taname.mx", "2 0 1 "+root)
	tlsa("roll.mx", "3 1 1 "+nobody, "3 1 1 "+self)
	tlsa("mismatch.mx", "3 1 1 "+nobody)
	tlsa("unusable.mx", "1 1 1 "+nobody, "3 1 9 "+nobody, "3 1 1 00")
	tlsa("unusable.clear", "0 0 1 "+nobody)
	tlsa("target.mx", "3 1 1 "+self)
	tlsa("alias.mx", "3 1 1 "+nobody) // not asked: the end of the chain has some
	tlsa("leads.mx", "2 0 1 "+root)
	tlsa("open.mx", "3 1 1 "+nobody)
	z[fmt.Sprintf("_%d._tcp.unsignedtlsa.mx", port)] = map[string]any{"TLSA": []string{"3 1 1 " + nobody}}
	z[fmt.Sprintf("_%d._tcp.bogus.mx", port)] = map[string]any{"TLSA": "bogus"}
	z[fmt.Sprintf("_%d._tcp.silent.mx", port)] = map[string]any{"TLSA": "timeout"}
	for _, c := range secCases {
		var mx []string
		for i, host := range strings.Fields(c.mx) {
			mx = append(mx, fmt.Sprintf("%d %s.", i, host))
		}
		z[c.name+".test"] = map[string]any{"MX": mx, "secure": !c.unsigned}
		if mode, _, _ := strings.Cut(c.policy, " "); mode != "" && mode != "kept" && mode != "ended" {
			z["_mta-sts."+c.name+".test"] = map[string]any{"TXT": []string{"v=STSv1; id=1"}}
		}
	}
	return z
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// secPolicies is a cache of MTA-STS policies in front of a policy host for all cases.
func secPolicies(t *testing.T, ca *authority, zone dns.Resolver) *sts.Cache {
	t.Helper()
	srv := ca.https(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		for _, c := range secCases {
			if r.Host != "mta-sts."+c.name+".test" {
				continue
			}
			mode, mx, _ := strings.Cut(c.policy, " ")
			age := 86400
			switch mode {
			case "kept":
				mode = "enforce"
			case "ended":
				mode, age = "enforce", 3600
			}
			rw.Header().Set("Content-Type", "text/plain")
			fmt.Fprintf(rw, "version: STSv1\nmode: %s\nmx: %s\nmax_age: %d\n", mode, mx, age)
		}
	}))
	up := true
	now := time.Now().Add(-2 * time.Hour)
	names := dns.Names{}
	for _, c := range secCases {
		names["_mta-sts."+c.name+".test"] = map[string]any{"TXT": []string{"v=STSv1; id=1"}}
	}
	before := dns.MustZone(names)
	o := sts.Options{Dir: t.TempDir(), DNS: before, TLS: &tls.Config{RootCAs: ca.pool}, Now: func() time.Time { return now },
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			for _, gone := range []string{"kept", "ended"} {
				if !up && address == "mta-sts."+gone+".test:443" {
					return nil, fmt.Errorf("%s is down", address)
				}
			}
			return new(net.Dialer).DialContext(ctx, network, srv)
		}}
	c, err := sts.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	// Two hours ago two domains had policies; now their record and host are gone, and
	// this gateway was started again.
	for _, domain := range []string{"kept.test", "ended.test"} {
		if f := c.Policy(t.Context(), domain); f.Mode != sts.Enforce {
			t.Fatalf("%s: %+v", domain, f)
		}
	}
	up, o.DNS, o.Now = false, zone, time.Now
	if c, err = sts.Open(o); err != nil {
		t.Fatal(err)
	}
	return c
}

// startSecServers starts mail servers: 127.0.0.1 shows a certificate by the name
// that is asked for, .2 has no TLS, .3 no REQUIRETLS.
func startSecServers(t *testing.T, ca *authority) netip.AddrPort {
	t.Helper()
	ls := listenThree(t)
	for i, l := range ls {
		srv := smtp.NewServer(sink{})
		srv.Domain, srv.ErrorLog = "peer.test", log.New(io.Discard, "", 0)
		srv.EnableREQUIRETLS = i != 2
		if i != 1 {
			srv.TLSConfig = &tls.Config{GetCertificate: ca.certificateFor}
		}
		go srv.Serve(l)
		t.Cleanup(func() { srv.Close() })
	}
	return netip.MustParseAddrPort(ls[0].Addr().String())
}

// listenThree finds a port that is free at three addresses.
func listenThree(t *testing.T) (ls []net.Listener) {
	t.Helper()
	var err error
	for range 20 {
		port := "0"
		ls = nil
		for i := 1; i <= 3; i++ {
			var l net.Listener
			if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.%d:%s", i, port)); err != nil {
				break
			}
			ls = append(ls, l)
			_, port, _ = net.SplitHostPort(l.Addr().String())
		}
		if err == nil {
			return ls
		}
		for _, l := range ls {
			l.Close()
		}
	}
	t.Fatal(err)
	return nil
}

// certificateFor is what the server of a name shows.
func (a *authority) certificateFor(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	switch name := hello.ServerName; name {
	case "ee.mx", "roll.mx", "target.mx":
		return a.self, nil
	case "self.mx", "unusable.mx":
		return a.unknown, nil
	case "wrong.mx", "taname.mx":
		return a.issue("other.mx", time.Now().Add(time.Hour))
	case "expired.mx":
		return a.issue(name, time.Now().Add(-time.Minute))
	case "mta-sts.unfetched.test":
		return a.self, nil
	default:
		return a.issue(name, time.Now().Add(time.Hour))
	}
}
