package main

import (
	"crypto/tls"
	"fmt"
	"maps"
	"net/smtp"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const crashConfig = `
hostname = "gw.test"
listener "edge" {
  address    = "127.0.0.1:0"
  tls        = off
  relay_from = ["127.0.0.1"]
  policy     = policy.open
}
domain "rcpt.test" {
  route      = route.sink
  recipients = any
}
domain "local.test" {
  route = route.store
}
route "sink" {
  to    = [%q]
  retry = { first = "1s", max = "2s" }
}
imap "mail" {
  address = "127.0.0.1:0"
}
policy "open" {}
`

// The promise: what got its 250 survives kill -9. An own client notes each 250,
// the sink and the mailbox each message; the gateway is killed in the middle of
// 2,000 messages, half for the sink and half for the store, and started again.
func TestKilledInTheMiddleLosesNothing(t *testing.T) {
	const messages, senders, killAt = 2000, 20, 900
	out := newSink(t)
	g := serveGateway(t, fmt.Sprintf(crashConfig, out.addr))
	g.addUser("bob@local.test", "secret")
	addr := g.address("smtp", "edge")

	acked := &acks{}
	kill := make(chan struct{})
	next := atomic.Int64{}
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for n := next.Add(1); n <= messages; n = next.Add(1) {
				subject := fmt.Sprintf("message %d", n)
				if sendOne(addr, recipientOf(n), subject) == nil && acked.note(subject) == killAt {
					close(kill)
				}
			}
		})
	}
	<-kill
	g.end(syscall.SIGKILL)
	all.Wait() // what was not sent yet fails, and was not promised anything
	g.start()

	want := acked.list()
	if len(want) < killAt || len(want) >= messages {
		t.Fatalf("%d of %d messages were taken before the kill: it was not in the middle", len(want), messages)
	}
	waitFor(t, func() (string, bool) {
		got := out.subjects()
		maps.Copy(got, mailbox(t, g, "bob@local.test", "secret"))
		var missing []string
		for _, s := range want {
			if got[s] == 0 {
				missing = append(missing, s)
			}
		}
		return fmt.Sprintf("%d of %d acknowledged messages have not arrived: %.5v", len(missing), len(want), missing), len(missing) == 0
	})
	twice := 0
	for _, n := range out.subjects() {
		if n > 1 {
			twice++
		}
	}
	t.Logf("%d acknowledged, all arrived; %d arrived twice at the sink", len(want), twice)
}

// acks are the subjects that got a 250.
type acks struct {
	mu       sync.Mutex
	subjects []string
}

func (a *acks) note(s string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.subjects = append(a.subjects, s)
	return len(a.subjects)
}

func (a *acks) list() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.subjects...)
}

func recipientOf(n int64) string {
	if n%2 == 0 {
		return "bob@local.test"
	}
	return "ann@rcpt.test"
}

// sendOne sends a message as a server does that meets an unknown one: TLS if it
// is offered, with whatever certificate.
func sendOne(addr, to, subject string) error { return sendAs(addr, "a@send.test", to, subject) }

func sendAs(addr, from, to, subject string) error {
	c, err := smtp.Dial(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if ok, _ := c.Extension("STARTTLS"); ok {
		if err := c.StartTLS(&tls.Config{InsecureSkipVerify: true}); err != nil {
			return err
		}
	}
	if err := c.Mail(from); err != nil {
		return err
	}
	if err := c.Rcpt(to); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "From: a@send.test\r\nTo: %s\r\nSubject: %s\r\n\r\nbody\r\n", to, subject); err != nil {
		return err
	}
	return w.Close() // its error is the reply
}

// waitFor waits until done says so; it tells what was missing at the end.
func waitFor(t *testing.T, done func() (string, bool)) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		text, ok := done()
		if ok {
			return
		}
		if time.Now().After(end) {
			t.Fatal(text)
		}
	}
}
