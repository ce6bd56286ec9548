package outbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/route"
)

// ask is a probe's dialogue up to the answer to RCPT.
const ask = plain + `
	C: MAIL FROM:<>
	C: RCPT TO:<b@to.test>
	S: 250 ok
`

func probe(t *testing.T, p *Prober, to string) string {
	t.Helper()
	refusal, known, err := p.Probe(t.Context(), &route.Route{Name: "exchange", Kind: route.Hosts}, mail.MustParseAddress(to), "")
	var r mail.Reply
	switch {
	case err != nil && !errors.As(err, &r):
		return "not a reply: " + err.Error()
	case err != nil && r.Class != mail.Transient:
		return "not transient: " + err.Error()
	case err != nil:
		return "doubt " + err.Error()
	case known && !refusal.IsZero():
		return "known and refused"
	case known:
		return "known"
	}
	return "unknown " + refusal.String()
}

func TestProbe(t *testing.T) {
	cases := []struct{ why, script, want string }{
		{"known", ask + "S: 250 ok" + bye, "known"},
		{"not known", ask + "S: 550 5.1.1 who?" + bye, "unknown 550 5.1.1 who?"},
		{"not now", ask + "S: 450 4.2.1 greylisted" + bye, "doubt 450 4.2.1 greylisted"},
		{"neither", ask + "S: 354 go" + "\neof", "doubt 451 4.4.2 The server's reply makes no sense..."},
		{"it breaks off", ask + "drop", "doubt 451 4.4.2 The server closed the connection..."},
		{"bounces are refused: that says nothing about the recipient", plain + `
			C: MAIL FROM:<>
			C: RCPT TO:<b@to.test>
			S: 550 5.7.1 no bounces here
			S: 503 MAIL first` + bye, "doubt 451 4.1.8 mx1.test[127.0.0.1]:..."},
		{"we are refused: nor does that", "S: 554 5.7.1 go away" + bye, "doubt 454 4.7.1 go away"},
		{"without pipelining", opening + `
			S: 250 HELP
			C: MAIL FROM:<>
			S: 250 ok
			C: RCPT TO:<b@to.test>
			S: 250 ok` + bye, "known"},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			got := probe(t, NewProber(NewSMTP(options(t, hosts(fake(t, c.script))))), "b@to.test")
			check(t, []string{got}, c.want)
		})
	}
}

func TestProbeNextHost(t *testing.T) {
	p := NewProber(NewSMTP(options(t, hosts(fake(t, "S: 421 busy\neof"), fake(t, ask+"S: 250 ok"+bye)))))
	if got := probe(t, p, "b@to.test"); got != "known" {
		t.Error(got)
	}
	p = NewProber(NewSMTP(options(t, finderErr{mail.Refuse(50, 1, 2, "no such domain")})))
	if got := probe(t, p, "b@to.test"); got != "doubt 450 4.1.2 no such domain" {
		t.Error(got)
	}
	p = NewProber(NewSMTP(options(t, hosts(fake(t, plain+bye)))))
	if got := probe(t, p, "b\u00f6b@to.test"); !strings.HasPrefix(got, "unknown 550 5.6.7 ") {
		t.Error(got)
	}
}

// The memory of a Prober holds answers, an hour or five minutes, and no doubts.
//
// It is threats.md "Verify-cache poisoning": what is remembered comes from our own
// questions only, and no is forgotten sooner than yes.
func TestProbeMemory(t *testing.T) {
	cases := []struct {
		answer string
		wait   time.Duration
		asked  int // times, by probing, waiting and probing again
	}{
		{"250 ok", knownTime - time.Minute, 1},
		{"250 ok", knownTime + time.Minute, 2},
		{"550 5.1.1 who?", unknownTime - time.Minute, 1},
		{"550 5.1.1 who?", unknownTime + time.Minute, 2},
		{"450 later", 0, 2},
	}
	for _, c := range cases {
		t.Run(fmt.Sprint(c.answer, " after ", c.wait), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				p := NewProber(pipedServer(func(string) string { asked++; return c.answer }))
				one := probe(t, p, "b@to.test")
				time.Sleep(c.wait)
				if two := probe(t, p, "b@to.test"); two != one || asked != c.asked {
					t.Errorf("asked %d times, want %d: %s, then %s", asked, c.asked, one, two)
				}
				probe(t, p, "B@to.test") // a local part with another case is another one
				if asked != c.asked+1 {
					t.Error("the case of the local part was taken for nothing")
				}
				time.Sleep(time.Minute) // for the leave-taking
			})
		})
	}
}

func TestProbeOneFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, release := 0, make(chan struct{})
		p := NewProber(pipedServer(func(string) string { asked++; <-release; return "250 ok" }))
		hasty, cancel := context.WithCancel(t.Context())
		go func() {
			_, _, err := p.Probe(hasty, &route.Route{Name: "exchange"}, mail.MustParseAddress("b@to.test"), "")
			if err == nil {
				t.Error("the hasty one got an answer")
			}
		}()
		synctest.Wait()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if got := probe(t, p, "b@to.test"); got != "known" {
					t.Error(got)
				}
			})
		}
		synctest.Wait()
		cancel() // must not spoil it for the others
		synctest.Wait()
		close(release)
		wg.Wait()
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
	})
}

// pipedServer is a client of a server that gives an answer of choice to RCPT.
func pipedServer(answer func(cmd string) string) *Client {
	o := Options{Hostname: "gate.test", Finder: finder{{Name: "mx1.test", Addrs: someAddr}}}
	o.Dialer = func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			lines := newLines(server)
			lines.say("220 hi")
			for cmd, ok := lines.next(); ok; cmd, ok = lines.next() {
				switch {
				case strings.HasPrefix(cmd, "RCPT"):
					lines.say(answer(cmd))
				case cmd == "QUIT":
					return
				default:
					lines.say("250 ok")
				}
			}
		}()
		return client, nil
	}
	return NewSMTP(o)
}
