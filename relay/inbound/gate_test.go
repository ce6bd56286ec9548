package inbound

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// gateOf is a gate with a clock of the test's.
func gateOf(change func(*Config)) (g *gate, now *time.Time) {
	at := testTime
	cfg := Config{Now: func() time.Time { return at }}.withDefaults()
	change(&cfg)
	return newGate(&cfg), &at
}

// TestGateCounts: sessions are counted in all, by address and by network; those
// that are known in all only; and a place that is left is free again.
func TestGateCounts(t *testing.T) {
	g, _ := gateOf(func(c *Config) { c.MaxSessions, c.MaxPerClient, c.MaxPerNetwork = 8, 2, 3 })
	for i, c := range []struct {
		addr  string
		known bool
		want  string
	}{
		{"192.0.2.1", false, ""}, {"192.0.2.1", false, ""}, {"192.0.2.1", false, gateClient},
		{"192.0.2.2", false, ""}, {"192.0.2.3", false, gateNetwork}, {"192.0.3.1", false, ""},
		{"192.0.2.1", true, ""},
		{"2001:db8::1", false, ""}, {"2001:db8::2", false, ""}, {"2001:db8:0:1::1", false, ""}, {"2001:db8:1::1", false, gateSessions},
	} {
		if got := g.enter(netip.MustParseAddr(c.addr), c.known); got != c.want {
			t.Errorf("%d: %s: %q, want %q", i, c.addr, got, c.want)
		}
	}
	for _, addr := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.3.1", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"} {
		g.leave(netip.MustParseAddr(addr), false)
	}
	g.leave(netip.MustParseAddr("192.0.2.1"), true)
	if g.n != 0 || len(g.visits) != 0 {
		t.Errorf("%d sessions and %v are left", g.n, g.visits)
	}
}

// TestGateRates: so many in a time, and again when the time has passed; this
// machine itself is not slowed.
func TestGateRates(t *testing.T) {
	g, now := gateOf(func(c *Config) {
		c.ClientRate, c.NetworkRate = Rate{2, time.Minute}, Rate{3, time.Minute}
	})
	come := func(addr string) string {
		a := netip.MustParseAddr(addr)
		why := g.enter(a, false)
		if why == "" {
			g.leave(a, false)
		}
		return why
	}
	for i, c := range []struct {
		after      time.Duration
		addr, want string
	}{
		{0, "192.0.2.1", ""}, {0, "192.0.2.1", ""}, {0, "192.0.2.1", gateClientRate}, {0, "192.0.2.2", ""}, {0, "192.0.2.2", gateNetworkRate},
		{29 * time.Second, "192.0.2.1", gateClientRate}, {time.Second, "192.0.2.1", ""}, {0, "192.0.2.1", gateClientRate},
		{0, "127.0.0.1", ""}, {0, "127.0.0.1", ""}, {0, "127.0.0.1", ""}, {0, "127.0.0.1", ""},
		{time.Hour, "192.0.2.2", ""},
	} {
		*now = now.Add(c.after)
		if got := come(c.addr); got != c.want {
			t.Errorf("%d: %s: %q, want %q", i, c.addr, got, c.want)
		}
	}
}

// TestGateMemory: 300,000 networks that come once leave little behind.
func TestGateMemory(t *testing.T) {
	g, now := gateOf(func(c *Config) { c.ClientRate, c.NetworkRate = Rate{600, time.Minute}, Rate{2400, time.Minute} })
	for i := range 300_000 {
		a := netip.AddrFrom4([4]byte{byte(i >> 16), byte(i >> 8), byte(i), 1})
		if i%10000 == 0 {
			*now = now.Add(time.Second)
		}
		if why := g.enter(a, false); why != "" {
			t.Fatal(i, why)
		}
		g.leave(a, false)
	}
	if len(g.visits) > maxVisits+20000 {
		t.Errorf("%d are kept", len(g.visits))
	}
}

// TestPregreet: a stranger who speaks before the greeting is refused with 554,
// and the trail has it; one who waits is greeted, and so is who is known.
func TestPregreet(t *testing.T) {
	s := newSite(func(c *Config) { c.GreetingDelay = 200 * time.Millisecond })
	s.faraway = true
	s.start(t)
	eager := s.dial(t)
	eager.send("EHLO x\r\n")
	eager.want("554 5.5.1 mx.example.com You spoke before the greeting (")
	if l := eager.line(); l != "EOF" {
		t.Errorf("heard %q", l)
	}
	began := time.Now()
	s.dial(t).hello()
	if took := time.Since(began); took < 200*time.Millisecond {
		t.Errorf("it was greeted after %v", took)
	}
	recs := s.trail.all()
	if len(recs) != 1 || recs[0].Outcomes[0].Rule != "builtin.pregreet" || recs[0].Client.IP != "192.0.2.2" || recs[0].ID == "" {
		t.Errorf("the trail has %+v", recs)
	}
	known := newSite(func(c *Config) {
		c.GreetingDelay, c.RelayFrom = time.Hour, []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	})
	known.faraway = true
	known.start(t).dial(t).hello()
	newSite(func(c *Config) { c.GreetingDelay = time.Hour }).start(t).dial(t).hello() // loopback
}

// TestPregreetDrain: who waits for the greeting when the server stops hears 421,
// at once.
func TestPregreetDrain(t *testing.T) {
	s := newSite(func(c *Config) { c.GreetingDelay = time.Hour })
	s.faraway = true
	s.start(t)
	c := s.dial(t)
	for range 1000 { // until it was accepted
		s.srv.mu.Lock()
		n := len(s.srv.early)
		s.srv.mu.Unlock()
		if n > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := s.srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	c.want("421 4.3.2 mx.example.com The server is shutting down")
}

// TestRefusedAtConnect: a policy that rejects early acts before the greeting,
// with 554; the client is heard out to its QUIT (RFC 5321 section 3.1).
func TestRefusedAtConnect(t *testing.T) {
	s := newSite(func(c *Config) { c.RejectEarly = true })
	d := &dialogue{t: t, site: s}
	d.rule([]string{"connect", "reject"})
	c := s.start(t).dial(t)
	c.want("554 5.7.1 Refused by policy")
	c.say("EHLO x", "503 5.5.1")
	c.say("QUIT", "221 2.0.0")
	if l := c.line(); l != "EOF" {
		t.Errorf("heard %q", l)
	}
	if recs := s.trail.all(); len(recs) != 1 || !strings.HasPrefix(recs[0].Outcomes[0].Reply, "554 5.7.1") {
		t.Errorf("the trail has %+v", recs)
	}
}

// TestRefusalsAreCheap: ten thousand connections beyond the limit start no
// goroutine, leave no record, and are a line or two in the log.
func TestRefusalsAreCheap(t *testing.T) {
	var log strings.Builder
	s := newSite(func(c *Config) { c.MaxPerClient, c.Log = 1, textLog(&log) }).start(t)
	s.dial(t).hello()
	const n = 10_000
	allocs := testing.AllocsPerRun(n, func() { s.srv.admit(&nullConn{}) })
	if allocs > 8 {
		t.Errorf("%v allocations for each", allocs)
	}
	if lines := strings.Count(log.String(), "connections were refused"); lines != 1 { // the clock stands still
		t.Errorf("%d lines in the log", lines)
	}
	s.srv.gate.mu.Lock()
	sessions := s.srv.gate.n
	s.srv.gate.mu.Unlock()
	s.srv.mu.Lock()
	early := len(s.srv.early)
	s.srv.mu.Unlock()
	if len(s.trail.all()) != 0 || early != 0 || sessions != 1 {
		t.Errorf("%d records, %d early, %d sessions", len(s.trail.all()), early, sessions)
	}
	c := s.dial(t)
	c.want("421 4.7.0 mx.example.com Too many connections from your address")
}

// nullConn is a connection from loopback that takes what is written.
type nullConn struct{ net.Conn }

func (*nullConn) RemoteAddr() net.Addr             { return loopback }
func (*nullConn) SetWriteDeadline(time.Time) error { return nil }
func (*nullConn) Write(p []byte) (int, error)      { return len(p), nil }
func (*nullConn) Close() error                     { return nil }

var loopback = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}

// BenchmarkRefusal is what a connection costs that the gate refuses, the socket
// apart.
func BenchmarkRefusal(b *testing.B) {
	s := newSite(func(c *Config) { c.MaxPerClient = 1 })
	srv, err := New(s.cfg)
	if err != nil {
		b.Fatal(err)
	}
	srv.gate.enter(clientOf(&nullConn{}), false)
	b.ReportAllocs()
	for b.Loop() {
		srv.admit(&nullConn{})
	}
}
