package outbound

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/route"
)

// An address that does not answer costs a quarter of a second, not half a minute, RFC
// 8305: the next is tried beside it, and whichever answers first is used. One that
// refuses costs nothing.
func TestStaggeredStarts(t *testing.T) {
	for _, c := range []struct {
		why, silent, refuses string
		want                 time.Duration
		asked                string
	}{
		{"the first is silent", "[2001:db8::1]:25", "", stagger, "[2001:db8::1]:25 192.0.2.1:25"},
		{"the first refuses", "", "[2001:db8::1]:25", 0, "[2001:db8::1]:25 192.0.2.1:25"},
		{"all is well", "", "", 0, "[2001:db8::1]:25"},
		{"two are silent", "[2001:db8::1]:25 192.0.2.1:25", "", 2 * stagger, "[2001:db8::1]:25 192.0.2.1:25 192.0.2.2:25"},
	} {
		t.Run(c.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var asked []string
				client, server := newPipe(t)
				o := Options{Hostname: "gate.test", KeepIdle: -1}
				o.Dialer = func(ctx context.Context, _, addr string) (net.Conn, error) {
					mu.Lock()
					asked = append(asked, addr)
					mu.Unlock()
					switch {
					case strings.Contains(c.silent, addr):
						<-ctx.Done()
						return nil, ctx.Err()
					case c.refuses == addr:
						return nil, errors.New("connection refused")
					}
					return client, nil
				}
				h := route.Host{Name: "mx.test"}
				for _, a := range []string{"[2001:db8::1]:25", "192.0.2.1:25", "192.0.2.2:25"} {
					h.Addrs = append(h.Addrs, netip.MustParseAddrPort(a))
				}
				go func() {
					defer server.Close()
					server.Write([]byte("220 hi\r\n"))
					server.Read(make([]byte, 100))
					server.Write([]byte("250 hi\r\n"))
					server.Read(make([]byte, 100))
				}()
				began := time.Now()
				s, fail := NewSMTP(o).connect(t.Context(), h, security{}, began.Add(time.Hour))
				if fail != nil {
					t.Fatal(fail)
				}
				if took := time.Since(began); took != c.want || strings.Join(asked, " ") != c.asked {
					t.Errorf("after %s, asked %v", took, asked)
				}
				s.quit()
				synctest.Wait()
			})
		})
	}
}

// A host whose first address answers and turns us away is asked at its others.
func TestNextAddressAfterGreeting(t *testing.T) {
	bad, good := fake(t, "S: 421 busy\neof"), fake(t, inClear)
	hs := finder{{Name: "mx1.test", Addrs: []netip.AddrPort{bad.addr(), good.addr()}}}
	check(t, deliver(t, NewSMTP(options(t, hs)), &route.Route{Name: "mx"}, envelope("b@to.test"), message), "delivered 250 done (remote)")
}

// A route with a pool connects to a host always from the same address, of the same
// family; policy's choice goes before; the failure names it.
func TestSourceAddresses(t *testing.T) {
	pool := []netip.Addr{netip.MustParseAddr("127.0.0.5"), netip.MustParseAddr("127.0.0.6"), netip.MustParseAddr("::1")}
	chosen := map[netip.Addr]int{}
	for i := range 100 {
		host := strings.Repeat("x", i) + ".test"
		from := sourceFor(pool, host, netip.MustParseAddr("192.0.2.1"))
		if from != sourceFor(pool, host, netip.MustParseAddr("192.0.2.9")) || !from.Is4() {
			t.Fatalf("from %s", from)
		}
		chosen[from]++
	}
	if len(chosen) != 2 || chosen[pool[0]] < 20 {
		t.Errorf("chosen %v", chosen)
	}
	if from := sourceFor(pool[:2], "x", netip.MustParseAddr("2001:db8::1")); from.IsValid() {
		t.Errorf("of the wrong family: %s", from)
	}
	var from []netip.Addr
	f := fake(t, inClear)
	o := options(t, hosts(f))
	o.DialFrom = func(ctx context.Context, network, addr string, a netip.Addr) (net.Conn, error) {
		from = append(from, a)
		return dialFrom(ctx, network, addr, a)
	}
	r := &route.Route{Name: "mx", Pool: pool, Source: pool[1]}
	check(t, deliver(t, NewSMTP(o), r, envelope("b@to.test"), message), "delivered 250 done (remote)")
	if len(from) != 1 || from[0] != pool[1] {
		t.Errorf("connected from %v", from)
	}
	r = &route.Route{Name: "mx", Source: netip.MustParseAddr("192.0.2.7")}
	check(t, deliver(t, NewSMTP(options(t, finder{{Name: "mx1.test", Addrs: []netip.AddrPort{closed(t)}}})), r, envelope("b@to.test"), message),
		"soft 451 4.4.1 No connection from 192.0.2.7 to mx1.test...")
}

// 8-bit mail with a DKIM signature goes as it is to a host that takes it, though
// another is preferred; where none does it is converted all the same, not returned.
func TestSignedMailLooksForEightBit(t *testing.T) {
	const text = "DKIM-Signature: v=1\r\nSubject: x\r\n\r\n\u00e9\r\n"
	env := envelope("b@to.test")
	env.EightBit = true
	narrow := opening + "S: 250 PIPELINING" + bye
	wide := fake(t, opening+`
			S: 250-PIPELINING
			S: 250 8BITMIME
			C: MAIL FROM:<a@from.test> BODY=8BITMIME
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 354 go on
			< DKIM-Signature: v=1
			< Subject: x
			<
			< `+"\u00e9"+`
			< .
			S: 250 done`+bye)
	got := show(NewSMTP(options(t, hosts(fake(t, narrow), wide))).For(&route.Route{Name: "mx"}).Deliver(t.Context(), env, &mail.Message{Blob: mail.Bytes(text)}))
	check(t, got, "delivered 250 done (remote)")

	only := fake(t, narrow+"----\n"+opening+`
			S: 250 PIPELINING
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 354 go on
			< Content-Transfer-Encoding: quoted-printable
			< MIME-Version: 1.0
			< Content-Type: text/plain; charset=utf-8
			< DKIM-Signature: v=1
			< Subject: x
			<
			< =C3=A9
			< .
			S: 250 done`+bye)
	got = show(NewSMTP(options(t, hosts(only))).For(&route.Route{Name: "mx"}).Deliver(t.Context(), env, &mail.Message{Blob: mail.Bytes(text)}))
	check(t, got, "delivered 250 done (remote)")
}

// A large message goes in several chunks; a server that refuses one in the middle has
// answered, and is not sent the rest.
func TestManyChunks(t *testing.T) {
	text := "Subject: x\r\n\r\n" + strings.Repeat(strings.Repeat("x", 98)+"\r\n", 4000)
	for _, c := range []struct{ second, want string }{{"250 ok", "delivered 250 2.0.0 done (remote)"}, {"552 5.3.4 too much", "hard 552 5.3.4 too much (remote)"}} {
		client, server := newPipe(t)
		got := make(chan int)
		go func() { got <- chunkServer(server, c.second) }()
		o := options(t, finder{{Name: "mx1.test", Addrs: someAddr}})
		o.Dialer = once(client)
		check(t, deliver(t, NewSMTP(o), &route.Route{Name: "mx"}, envelope("b@to.test"), text), c.want)
		if n := <-got; c.second == "250 ok" && n != len(text) {
			t.Errorf("%d octets came, not %d", n, len(text))
		}
	}
}
