package queue

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// A server that is started anew while many messages are on their way to it is
// looked at again in seconds: they tell once that it is away, and what comes
// in meanwhile is there soon after it is back.
func TestAwayBriefly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).start()
		send := func(n int) {
			for range n {
				w.send(envelope("ann@a.test", "bob@peer.test"))
			}
			synctest.Wait()
		}
		for range 30 { // until it is trusted with many at once
			send(40)
		}
		release := w.hang("peer.test")
		send(40)
		line := func() line {
			w.q.mu.Lock()
			defer w.q.mu.Unlock()
			return *w.q.lines.byKey["mx:peer.test"]
		}
		under := line().active
		w.answer(func(mail.Envelope, mail.Recipient) Attempt { return unreachable() })
		release()
		synctest.Wait()
		if l := line(); under < 5 || l.fails != 0 || l.looks != len(quickLooks)-1 {
			t.Fatalf("%d under way, then %d failures and %d quick looks left", under, l.fails, l.looks)
		}
		for range 5 {
			time.Sleep(time.Second)
			send(1)
		}
		w.answer(nil)
		before := len(w.seen())
		for range 6 {
			time.Sleep(time.Second)
			send(1)
		}
		if n := len(w.seen()) - before; n < 11 {
			t.Errorf("%d deliveries in 6 s after it came back", n)
		}
		time.Sleep(time.Minute)
		if synctest.Wait(); !w.empty() {
			t.Errorf("a minute later: %+v", w.q.Stats())
		}
	})
}

// One that stays away is soon looked at as the schedule has it.
func TestAwayForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).start()
		w.send(envelope("ann@a.test", "bob@peer.test"))
		synctest.Wait()
		w.answer(func(mail.Envelope, mail.Recipient) Attempt { return unreachable() })
		before := len(w.seen())
		for i := range 3600 {
			w.send(envelope("ann@a.test", fmt.Sprintf("b%d@peer.test", i)))
			time.Sleep(time.Second)
			synctest.Wait()
		}
		if n := len(w.seen()) - before; n < len(quickLooks)+5 || n > len(quickLooks)+20 {
			t.Errorf("%d attempts in an hour", n)
		}
	})
}
