package queue

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
)

// What was committed and not delivered is there after a shutdown, whole.
func TestRestart(t *testing.T) {
	w := newWorld(t) // not started: nothing is delivered
	w.send(envelope("a@a.test", "b@b.test"))
	held := w.o.IDs.Session().Transaction(0)
	d, _ := w.q.Draft(held)
	d.Write([]byte(body))
	err := d.Commit(context.Background(),
		Submission{Envelope: envelope("a@a.test", "c@c.test"), Prefix: []mail.Field{{Name: "X", Value: "kept"}}, Edits: []mail.Edit{{Off: 9, End: 14, With: []byte("HELLO")}}},
		Submission{Envelope: envelope("a@a.test", "d@d.test"), Prefix: []mail.Field{{Name: "X", Value: "held"}}, Hold: true, Why: "a person must look"})
	if err != nil {
		t.Fatal(err)
	}
	w.restart().start()
	w.until("all but the held one delivered", func() bool { return len(w.seen()) == 2 && w.q.Stats().Entries == 1 })
	in := w.q.Show(held)
	if len(in) != 1 || in[0].Recipients[0].State != Held || in[0].Recipients[0].Reply != "a person must look" {
		t.Fatalf("the held one: %+v", in)
	}
	for _, c := range w.seen() {
		if c.env.To[0].Address.Domain == "c.test" && c.text != "X: kept\r\n"+strings.Replace(body, "hello", "HELLO", 1) {
			t.Errorf("with prefix and edits: %q", c.text)
		}
	}
	w.restart().start()
	if n, err := w.q.Release(context.Background(), Filter{ID: held}); n != 1 || err != nil {
		t.Fatalf("released %d, error %v", n, err)
	}
	w.until("an empty queue", w.empty)
	if c := w.seen()[2]; !strings.HasPrefix(c.text, "X: held\r\n") {
		t.Errorf("the held one went out as %q", c.text)
	}
	w.restart()
	if s := w.q.Stats(); s.Entries != 0 || w.j.Stats().Blobs != 0 {
		t.Errorf("after all is settled: %+v, %d blobs", s, w.j.Stats().Blobs)
	}
}

// Progress is kept: what was delivered before a restart is not delivered again,
// the number of attempts and the next time stay.
func TestRestartKeepsProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).start()
		w.say = func(_ mail.Envelope, to mail.Recipient) Attempt {
			if to.Address.Domain == "slow.test" {
				return deferred()
			}
			return Attempt{Outcome: Delivered}
		}
		id := w.send(envelope("a@a.test", "b@slow.test", "c@good.test"))
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		before := w.q.Show(id)[0]
		w.restart()
		after := w.q.Show(id)[0]
		if fmt.Sprint(before.Recipients) != fmt.Sprint(after.Recipients) {
			t.Errorf("before %+v\nafter  %+v", before.Recipients, after.Recipients)
		}
		if r := after.Recipients[0]; r.Attempts != 4 || r.Reply != "451 4.4.1 not now" || r.Route != "mx" {
			t.Errorf("recipient after restart: %+v", r)
		}
		w.start()
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		n := 0
		for _, c := range w.seen() {
			if c.env.To[0].Address.Domain == "good.test" {
				n++
			}
		}
		if n != 1 {
			t.Errorf("c@good.test got it %d times", n)
		}
	})
}

// Compaction gives segments up while messages wait: they are all there
// afterwards, and after another restart.
func TestCompactionKeepsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).start()
		w.say = func(_ mail.Envelope, to mail.Recipient) Attempt {
			if to.Address.Domain == "slow.test" {
				return deferred()
			}
			return Attempt{Outcome: Delivered}
		}
		for i := range 600 {
			domain := "good.test"
			if i%20 == 0 {
				domain = "slow.test"
			}
			w.send(envelope("a@a.test", fmt.Sprintf("u%d@%s", i, domain)))
		}
		time.Sleep(5 * time.Minute)
		if _, err := w.j.Compact(context.Background()); err != nil {
			t.Fatal(err)
		}
		if s := w.j.Stats(); s.Segments > 4 {
			t.Errorf("nothing was given up: %+v", s)
		}
		for range 2 {
			w.restart()
			if n := w.q.Stats().Entries; n != 30 {
				t.Fatalf("%d messages after a restart, 30 wait", n)
			}
		}
		w.answer(nil)
		w.start()
		time.Sleep(time.Hour)
		synctest.Wait()
		if !w.empty() {
			t.Errorf("left: %+v", w.q.Stats())
		}
	})
}

// The promise: what Commit returned nil for is delivered or still queued,
// wherever the machine stops. What was delivered may come once more.
func TestCrash(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { crash(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func crash(t *testing.T, r *rand.Rand) {
	w := newWorld(t)
	luck := rand.New(rand.NewPCG(r.Uint64(), 2)) // guarded by w.mu
	w.say = func(env mail.Envelope, to mail.Recipient) Attempt {
		switch {
		case to.Address.Domain == "slow.test" && luck.IntN(3) > 0:
			return deferred()
		case to.Address.Domain == "bad.test":
			return refusal("nobody here")
		}
		return Attempt{Outcome: Delivered}
	}
	promised := map[mail.ID]bool{}
	w.start()
	w.disk.StopAfter(20 + r.IntN(150))
	for i := range 40 {
		to := []string{"good.test", "slow.test", "bad.test"}[r.IntN(3)]
		if id, err := w.trySend(Submission{Envelope: envelope("a@a.test", fmt.Sprintf("u%d@%s", i, to)), Prefix: received}); err == nil {
			promised[id] = true
		}
		time.Sleep(time.Duration(r.IntN(90)) * time.Second)
	}
	w.q.Stop(context.Background())
	w.j.Close()
	w.disk = w.disk.Crash(r.IntN)
	w.open()
	before := w.q.Stats().Entries
	w.start()
	time.Sleep(6 * 24 * time.Hour)
	synctest.Wait()
	for id := range promised {
		if s := w.storyOf(id); !w.settled(id) {
			t.Errorf("%s was promised and is lost; it was %v", id, s)
		}
	}
	if !w.empty() {
		t.Errorf("of %d recovered entries, left: %+v", before, w.q.List(Filter{}))
	}
	if n := w.j.Stats().Blobs; n != 0 {
		t.Errorf("%d blobs are held by nobody", n)
	}
}

// settled tells whether a message was delivered or its sender told. A bounce
// that was on the disk when the machine stopped, before anybody heard of it, is
// known by the report alone.
func (w *world) settled(id mail.ID) bool {
	for _, e := range w.events {
		if e.ID == id && (e.What == "delivered" || e.What == "bounced" || e.What == "expired") {
			return true
		}
	}
	for _, c := range w.calls {
		if c.env.From.IsNull() && strings.Contains(c.text, string(id)) {
			return true
		}
	}
	return false
}

// Nothing is admitted that the disk did not take.
func TestCommitOnAFullDisk(t *testing.T) {
	w := newWorld(t).start()
	w.disk.SetFail(func(op, _ string) error {
		if op == "write" || op == "allocate" || op == "create" {
			return errNoSpace
		}
		return nil
	})
	_, err := w.trySend(Submission{Envelope: envelope("a@a.test", "b@b.test")})
	if !isFull(err) {
		t.Fatalf("error %v", err)
	}
	w.disk.SetFail(nil)
	if s := w.q.Stats(); s.Entries != 0 || len(w.seen()) != 0 {
		t.Errorf("the refused message is there: %+v", s)
	}
	w.send(envelope("a@a.test", "b@b.test"))
	w.until("delivery once there is room", func() bool { return len(w.seen()) == 1 && w.empty() })
}

func isFull(err error) bool {
	return err != nil && strings.Contains(err.Error(), journal.ErrFull.Error())
}
