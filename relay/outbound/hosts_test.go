package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/route"
)

var someAddr = []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:25")}

func newPipe(t *testing.T) (client, server net.Conn) {
	client, server = net.Pipe()
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// once is a Dialer that gives out one connection.
func once(conn net.Conn) func(context.Context, string, string) (net.Conn, error) {
	var n atomic.Int32
	return func(context.Context, string, string) (net.Conn, error) {
		if n.Add(1) > 1 {
			return nil, errors.New("no more connections")
		}
		return conn, nil
	}
}

// closed is an address where nobody listens.
func closed(t *testing.T) netip.AddrPort {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return netip.MustParseAddrPort(l.Addr().String())
}

func TestNextHost(t *testing.T) {
	const sent = "delivered 250 done (remote)"
	cases := []struct{ why, first, want string }{
		{"it is too busy", "S: 421 busy\neof", sent},
		{"it refuses all service", "S: 554 no" + bye, sent},
		{"it refuses our name for now", "S: 220 hi\nC: EHLO gate.test\nS: 451 later" + bye, sent},
		{"it goes away at once", "drop", sent},
		{"it goes away after MAIL", plain + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 250 ok
			drop`, sent},
		{"it says 421 for a recipient", plain + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 250 ok
			S: 421 4.3.2 shutting down
			eof`, sent},
		{"its own disk is full, it says at MAIL: another may be well", plain + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 452 4.3.1 no space
			S: 503 none
			S: 503 none` + bye, sent},
		{"its system is in trouble, it says at RCPT", plain + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 250 ok
			S: 451 4.3.5 cannot look that up
			S: 503 none` + bye, sent},
		{"it has refused the recipient for now: that is its answer", plain + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 250 ok
			S: 450 4.2.1 greylisted
			S: 503 none` + bye, "soft 450 4.2.1 greylisted (remote)"},
		{"it goes away with the message in its hands: not sent elsewhere at once", plain + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 354 go on` + body + `
			drop`, "soft 451 4.4.2 The server closed the connection while we waited for its answer to the message, which it may have taken"},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			hs := hosts(fake(t, c.first))
			if c.want == sent {
				hs = append(hs, hosts(fake(t, inClear))[0])
			} else { // must not be asked
				hs = append(hs, route.Host{Name: "mx2.test", Addrs: []netip.AddrPort{closed(t)}})
			}
			check(t, deliver(t, NewSMTP(options(t, hs)), &route.Route{Name: "mx"}, envelope("b@to.test"), message), c.want)
		})
	}
}

// A host that is down: its next address, then the next host; with the DNS and
// the table that are the real ones.
func TestMXFallback(t *testing.T) {
	up := fake(t, inClear)
	port := up.addr().Port()
	zone := dns.MustZone(dns.Names{
		"to.test":   {"MX": []string{"10 down.test.", "20 up.test."}},
		"down.test": {"A": []string{"127.0.0.77", "127.0.0.78"}},
		"up.test":   {"A": []string{"127.0.0.1"}},
	})
	table, err := route.NewTable(route.TableOptions{Resolver: zone, Port: port})
	if err != nil {
		t.Fatal(err)
	}
	o := options(t, table)
	var asked []string
	o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		asked = append(asked, strings.TrimSuffix(addr, fmt.Sprint(":", port)))
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	as := NewSMTP(o).For(&route.Route{Name: "mx"}).Deliver(t.Context(), envelope("b@to.test"), &mail.Message{Blob: mail.Bytes(message)})
	check(t, show(as), "delivered 250 done (remote)")
	if want := fmt.Sprintf("up.test[127.0.0.1]:%d", port); as[0].Host != want {
		t.Errorf("host %s, want %s", as[0].Host, want)
	}
	if got := strings.Join(asked, " "); got != "127.0.0.77 127.0.0.78 127.0.0.1" {
		t.Errorf("asked %s", got)
	}
}

func TestNobodyThere(t *testing.T) {
	hs := finder{{Name: "mx1.test", Addrs: []netip.AddrPort{closed(t), closed(t)}}, {Name: "empty.test"}}
	as := NewSMTP(options(t, hs)).For(&route.Route{Name: "mx"}).Deliver(t.Context(), envelope("b@to.test"), &mail.Message{Blob: mail.Bytes(message)})
	if as[0].Host != "" || as[0].Outcome != queue.Soft || !strings.HasPrefix(as[0].Reply.String(), "451 4.4.1 No connection to mx1.test[127.0.0.1]:") {
		t.Errorf("got %+v", as[0])
	}
}

// finderErr is a route.Finder without an answer.
type finderErr struct{ err error }

func (f finderErr) Find(mail.Recipient) (*route.Route, error) { return nil, f.err }
func (f finderErr) Hosts(context.Context, *route.Route, string) ([]route.Host, error) {
	return nil, f.err
}

func TestNoHosts(t *testing.T) {
	cases := []struct {
		err  error
		want string
	}{
		{mail.Refuse(56, 1, 10, "null MX"), "hard 556 5.1.10 null MX"},
		{mail.Defer(51, 4, 3, "DNS trouble"), "soft 451 4.4.3 DNS trouble"},
		{errors.New("odd"), "soft 451 4.4.4 No host was found for to.test: odd"},
		{nil, "soft 451 4.4.4 No host was found for to.test"},
	}
	for _, c := range cases {
		check(t, deliver(t, NewSMTP(options(t, finderErr{c.err})), &route.Route{}, envelope("b@to.test"), message), c.want)
	}
}

// A server that breaks off after any of its octets never loses a recipient
// without an answer, and only an answer of its own makes one hard.
func TestBreakOffAnywhere(t *testing.T) {
	replies := []string{"220 hi\r\n", "250-mx1.test\r\n250 PIPELINING\r\n", "250 ok\r\n250 ok\r\n550 5.1.1 no\r\n354 go on\r\n", "250 done\r\n"}
	whole := strings.Join(replies, "")
	for cut := range len(whole) + 1 {
		synctest.Test(t, func(t *testing.T) {
			client, server := newPipe(t)
			go func() {
				go io.Copy(io.Discard, server)
				io.WriteString(server, whole[:cut])
				server.Close()
			}()
			o := options(t, finder{{Name: "mx1.test", Addrs: someAddr}})
			o.Dialer = once(client)
			got := show(NewSMTP(o).For(&route.Route{}).Deliver(t.Context(), envelope("b@to.test", "c@to.test"), &mail.Message{Blob: mail.Bytes(message)}))
			for i, g := range got {
				refused := i == 1 && strings.HasPrefix(g, "hard 550 5.1.1 no")
				taken := i == 0 && cut == len(whole) && g == "delivered 250 done (remote)"
				if !refused && !taken && !strings.HasPrefix(g, "soft 451 4.4.2 The server closed") {
					t.Errorf("cut after %q: recipient %d: %s", whole[:cut], i, g)
				}
			}
		})
	}
}

// How long we wait, RFC 5321 section 4.5.3.2, is told by a clock that is not
// the wall's.
func TestTimeouts(t *testing.T) {
	cases := []struct {
		why, script string
		want        time.Duration
	}{
		{"greeting", "", greetingTime},
		{"EHLO", "220 hi\r\n", commandTime},
		{"MAIL", "220 hi\r\n250 hi\r\n", commandTime},
		{"DATA", "220 hi\r\n250 hi\r\n250 ok\r\n250 ok\r\n", dataTime},
		{"the message", "220 hi\r\n250 hi\r\n250 ok\r\n250 ok\r\n354 go\r\n", doneTime},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := newPipe(t)
				go io.Copy(io.Discard, server)
				go io.WriteString(server, c.script)
				o := options(t, finder{{Name: "mx1.test", Addrs: someAddr}})
				o.Dialer = once(client)
				start := time.Now()
				got := show(NewSMTP(o).For(&route.Route{}).Deliver(t.Context(), envelope("b@to.test"), &mail.Message{Blob: mail.Bytes(message)}))
				check(t, got, "soft 451 4.4.2 The server took too long while we waited for...")
				if took := time.Since(start); took != c.want {
					t.Errorf("took %v, want %v", took, c.want)
				}
			})
		})
	}
}

// A server that does not read is given up as well.
func TestTimeoutWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newPipe(t)
		go io.WriteString(server, "220 hi\r\n")
		o := options(t, finder{{Name: "mx1.test", Addrs: someAddr}})
		o.Dialer = once(client)
		start := time.Now()
		check(t, deliver(t, NewSMTP(o), &route.Route{}, envelope("b@to.test"), message), "soft 451 4.4.2 The server took too long while we waited for the reply to EHLO")
		if took := time.Since(start); took != blockTime {
			t.Errorf("took %v", took)
		}
	})
}

// Many hosts that only keep us waiting do not hold a delivery for hours.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hs finder
		for range 10 {
			hs = append(hs, route.Host{Name: "tarpit.test", Addrs: append(someAddr, someAddr...)})
		}
		o := options(t, hs)
		o.Dialer = func(context.Context, string, string) (net.Conn, error) {
			client, _ := newPipe(t)
			return client, nil
		}
		start := time.Now()
		check(t, deliver(t, NewSMTP(o), &route.Route{}, envelope("b@to.test"), message), "soft 451 4.4.2 The server took too long...")
		if took := time.Since(start); took > patience+2*greetingTime {
			t.Errorf("took %v", took)
		}
	})
}

func TestHostText(t *testing.T) {
	for name, want := range map[string]string{"mx1.test": "mx1.test[192.0.2.1]:25", "[192.0.2.1]": "[192.0.2.1]:25", "192.0.2.1": "[192.0.2.1]:25"} {
		if got := hostText(route.Host{Name: name}, someAddr[0]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newPipe(t)
		go io.Copy(io.Discard, server)
		go io.WriteString(server, "220 hi\r\n250 hi\r\n")
		o := options(t, finder{{Name: "mx1.test", Addrs: someAddr}})
		o.Dialer = once(client)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		got := show(NewSMTP(o).For(&route.Route{}).Deliver(ctx, envelope("b@to.test"), &mail.Message{Blob: mail.Bytes(message)}))
		if time.Since(start) != time.Second || !strings.HasPrefix(got[0], "soft 451 4.4.2 ") {
			t.Errorf("after %v: %s", time.Since(start), got)
		}
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		got = show(NewSMTP(o).For(&route.Route{}).Deliver(cancelled, envelope("b@to.test"), &mail.Message{Blob: mail.Bytes(message)}))
		check(t, got, "soft 451 4.4.0 The delivery was cut off before it began")
	})
}
