package outbound

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/route"
)

const (
	first = plain + `
		C: MAIL FROM:<a@from.test>
		C: RCPT TO:<b@to.test>
		C: DATA
		S: 250 ok
		S: 250 ok
		S: 354 go on` + body + `
		S: 250 first`
	second = `
		C: MAIL FROM:<a@from.test>
		C: RCPT TO:<b@to.test>
		C: DATA
		S: 250 ok
		S: 250 ok
		S: 354 go on` + body + `
		S: 250 second`
)

// Two messages to the same host, one after the other.
func TestKeptConnection(t *testing.T) {
	cases := []struct {
		why, script string
		want        []string
	}{
		{"the second goes over the same connection", first + second + bye,
			[]string{"delivered 250 first (remote)", "delivered 250 second (remote)"}},
		{"after a refusal the transaction is reset first", plain + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 250 ok
			S: 550 5.1.1 no
			S: 503 none
			C: RSET
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 250 reset
			S: 250 ok
			S: 250 ok
			S: 354 go on` + body + `
			S: 250 second` + bye,
			[]string{"hard 550 5.1.1 no (remote)", "delivered 250 second (remote)"}},
		{"without pipelining as well", opening + `
			S: 250 HELP
			C: MAIL FROM:<a@from.test>
			S: 450 4.7.1 later
			C: RSET
			S: 250 reset
			C: MAIL FROM:<a@from.test>
			S: 250 ok
			C: RCPT TO:<b@to.test>
			S: 250 ok
			C: DATA
			S: 354 go on` + body + `
			S: 250 second` + bye,
			[]string{"soft 450 4.7.1 later (remote)", "delivered 250 second (remote)"}},
		{"RSET is refused: a new connection", plain + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 250 ok
			S: 550 5.1.1 no
			S: 503 none
			C: RSET
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 500 what?
			eof
			----` + plain + second + bye,
			[]string{"hard 550 5.1.1 no (remote)", "delivered 250 second (remote)"}},
		{"a message that was refused leaves nothing to reset", strings.Replace(first, "S: 250 first", "S: 554 5.7.1 spam", 1) + second + bye,
			[]string{"hard 554 5.7.1 spam (remote)", "delivered 250 second (remote)"}},
		{"the server closed it meanwhile: a new one", first + "\ndrop\n----\n" + plain + second + bye,
			[]string{"delivered 250 first (remote)", "delivered 250 second (remote)"}},
		{"the server says 421 to the next: a new one", first + `
			C: MAIL FROM:<a@from.test>
			S: 421 4.4.2 idle for too long
			drop
			----` + plain + second + bye,
			[]string{"delivered 250 first (remote)", "delivered 250 second (remote)"}},
		{"it dies with the second message in its hands: not sent again at once", first + second[:strings.Index(second, "S: 250 second")] + "\ndrop",
			[]string{"delivered 250 first (remote)", "soft 451 4.4.2 The server closed the connection while we waited for its answer to the message, which it may have taken"}},
		{"421 after a message is its answer, and the end", strings.Replace(first, "S: 250 first", "S: 421 full", 1) + "\neof\n----\n" + plain + second + bye,
			[]string{"soft 421 4.3.2 full (remote)", "delivered 250 second (remote)"}},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			o := options(t, hosts(fake(t, c.script)))
			o.KeepIdle = time.Minute
			cl := NewSMTP(o)
			defer cl.Close()
			r := &route.Route{Name: "mx"}
			var got []string
			for range 2 {
				got = append(got, deliver(t, cl, r, envelope("b@to.test"), message)...)
			}
			check(t, got, c.want...)
			cl.Close()
		})
	}
}

// What a route asks of security is never met by a connection made for another.
func TestKeptApart(t *testing.T) {
	o := options(t, hosts(fake(t, first+bye+"\n----\n"+secured+"S: 250 PIPELINING"+transfer)))
	o.KeepIdle = time.Minute
	cl := NewSMTP(o)
	check(t, deliver(t, cl, &route.Route{Name: "mx"}, envelope("b@to.test"), message), "delivered 250 first (remote)")
	check(t, deliver(t, cl, &route.Route{Name: "safe", TLS: route.TLSRequire}, envelope("b@to.test"), message), "delivered 250 done (remote)")
	cl.Close()
}

// sink is a server on a pipe that takes everything, with or without a word on
// what came.
func sink(conn net.Conn, got func(line string)) {
	defer conn.Close()
	io.WriteString(conn, "220 hi\r\n")
	buf, rest, inData := make([]byte, 64<<10), "", false
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		rest += string(buf[:n])
		var out strings.Builder
		for {
			line, after, ok := strings.Cut(rest, "\r\n")
			if !ok {
				break
			}
			rest = after
			switch {
			case inData && line == ".":
				inData = false
				out.WriteString("250 2.0.0 taken\r\n")
			case inData:
				continue
			case strings.HasPrefix(line, "EHLO"):
				out.WriteString("250-sink\r\n250 PIPELINING\r\n")
			case line == "DATA":
				inData = true
				out.WriteString("354 go on\r\n")
			default:
				out.WriteString("250 ok\r\n")
			}
			if got != nil {
				got(line)
			}
		}
		io.WriteString(conn, out.String())
	}
}

// A connection that nobody needs is closed, politely, when its time is up; one
// that is needed again and again is given up after five minutes.
func TestIdleAndOldConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		quit := make(chan time.Time, 10)
		o := Options{Hostname: "gate.test", Finder: finder{{Name: "mx1.test", Addrs: someAddr}}, KeepIdle: 7 * time.Second}
		o.Dialer = func(context.Context, string, string) (net.Conn, error) {
			dials++
			client, server := net.Pipe()
			go sink(server, func(line string) {
				if line == "QUIT" {
					quit <- time.Now()
				}
			})
			return client, nil
		}
		cl := NewSMTP(o)
		start := time.Now()
		deliver(t, cl, &route.Route{}, envelope("b@to.test"), message)
		if at := <-quit; at.Sub(start) != 7*time.Second {
			t.Errorf("closed after %v", at.Sub(start))
		}
		dials = 0
		for range 100 {
			check(t, deliver(t, cl, &route.Route{}, envelope("b@to.test"), message), "delivered 250 2.0.0 taken (remote)")
			time.Sleep(6 * time.Second) // ten minutes in all
		}
		if dials != 2 {
			t.Errorf("%d connections in ten minutes, want 2", dials)
		}
		cl.Close()
		check(t, deliver(t, cl, &route.Route{}, envelope("b@to.test"), message), "delivered 250 2.0.0 taken (remote)")
		if len(cl.pool.idle) != 0 {
			t.Error("a closed pool keeps connections")
		}
	})
}

func TestPoolLimit(t *testing.T) {
	p := &pool{perHost: 2, keep: time.Hour, now: time.Now, idle: map[string][]*session{}}
	var ss []*session
	for range 3 {
		client, server := newPipe(t)
		go io.Copy(io.Discard, server)
		s := newSession(client, "x", time.Now())
		ss = append(ss, s)
		p.put("k", s)
	}
	if len(p.idle["k"]) != 2 || !ss[2].broken {
		t.Errorf("%d kept", len(p.idle["k"]))
	}
	if p.get("other") != nil || p.get("k") != ss[1] || p.get("k") != ss[0] || p.get("k") != nil || len(p.idle) != 0 {
		t.Error("not the last one first, or not all of them")
	}
}

// Over a kept connection a small message costs two writes: its envelope and
// its octets; over TLS as well.
func TestFewSystemCalls(t *testing.T) {
	client, server := newPipe(t)
	count := &countConn{Conn: client}
	go sink(server, nil)
	o := Options{Hostname: "gate.test", Finder: finder{{Name: "mx1.test", Addrs: someAddr}}, Dialer: once(count)}
	cl := NewSMTP(o)
	text := "Subject: x\r\n\r\n" + strings.Repeat(strings.Repeat("x", 62)+"\r\n", 64)
	deliver(t, cl, &route.Route{}, envelope("b@to.test"), text)
	count.writes, count.reads = 0, 0
	check(t, deliver(t, cl, &route.Route{}, envelope("b@to.test", "c@to.test", "d@to.test"), text),
		"delivered 250 2.0.0 taken (remote)", "delivered 250 2.0.0 taken (remote)", "delivered 250 2.0.0 taken (remote)")
	if count.writes != 2 || count.reads != 2 {
		t.Errorf("%d writes and %d reads for a message, want 2 and 2", count.writes, count.reads)
	}
}

// A thousand recipients travel in tens of RFC 5321's hundred, or as the server
// has it by RFC 9422.
func TestBatches(t *testing.T) {
	for limit, want := range map[string]int{"": 100, "RCPTMAX=300 MAILMAX=5": 300, "RCPTMAX=x": 100, "RCPTMAX=9999999": 1000} {
		if got := (&session{ext: map[string]string{"LIMITS": limit}}).batch(); got != want {
			t.Errorf("LIMITS %s: %d, want %d", limit, got, want)
		}
	}
	client, server := newPipe(t)
	mails := 0
	go sink(server, func(line string) {
		if strings.HasPrefix(line, "MAIL") {
			mails++
		}
	})
	var to []string
	for i := range 250 {
		to = append(to, fmt.Sprintf("u%d@to.test", i))
	}
	o := Options{Hostname: "gate.test", Finder: finder{{Name: "mx1.test", Addrs: someAddr}}, Dialer: once(client)}
	for i, got := range deliver(t, NewSMTP(o), &route.Route{}, envelope(to...), message) {
		if got != "delivered 250 2.0.0 taken (remote)" {
			t.Fatalf("recipient %d: %s", i, got)
		}
	}
	if mails != 3 {
		t.Errorf("%d transactions, want 3", mails)
	}
}

// By MX recipients of several domains have several hosts, even if they come
// together.
func TestGroups(t *testing.T) {
	tr := &transport{r: &route.Route{Kind: route.MX}}
	env := envelope("a@x.test", "b@y.test", "c@x.test")
	if got := fmt.Sprint(tr.groups(env)); got != "[[0 2] [1]]" {
		t.Errorf("by MX: %s", got)
	}
	tr.r = &route.Route{Kind: route.Hosts}
	if got := fmt.Sprint(tr.groups(env)); got != "[[0 1 2]]" {
		t.Errorf("by route: %s", got)
	}
	if got := (&transport{c: NewSMTP(Options{}), r: tr.r}).Deliver(t.Context(), mail.Envelope{}, &mail.Message{Blob: mail.Bytes("")}); len(got) != 0 {
		t.Errorf("nobody: %v", got)
	}
}

// BenchmarkKept is messages of 4 KiB over kept connections to a server on
// loopback that does nothing with them.
func BenchmarkKept(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go sink(conn, nil)
		}
	}()
	addr := netip.MustParseAddrPort(l.Addr().String())
	cl := NewSMTP(Options{Hostname: "gate.test", Finder: finder{{Name: "mx1.test", Addrs: []netip.AddrPort{addr}}}})
	defer cl.Close()
	msg := &mail.Message{Blob: mail.Bytes("Subject: x\r\n\r\n" + strings.Repeat(strings.Repeat("x", 62)+"\r\n", 64))}
	env := envelope("b@to.test")
	tr := cl.For(&route.Route{Name: "mx"})
	b.SetParallelism(4)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if as := tr.Deliver(context.Background(), env, msg); as[0].Said == "" {
				b.Error(as[0].Reply)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
