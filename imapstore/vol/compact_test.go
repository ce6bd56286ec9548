package vol_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
)

// TestSpaceComesBack expunges most of what it stores: the journal gives the
// space back, and what is left is there after a restart.
func TestSpaceComesBack(t *testing.T) {
	ctx := context.Background()
	e := open(t, t.TempDir(), journal.Options{SegmentSize: 128 << 10})
	if err := e.s.Create(ctx, "bob@example.com", imapstore.AccountOptions{}); err != nil {
		t.Fatal(err)
	}
	m := inbox(t, e, "bob@example.com")
	body := mail.Bytes(bytes.Repeat([]byte("0123456789abcde\n"), 512)) // 8 KiB
	var keep []imapstore.UID
	for i := range 200 {
		uid, err := m.Append(ctx, &mail.Message{Blob: body}, nil, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if i%50 == 0 {
			keep = append(keep, uid)
		} else if err := m.Expunge(ctx, []imapstore.UID{uid}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.j.Compact(ctx); err != nil {
		t.Fatal(err)
	}
	st := e.j.Stats()
	if st.Blobs != len(keep) {
		t.Errorf("%d blobs live, want %d", st.Blobs, len(keep))
	}
	if st.Bytes > 8*128<<10 { // 1.6 MiB of octets were written
		t.Errorf("%d octets in %d segments are left of %d messages", st.Bytes, st.Segments, len(keep))
	}
	e.stop()
	e.start()
	got := inbox(t, e, "bob@example.com").Snapshot()
	if len(got.Messages) != len(keep) || got.UIDNext != 201 || len(got.Expunged) != 196 {
		t.Fatalf("%d messages, UIDNEXT %d, %d tombstones", len(got.Messages), got.UIDNext, len(got.Expunged))
	}
	for _, x := range got.Messages {
		if x.Size != int64(len(body)) {
			t.Errorf("UID %d has %d octets", x.UID, x.Size)
		}
	}
}

func inbox(t testing.TB, e *opened, account string) imapstore.Mailbox {
	t.Helper()
	a, err := e.s.Account(account)
	if err != nil {
		t.Fatal(err)
	}
	m, err := a.Mailbox("INBOX")
	if err != nil {
		t.Fatal(err)
	}
	return m
}
