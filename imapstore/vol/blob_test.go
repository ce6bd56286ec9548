package vol_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/outbound"
)

// TestByReference delivers a message that lies in the journal already, as the
// queue does: its octets are there once, as long as one recipient has them.
func TestByReference(t *testing.T) {
	ctx := context.Background()
	e := open(t, t.TempDir(), journal.Options{})
	w := e.j.NewBlob()
	if _, err := w.Write([]byte(strings.Repeat("octets ", 1000))); err != nil {
		t.Fatal(err)
	}
	var b journal.Batch
	b.AddBlob(w)
	if err := e.j.Commit(ctx, &b); err != nil {
		t.Fatal(err)
	}
	d := outbound.Delivery{Message: &mail.Message{Blob: w.Blob()}, Time: time.Unix(1, 0)}
	who := []string{"a@example.com", "b@example.com", "c@example.com"}
	for _, to := range who {
		d.To = append(d.To, mail.Recipient{Address: mail.MustParseAddress(to)})
	}
	for _, err := range e.s.Deliver(ctx, d) {
		if err != nil {
			t.Fatal(err)
		}
	}
	e.j.Release(w.ID()) // the queue is done with it
	if n := e.j.Stats().Blobs; n != 1 {
		t.Fatalf("%d blobs for three recipients", n)
	}
	e.stop()
	e.start()
	for i, name := range who {
		m := inbox(t, e, name)
		r, err := m.Snapshot().Messages[0].Message.Open()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r.Close()
		if err := m.Expunge(ctx, []imapstore.UID{1}); err != nil {
			t.Fatal(err)
		}
		want := 1
		if i == len(who)-1 {
			want = 0
		}
		if n := e.j.Stats().Blobs; n != want {
			t.Errorf("%d blobs after %d of 3 have let go", n, i+1)
		}
	}
}

// TestForeignBlob delivers a blob of another journal, whose names mean other
// octets here: it is copied.
func TestForeignBlob(t *testing.T) {
	ctx := context.Background()
	e, other := open(t, t.TempDir(), journal.Options{}), open(t, t.TempDir(), journal.Options{})
	for i, o := range []*opened{e, other} {
		if errs := o.s.Deliver(ctx, outbound.Delivery{To: []mail.Recipient{{Address: mail.MustParseAddress("a@example.com")}},
			Message: &mail.Message{Blob: mail.Bytes{byte('0' + i)}}}); errs[0] != nil {
			t.Fatal(errs)
		}
	}
	msg := inbox(t, other, "a@example.com").Snapshot().Messages[0].Message
	uid, err := inbox(t, e, "a@example.com").Append(ctx, &mail.Message{Blob: msg.Blob}, nil, time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	r, err := inbox(t, e, "a@example.com").Snapshot().Messages[uid-1].Message.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var got [2]byte
	if n, _ := r.Read(got[:]); n != 1 || got[0] != '1' {
		t.Errorf("the copy is %q, want the other journal's 1", got[:n])
	}
}
