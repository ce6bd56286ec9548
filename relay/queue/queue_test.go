package queue

import (
	"strings"
	"testing"
)

// A message goes through: durable, routed, delivered, gone; the fields that
// were added stand on top.
func TestDeliver(t *testing.T) {
	w := newWorld(t).start()
	id := w.send(envelope("a@a.test", "b@b.test", "c@b.test", "d@c.test"))
	w.until("an empty queue", w.empty)
	calls := w.seen()
	if len(calls) != 2 {
		t.Fatalf("recipients with the same hop are to travel together: %s", short(calls))
	}
	for _, c := range calls {
		if c.text != "Received: from test\r\n"+body || c.env.ID != id {
			t.Errorf("delivered as %s: %q", c.env.ID, c.text)
		}
	}
	w.until("three events", func() bool { return len(w.story()) == 3 })
	if s := strings.Join(w.story(), "; "); strings.Count(s, "delivered ") != 3 {
		t.Errorf("the trail says %s", s)
	}
	w.until("the blob is given back", func() bool { return w.j.Stats().Blobs == 0 })
}
