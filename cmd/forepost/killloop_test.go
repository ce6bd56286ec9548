package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/smtp"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// killConfig is that of a single crash, and the sender's domain is at the next
// server as well: who gets a report of what was refused.
const killConfig = crashConfig + `
domain "send.test" {
  route      = route.sink
  recipients = any
}
`

// The gateway is killed under load again and again (threats: silent loss,
// duplicates), while the next server takes, defers, refuses, hangs up and dawdles by
// a seed. A client of our own notes each 250; in the end each message that got one
// was delivered at least once, or its sender was told. FOREPOST_KILLS is how often
// (10), FOREPOST_SEED the seed (1).
func TestKilledAgainAndAgain(t *testing.T) {
	kills, seed := number("FOREPOST_KILLS", 10), number("FOREPOST_SEED", 1)
	next := newMoody(t, uint64(seed))
	g := serveGateway(t, fmt.Sprintf(killConfig, next.addr))
	g.addUser("bob@local.test", "secret")
	acked, serial := &acks{}, atomic.Int64{}
	when := rand.New(rand.NewPCG(uint64(seed), 2))
	for round := range kills {
		if round > 0 {
			g.start()
		}
		addr, stop := g.address("smtp", "edge"), make(chan struct{})
		var senders sync.WaitGroup
		for range 8 {
			senders.Go(func() { sendUntil(addr, stop, &serial, acked) })
		}
		time.Sleep(time.Duration(50+when.IntN(600)) * time.Millisecond)
		g.end(syscall.SIGKILL)
		close(stop)
		senders.Wait()
	}
	g.start()
	next.honest.Store(true)
	settle(t, g, next, acked.list(), kills)
}

func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// sendUntil sends messages over one connection after the other until the gateway is
// gone, and notes what was acknowledged.
func sendUntil(addr string, stop <-chan struct{}, serial *atomic.Int64, acked *acks) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		c, err := smtp.Dial(addr)
		if err != nil {
			return // it was killed
		}
		for range 10 {
			n := serial.Add(1)
			to, subject := "ann@rcpt.test", fmt.Sprintf("message %d", n)
			if n%8 == 0 {
				to = "bob@local.test"
			}
			if sendOver(c, to, subject) != nil {
				break
			}
			acked.note(subject)
		}
		c.Close()
	}
}

func sendOver(c *smtp.Client, to, subject string) error {
	if err := c.Mail("a@send.test"); err != nil {
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
	return w.Close()
}

// settle waits until the queue is empty, and looks for every message.
func settle(t *testing.T, g *gateway, next *moody, want []string, kills int) {
	t.Helper()
	if len(want) < kills*5 {
		t.Fatalf("only %d messages were taken in %d rounds: there was no load", len(want), kills)
	}
	waitFor(t, func() (string, bool) {
		s, err := g.client().QueueSummary(context.Background())
		return fmt.Sprintf("the queue is not empty: %+v, %v", s, err), err == nil && s.Messages == 0
	})
	took := mailbox(t, g, "bob@local.test", "secret")
	next.mu.Lock()
	defer next.mu.Unlock()
	maps.Copy(took, next.took)
	bounced, twice, copies := 0, 0, 0
	var missing []string
	for _, s := range want {
		switch n := took[s]; {
		case n == 0 && next.told[s] == 0:
			missing = append(missing, s)
		case n == 0:
			bounced++
		case n > 1:
			twice++
			copies += n - 1
		}
	}
	if len(missing) > 0 {
		t.Errorf("%d of %d acknowledged messages neither arrived nor were reported: %.10v", len(missing), len(want), missing)
	}
	t.Logf("%d kills: %d messages acknowledged, %d bounced, %d arrived more than once (%d copies too many); the next server was %v",
		kills, len(want), bounced, twice, copies, next.moods)
}
