package dns

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	mdns "github.com/miekg/dns"
)

// badServer answers each question over UDP with what reply makes of it.
func badServer(t *testing.T, reply func(q *mdns.Msg) [][]byte) string {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	go func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			q := new(mdns.Msg)
			if q.Unpack(buf[:n]) != nil {
				continue
			}
			for _, p := range reply(q) {
				pc.WriteTo(p, from)
			}
		}
	}()
	return pc.LocalAddr().String()
}

func good(q *mdns.Msg) *mdns.Msg {
	m := new(mdns.Msg)
	m.SetReply(q)
	rr, _ := mdns.NewRR(q.Question[0].Name + " 60 IN A 192.0.2.1")
	m.Answer = []mdns.RR{rr}
	return m
}

func pack(m *mdns.Msg) []byte {
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return b
}

// TestClientDistrusts is threats.md "DNS resolver DoS": answers of others, labels
// that point nowhere or to themselves, silence. The time is bounded.
func TestClientDistrusts(t *testing.T) {
	evil := func(q *mdns.Msg, change func(*mdns.Msg)) []byte {
		m := good(q)
		m.Answer[0].(*mdns.A).A = net.IPv4(6, 6, 6, 6)
		change(m)
		return pack(m)
	}
	cases := []struct {
		why   string
		reply func(q *mdns.Msg) [][]byte
		want  string
	}{
		{"an ordinary answer", func(q *mdns.Msg) [][]byte { return [][]byte{pack(good(q))} }, "192.0.2.1"},
		{"another ID comes first", func(q *mdns.Msg) [][]byte {
			return [][]byte{evil(q, func(m *mdns.Msg) { m.Id++ }), pack(good(q))}
		}, "192.0.2.1"},
		{"another question comes first", func(q *mdns.Msg) [][]byte {
			return [][]byte{evil(q, func(m *mdns.Msg) { m.Question[0].Name = "evil.test." }), pack(good(q))}
		}, "192.0.2.1"},
		{"no question comes first", func(q *mdns.Msg) [][]byte {
			return [][]byte{evil(q, func(m *mdns.Msg) { m.Question = nil }), pack(good(q))}
		}, "192.0.2.1"},
		{"our own question comes back first", func(q *mdns.Msg) [][]byte { return [][]byte{pack(q), pack(good(q))} }, "192.0.2.1"},
		{"a runt comes first", func(q *mdns.Msg) [][]byte { return [][]byte{{1, 2}, pack(good(q))} }, "192.0.2.1"},
		{"records of others in the answer are not ours", func(q *mdns.Msg) [][]byte {
			return [][]byte{evil(q, func(m *mdns.Msg) { m.Answer[0].Header().Name = "evil.test." })}
		}, "nodata"},
		{"another class is not ours", func(q *mdns.Msg) [][]byte {
			return [][]byte{evil(q, func(m *mdns.Msg) { m.Answer[0].Header().Class = mdns.ClassCHAOS })}
		}, "nodata"},
		{"a label that points nowhere", func(q *mdns.Msg) [][]byte {
			b := pack(good(q))
			b = append(b[:12+len(q.Question[0].Name)+1+4], 0xff, 0xff, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0)
			return [][]byte{b}
		}, "temporary"},
		{"a label that points to itself", func(q *mdns.Msg) [][]byte {
			b := pack(good(q))
			at := 12 + len(q.Question[0].Name) + 1 + 4
			b = append(b[:at], 0xc0, byte(at), 0, 1, 0, 1, 0, 0, 0, 1, 0, 0)
			return [][]byte{b}
		}, "temporary"},
		{"silence", func(q *mdns.Msg) [][]byte { return nil }, "timeout"},
		{"a server that does not know EDNS0", func(q *mdns.Msg) [][]byte {
			m := good(q)
			if q.IsEdns0() != nil {
				m.Answer, m.Rcode = nil, mdns.RcodeFormatError
			}
			return [][]byte{pack(m)}
		}, "192.0.2.1"},
		{"REFUSED", func(q *mdns.Msg) [][]byte {
			m := good(q)
			m.Answer, m.Rcode = nil, mdns.RcodeRefused
			return [][]byte{pack(m)}
		}, "temporary"},
		{"cut off, and nobody there over TCP", func(q *mdns.Msg) [][]byte {
			m := good(q)
			m.Truncated = true
			return [][]byte{pack(m)}
		}, "temporary"},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			cl := NewClient(ClientOptions{Servers: []string{badServer(t, c.reply)}, Timeout: 60 * time.Millisecond})
			if got := outcome(cl.Query(t.Context(), "a.test", mdns.TypeA)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// A server that does not follow CNAMEs (an authoritative one) costs a question
// a link, not the answer.
func TestClientChasesCNAMEs(t *testing.T) {
	addr := badServer(t, func(q *mdns.Msg) [][]byte {
		m := good(q)
		if q.Question[0].Name == "alias.test." {
			rr, _ := mdns.NewRR("alias.test. 60 IN CNAME real.test.")
			m.Answer = []mdns.RR{rr}
		}
		return [][]byte{pack(m)}
	})
	cl := NewClient(ClientOptions{Servers: []string{addr}})
	if got := outcome(cl.Query(t.Context(), "alias.test", mdns.TypeA)); got != "192.0.2.1" {
		t.Errorf("got %s", got)
	}
	if got := outcome(cl.Query(WithBudget(t.Context(), 1), "alias.test", mdns.TypeA)); got != "budget" {
		t.Errorf("with a budget of one: got %s", got)
	}
}

func TestClientNextServer(t *testing.T) {
	dead := badServer(t, func(q *mdns.Msg) [][]byte { return nil })
	addr := startServer(t, MustZone(suiteZone()))
	cl := NewClient(ClientOptions{Servers: []string{dead, addr}, Timeout: 60 * time.Millisecond})
	for i := range 2 {
		if got := outcome(cl.Query(t.Context(), "a.example.test", mdns.TypeA)); got != "192.0.2.1" {
			t.Errorf("question %d: got %s", i, got)
		}
		if cl.first.Load() != 1 {
			t.Error("the server that answers is not preferred")
		}
	}
}

func TestClientCancel(t *testing.T) {
	asked := make(chan struct{}, 10)
	addr := badServer(t, func(q *mdns.Msg) [][]byte { asked <- struct{}{}; return nil })
	cl := NewClient(ClientOptions{Servers: []string{addr}, Timeout: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if got := outcome(cl.Query(ctx, "a.test", mdns.TypeA)); got != "timeout" {
		t.Errorf("got %s", got)
	}
}

func TestAuthentic(t *testing.T) {
	addr := badServer(t, func(q *mdns.Msg) [][]byte {
		m := good(q)
		m.AuthenticatedData = q.AuthenticatedData
		return [][]byte{pack(m)}
	})
	cl := NewClient(ClientOptions{Servers: []string{addr}})
	if a, err := cl.Query(t.Context(), "a.test", mdns.TypeA); err != nil || !a.Authentic {
		t.Errorf("from loopback: %v, %v", a.Authentic, err)
	}
	cl = NewClient(ClientOptions{Servers: []string{addr}, TrustAD: TrustNone})
	if a, err := cl.Query(t.Context(), "a.test", mdns.TypeA); err != nil || a.Authentic {
		t.Errorf("from nobody: %v, %v", a.Authentic, err)
	}
	for _, c := range []struct {
		t    Trust
		addr string
		want bool
	}{{TrustLoopback, "[::1]:53", true}, {TrustLoopback, "192.0.2.53:53", false}, {TrustAll, "192.0.2.53:53", true}, {TrustNone, "[::1]:53", false},
		{TrustLoopback, "localhost:53", false}} {
		if got := c.t.in(c.addr); got != c.want {
			t.Errorf("trust %d in %s is %v", c.t, c.addr, got)
		}
	}
	cl.servers[0].trusted = false // as one that is far away
	if a, err := cl.Query(t.Context(), "a.test", mdns.TypeA); err != nil || a.Authentic {
		t.Errorf("from afar: %v, %v", a.Authentic, err)
	}
}

func TestServerNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(path, []byte("nameserver 192.0.2.53\nnameserver 2001:db8::53\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	got := systemServers(path)
	if !slices.Equal(got, []string{"192.0.2.53", "2001:db8::53"}) {
		t.Errorf("got %q", got)
	}
	if got := systemServers(path + ".none"); !slices.Equal(got, []string{"127.0.0.1:53"}) {
		t.Errorf("without a file: got %q", got)
	}
	for in, want := range map[string]string{
		"192.0.2.53": "192.0.2.53:53", "192.0.2.53:5353": "192.0.2.53:5353",
		"2001:db8::53": "[2001:db8::53]:53", "[2001:db8::53]": "[2001:db8::53]:53", "[::1]:5353": "[::1]:5353", "ns.test": "ns.test:53",
	} {
		if got := withPort(in); got != want {
			t.Errorf("withPort(%s) = %s, want %s", in, got, want)
		}
	}
}

// FuzzFollow feeds messages as a hostile server could send them.
func FuzzFollow(f *testing.F) {
	q := question("a.test.", mdns.TypeA)
	f.Add(pack(good(q)))
	loop := good(q)
	loop.Answer = nil
	for _, s := range []string{"a.test. 1 IN CNAME b.test.", "b.test. 1 IN CNAME a.test."} {
		rr, _ := mdns.NewRR(s)
		loop.Answer = append(loop.Answer, rr)
	}
	f.Add(pack(loop))
	f.Fuzz(func(t *testing.T, data []byte) {
		m := new(mdns.Msg)
		if m.Unpack(data) != nil {
			return
		}
		rrs, _, links, ttl := follow(m.Answer, "a.test.", mdns.TypeA)
		if len(rrs) > maxRRs || links > maxChain+1 || ttl < 0 || ttl > maxTTL {
			t.Errorf("%d records, %d links, TTL %v", len(rrs), links, ttl)
		}
		for _, rr := range rrs {
			if rr.Header().Rrtype != mdns.TypeA {
				t.Errorf("a %s for an A", mdns.TypeToString[rr.Header().Rrtype])
			}
		}
	})
}
