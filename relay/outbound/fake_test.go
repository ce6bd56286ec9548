package outbound

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/route"
)

// A fakeServer plays a script. A line that begins with
//
//	S:  is sent, with CRLF; \r, \n and \0 in it are what they say
//	>   is sent as it is, without CRLF
//	C:  must come, exactly
//	~   must come, and begin so
//	*   must come; what it says does not matter
//	<   is a line of the message; the dot at its end is a line as well
//	tls makes a handshake, tls! one that must fail
//	drop closes the connection
//	eof waits for the client to close
//	---- is the next connection
type fakeServer struct {
	t     *testing.T
	l     net.Listener
	conf  *tls.Config
	talks []string
	done  sync.WaitGroup
}

func fake(t *testing.T, script string) *fakeServer {
	t.Helper()
	return fakeAt(t, "127.0.0.1:0", script)
}

func fakeAt(t *testing.T, addr, script string) *fakeServer {
	t.Helper()
	network := "tcp"
	if strings.HasPrefix(addr, "/") {
		network = "unix"
	}
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeServer{t: t, l: l, conf: serverTLS(t), talks: strings.Split(script, "----\n")}
	f.done.Go(f.serve)
	t.Cleanup(func() { l.Close(); f.done.Wait() })
	return f
}

func (f *fakeServer) addr() netip.AddrPort { return netip.MustParseAddrPort(f.l.Addr().String()) }

func (f *fakeServer) serve() {
	for i := 0; ; i++ {
		conn, err := f.l.Accept()
		if err != nil {
			if i < len(f.talks) {
				f.t.Errorf("connection %d never came", i+1)
			}
			return
		}
		if i >= len(f.talks) {
			f.t.Errorf("connection %d came, which the script does not have", i+1)
			conn.Close()
			return
		}
		conn.SetDeadline(time.Now().Add(5 * time.Second))
		f.done.Go(func() {
			defer conn.Close()
			if err := f.play(conn, f.talks[i]); err != nil {
				f.t.Errorf("connection %d: %v", i+1, err)
			}
		})
	}
}

var unescapes = strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\0`, "\x00")

func (f *fakeServer) play(conn net.Conn, script string) error {
	r := bufio.NewReader(conn)
	for n, line := range strings.Split(strings.TrimSpace(script), "\n") {
		line = strings.TrimLeft(line, "\t ")
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "S:":
			io.WriteString(conn, unescapes.Replace(rest)+"\r\n")
		case ">":
			io.WriteString(conn, unescapes.Replace(rest))
		case "C:", "<", "~", "*":
			got, err := r.ReadString('\n')
			if err != nil {
				return fmt.Errorf("line %d: want %q, got %q and %v", n+1, rest, got, err)
			}
			bare, crlf := strings.CutSuffix(got, "\r\n")
			if !crlf || strings.Contains(bare, "\r") {
				return fmt.Errorf("line %d: line end of %q", n+1, got)
			}
			if word != "*" && bare != rest && !(word == "~" && strings.HasPrefix(bare, rest)) {
				return fmt.Errorf("line %d: want %q, got %q", n+1, rest, bare)
			}
		case "tls":
			tc := tls.Server(conn, f.conf)
			if err := tc.Handshake(); err != nil {
				return fmt.Errorf("line %d: %w", n+1, err)
			}
			conn, r = tc, bufio.NewReader(tc)
		case "tls!":
			if tls.Server(conn, f.conf).Handshake() == nil {
				return fmt.Errorf("line %d: the handshake went well", n+1)
			}
		case "eof":
			if b, err := r.ReadByte(); err == nil {
				return fmt.Errorf("line %d: %q came, not the end", n+1, b)
			}
		case "drop":
			return nil
		case "":
		default:
			return fmt.Errorf("line %d: %q is no word of a script", n+1, word)
		}
	}
	return nil
}

// finder is a route.Finder that knows its hosts.
type finder []route.Host

func (f finder) Find(mail.Recipient) (*route.Route, error) { return nil, nil }
func (f finder) Hosts(context.Context, *route.Route, string) ([]route.Host, error) {
	return f, nil
}

// hosts are the hosts of fake servers, named mx1.test, mx2.test and so on.
func hosts(servers ...*fakeServer) finder {
	var f finder
	for i, s := range servers {
		f = append(f, route.Host{Name: fmt.Sprintf("mx%d.test", i+1), Signed: true, Addrs: []netip.AddrPort{s.addr()}})
	}
	return f
}

func options(t *testing.T, f route.Finder) Options {
	return Options{Hostname: "gate.test", Finder: f, KeepIdle: -1, TLS: &tls.Config{RootCAs: roots(t)}}
}

const message = "Subject: hello\r\n\r\n.dot\r\nend\r\n"

func envelope(to ...string) mail.Envelope {
	env := mail.Envelope{ID: "0123456789BCD", From: mail.MustParseAddress("a@from.test")}
	for _, a := range to {
		env.To = append(env.To, mail.Recipient{Address: mail.MustParseAddress(a)})
	}
	return env
}

func deliver(t *testing.T, c *Client, r *route.Route, env mail.Envelope, text string) []string {
	t.Helper()
	return show(c.For(r).Deliver(t.Context(), env, &mail.Message{Blob: mail.Bytes(text)}))
}

// show is attempts as lines of text.
func show(as []queue.Attempt) (out []string) {
	for i, a := range as {
		s := outcomeNames[a.Outcome] + " " + a.Said + a.Reply.String()
		if a.To != i {
			s += fmt.Sprintf(" (of recipient %d)", a.To)
		}
		if a.DSN {
			s += " (reports)"
		}
		if a.Remote {
			s += " (remote)"
		}
		out = append(out, s)
	}
	return out
}

// check compares attempts with what was wanted; a wanted text that ends in ...
// is the beginning.
func check(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for i := range got {
		begin, open := strings.CutSuffix(want[i], "...")
		if got[i] != want[i] && !(open && strings.HasPrefix(got[i], begin)) {
			t.Errorf("recipient %d: got %q, want %q", i, got[i], want[i])
		}
	}
}

// countConn counts what goes over a connection.
type countConn struct {
	net.Conn
	writes, reads int
	sent          bytes.Buffer
}

func (c *countConn) Write(p []byte) (int, error) {
	c.writes++
	c.sent.Write(p)
	return c.Conn.Write(p)
}

func (c *countConn) Read(p []byte) (int, error) {
	c.reads++
	return c.Conn.Read(p)
}
