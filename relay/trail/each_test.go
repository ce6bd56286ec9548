package trail_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/trail"
)

// TestEach: every record of a time once and in order, those on the disk, over
// segments, and those that are still in memory.
func TestEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, trail.Options{})
		defer h.close()
		var want []mail.ID
		begin := time.Now()
		for n := range 6000 {
			id := h.ids.Session().Transaction(0)
			h.refuse(id, "a@example.com", "b@example.org", "")
			want = append(want, id)
			if n%100 == 0 {
				time.Sleep(time.Second) // the disk keeps up
			}
		}
		read := func(since, until time.Time) (ids []mail.ID) {
			err := h.Each(context.Background(), since, until, func(r *trail.Record) error {
				ids = append(ids, r.ID)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return ids
		}
		if got := read(begin, time.Now().Add(time.Second)); !slices.Equal(got, want) {
			t.Errorf("%d records, want %d in their order", len(got), len(want))
		}
		middle := begin.Add(30 * time.Second)
		early, late := read(begin, middle), read(middle, time.Now().Add(time.Second))
		if len(early) == 0 || len(late) == 0 || !slices.Equal(append(early, late...), want) {
			t.Errorf("%d before the middle and %d after it", len(early), len(late))
		}
		for _, id := range want[:2] {
			h.Event(trail.Event{ID: id, Time: time.Now(), What: "tls", Session: &trail.Session{Domain: "a.test", Policy: "tlsa"}})
		}
		var told []mail.ID
		err := h.EachEvent(context.Background(), begin, time.Now().Add(time.Second), func(e *trail.Event) error {
			if e.What == "tls" && e.Session.Domain == "a.test" {
				told = append(told, e.ID)
			}
			return nil
		})
		if err != nil || !slices.Equal(told, want[:2]) {
			t.Errorf("events of %v, %v", told, err)
		}
		stop := errors.New("enough")
		if err := h.Each(context.Background(), begin, middle, func(*trail.Record) error { return stop }); err != stop {
			t.Errorf("the error is %v", err)
		}
	})
}
