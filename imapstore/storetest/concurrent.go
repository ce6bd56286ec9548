package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/forepost/forepost/imapstore"
)

const (
	writers = 8
	each    = 25
)

// testConcurrent has deliveries, flag changes, moves and a client that watches,
// all at once on the same mailboxes.
func testConcurrent(t *testing.T, e *Engine) {
	ctx := context.Background()
	a := e.bob(t)
	in := box(t, a, "INBOX")
	stop := make(chan struct{})
	var watcher, work sync.WaitGroup
	watcher.Go(func() { watch(t, in, stop) })
	for w := range writers {
		work.Go(func() {
			for i := range each {
				for _, err := range deliver(e, message(text(w*each+i)), rcpt("bob@example.com", ""), rcpt(fmt.Sprintf("u%d@example.com", i%3), "")) {
					if err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	work.Go(func() {
		for range each {
			if s := in.Snapshot(); len(s.Messages) > 1 {
				uids := uidsOf(s)
				_, err := in.Store(ctx, uids, imapstore.FlagsAdd, []string{`\Seen`}, 0)
				if err == nil {
					_, err = in.Move(ctx, uids[:1], "Junk")
				}
				if err != nil {
					t.Error(err)
				}
			}
			if e.Compact != nil {
				e.Compact()
			}
		}
	})
	work.Wait()
	close(stop)
	watcher.Wait()

	checkDelivered(t, e)
	want := picture(t, e.Store)
	e.reopen()
	if got := picture(t, e.Store); got != want {
		t.Fatalf("after a restart the store is\n%s\nbefore it was\n%s", got, want)
	}
}

// checkDelivered looks for every message, once.
func checkDelivered(t *testing.T, e *Engine) {
	a := e.account(t, "bob@example.com")
	seen := map[string]int{}
	for _, name := range []string{"INBOX", "Junk"} {
		for _, x := range box(t, a, name).Snapshot().Messages {
			seen[octets(t, x.Message)]++
		}
	}
	if len(seen) != writers*each {
		t.Errorf("%d different messages of %d", len(seen), writers*each)
	}
	for msg, n := range seen {
		if n != 1 {
			t.Errorf("%d times %q", n, msg)
		}
	}
}

// watch follows a mailbox as an IMAP session does: UIDs only go up, and what is
// below UIDNEXT is settled (RFC 9051 section 2.3.1.1), so that every new
// message can be found from there on.
func watch(t *testing.T, m imapstore.Mailbox, stop chan struct{}) {
	s := m.Snapshot()
	for {
		select {
		case <-stop:
			return
		case <-m.Changed(s):
		}
		n := m.Snapshot()
		if n.UIDNext < s.UIDNext || n.HighestModSeq < s.HighestModSeq {
			t.Errorf("UIDNEXT went from %d to %d, HIGHESTMODSEQ from %d to %d", s.UIDNext, n.UIDNext, s.HighestModSeq, n.HighestModSeq)
		}
		var last imapstore.UID
		for _, e := range n.Messages {
			if _, old := s.Find(e.UID); e.UID < s.UIDNext && !old {
				t.Errorf("UID %d came after UIDNEXT was %d", e.UID, s.UIDNext)
			}
			if e.UID <= last || e.UID >= n.UIDNext {
				t.Errorf("UID %d after %d with UIDNEXT %d", e.UID, last, n.UIDNext)
			}
			last = e.UID
		}
		s = n
	}
}
