package storetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/mail"
)

func testOctets(t *testing.T, e *Engine) {
	m := box(t, e.bob(t), "INBOX")
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	bodies := []mail.Bytes{
		{},                                      // nothing at all
		[]byte("\r\n"),                          // an empty header only
		[]byte("a: b\n\nbare LF\rbare CR"),      // an APPEND may bring anything
		all,                                     // every octet, NUL too
		bytes.Repeat([]byte("x"), 300<<10),      // longer than a chunk of the journal
		bytes.Repeat([]byte("line\r\n"), 1<<18), // several chunks
	}
	for i, b := range bodies {
		uid, err := m.Append(context.Background(), message(b), nil, day)
		if err != nil {
			t.Fatal(err)
		}
		x := entry(t, m, uid)
		if x.Size != int64(len(b)) || octets(t, x.Message) != string(b) {
			t.Errorf("message %d of %d octets came back with %d", i, len(b), x.Size)
		}
	}
	edited, err := mail.NewMessage([]mail.Field{{Name: "X-On-Top", Value: "1"}}, []mail.Edit{{Off: 0, End: 4, With: []byte("To")}}, text(1))
	if err != nil {
		t.Fatal(err)
	}
	uid, err := m.Append(context.Background(), edited, nil, day)
	if err != nil {
		t.Fatal(err)
	}
	e.reopen()
	x := entry(t, box(t, e.account(t, "bob@example.com"), "INBOX"), uid)
	want := "X-On-Top: 1\r\nTo" + strings.TrimPrefix(string(text(1)), "From")
	if got := octets(t, x.Message); got != want || x.Size != int64(len(want)) {
		t.Errorf("an edited message came back as %q of %d octets", got, x.Size)
	}
}

func testAppend(t *testing.T, e *Engine) {
	m := box(t, e.bob(t), "INBOX")
	s := m.Snapshot()
	if s.UIDNext != 1 || len(s.Messages) != 0 || s.UIDValidity == 0 {
		t.Fatalf("an empty mailbox is %+v", s)
	}
	uid, err := m.Append(context.Background(), message(text(1)), []string{`\SEEN`, "Junk", `\Recent`, "junk", `\Seen`}, day)
	if err != nil || uid != 1 {
		t.Fatalf("Append: %d, %v", uid, err)
	}
	x := entry(t, m, 1)
	if !slices.Equal(x.Flags, []string{"Junk", `\Seen`}) {
		t.Errorf("flags are %q", x.Flags)
	}
	if !x.Date.Equal(day) || x.SaveDate.IsZero() {
		t.Errorf("dates are %v and %v", x.Date, x.SaveDate)
	}
	if x.UIDL == "" || len(x.UIDL) > 70 || x.EmailID == "" {
		t.Errorf("UIDL %q, EMAILID %q", x.UIDL, x.EmailID)
	}
	// A keyword keeps the case in which the mailbox saw it first.
	uid, err = m.Append(context.Background(), message(text(1)), []string{"jUNK"}, day)
	if y := entry(t, m, uid); err != nil || !slices.Equal(y.Flags, []string{"Junk"}) || y.UIDL == x.UIDL || y.EmailID == x.EmailID || y.ModSeq <= x.ModSeq {
		t.Errorf("the second message is %+v after %+v, %v", y, x, err)
	}
	if s = m.Snapshot(); s.UIDNext != 3 || s.HighestModSeq != entry(t, m, 2).ModSeq {
		t.Errorf("UIDNEXT %d, HIGHESTMODSEQ %d", s.UIDNext, s.HighestModSeq)
	}
}

func testFlags(t *testing.T, e *Engine) {
	m := box(t, e.bob(t), "INBOX")
	fill(t, m, 3)
	steps := []struct {
		op    imapstore.FlagOp
		flags []string
		want  []string
	}{
		{imapstore.FlagsAdd, []string{`\seen`, "$Work"}, []string{"$Work", `\Seen`}},
		{imapstore.FlagsAdd, []string{`\Flagged`, "$WORK"}, []string{"$Work", `\Flagged`, `\Seen`}},
		{imapstore.FlagsRemove, []string{"$work", `\Draft`}, []string{`\Flagged`, `\Seen`}},
		{imapstore.FlagsReplace, []string{`\Answered`}, []string{`\Answered`}},
		{imapstore.FlagsReplace, nil, nil},
	}
	for _, st := range steps {
		before := m.Snapshot().HighestModSeq
		mod, err := m.Store(context.Background(), []imapstore.UID{3, 1, 99, 1}, st.op, st.flags, 0)
		if err != nil || len(mod) != 0 {
			t.Fatalf("Store: %v, %v", mod, err)
		}
		s := m.Snapshot()
		a, b, c := s.Messages[0], s.Messages[1], s.Messages[2]
		if !slices.Equal(a.Flags, st.want) || !slices.Equal(c.Flags, st.want) || len(b.Flags) != 0 {
			t.Fatalf("after %v %q the flags are %q, %q, %q", st.op, st.flags, a.Flags, b.Flags, c.Flags)
		}
		if a.ModSeq <= before || a.ModSeq != c.ModSeq || s.HighestModSeq != a.ModSeq || b.ModSeq >= a.ModSeq {
			t.Fatalf("mod-sequences %d %d %d, highest %d, before %d", a.ModSeq, b.ModSeq, c.ModSeq, s.HighestModSeq, before)
		}
	}
	before := m.Snapshot()
	if _, err := m.Store(context.Background(), []imapstore.UID{1}, imapstore.FlagsRemove, []string{"$none"}, 0); err != nil {
		t.Fatal(err)
	}
	if m.Snapshot() != before {
		t.Error("a STORE that changes nothing made a new snapshot")
	}
}

func testUnchangedSince(t *testing.T, e *Engine) {
	m := box(t, e.bob(t), "INBOX")
	fill(t, m, 3)
	since := m.Snapshot().HighestModSeq
	if _, err := m.Store(context.Background(), []imapstore.UID{2}, imapstore.FlagsAdd, []string{`\Seen`}, 0); err != nil {
		t.Fatal(err)
	}
	mod, err := m.Store(context.Background(), []imapstore.UID{1, 2, 3}, imapstore.FlagsAdd, []string{`\Flagged`}, since)
	if err != nil || !slices.Equal(mod, []imapstore.UID{2}) {
		t.Fatalf("modified are %v, %v; want 2", mod, err)
	}
	if entry(t, m, 2).Has(`\Flagged`) || !entry(t, m, 1).Has(`\flagged`) || !entry(t, m, 3).Has(`\Flagged`) {
		t.Error("UNCHANGEDSINCE changed the wrong messages")
	}
}

func testExpunge(t *testing.T, e *Engine) {
	a := e.bob(t)
	m := box(t, a, "INBOX")
	fill(t, m, 5)
	if err := m.Expunge(context.Background(), []imapstore.UID{4, 2, 77, 2}); err != nil {
		t.Fatal(err)
	}
	wantUIDs(t, m, 1, 3, 5)
	s := m.Snapshot()
	if len(s.Expunged) != 2 || s.Expunged[0].UID != 2 || s.Expunged[1].UID != 4 || s.Expunged[0].ModSeq != s.HighestModSeq || s.ExpungedAbove >= s.HighestModSeq {
		t.Errorf("tombstones %v above %d, HIGHESTMODSEQ %d", s.Expunged, s.ExpungedAbove, s.HighestModSeq)
	}
	if err := m.Expunge(context.Background(), []imapstore.UID{5, 1, 3}); err != nil {
		t.Fatal(err)
	}
	if bytes, n, _ := a.Usage(); bytes != 0 || n != 0 {
		t.Errorf("an empty account holds %d octets in %d messages", bytes, n)
	}
	// RFC 9051 section 2.3.1.1: the UID of a message that went is not given again,
	// after a restart neither.
	e.reopen()
	m = box(t, e.account(t, "bob@example.com"), "INBOX")
	if uids := fill(t, m, 1); uids[0] != 6 {
		t.Errorf("the next UID is %d, want 6", uids[0])
	}
}

func testCopyMove(t *testing.T, e *Engine) {
	ctx := context.Background()
	a := e.bob(t)
	in, junk := box(t, a, "INBOX"), box(t, a, "Junk")
	fill(t, in, 3, `\Seen`)
	fill(t, junk, 1)
	done, err := in.Copy(ctx, []imapstore.UID{3, 1, 50}, "Junk")
	if err != nil || done.UIDValidity != junk.Snapshot().UIDValidity || !slices.Equal(done.From, []imapstore.UID{1, 3}) || !slices.Equal(done.To, []imapstore.UID{2, 3}) {
		t.Fatalf("Copy: %+v, %v", done, err)
	}
	src, dst := entry(t, in, 3), entry(t, junk, 3)
	if dst.EmailID != src.EmailID || dst.UIDL == src.UIDL || !dst.Has(`\Seen`) || !dst.Date.Equal(src.Date) || octets(t, dst.Message) != octets(t, src.Message) {
		t.Errorf("the copy %+v differs from %+v", dst, src)
	}
	bytes, n, _ := a.Usage()
	if done, err = in.Move(ctx, []imapstore.UID{1, 2}, "Junk"); err != nil || !slices.Equal(done.To, []imapstore.UID{4, 5}) {
		t.Fatalf("Move: %+v, %v", done, err)
	}
	wantUIDs(t, in, 3)
	wantUIDs(t, junk, 1, 2, 3, 4, 5)
	if b2, n2, _ := a.Usage(); b2 != bytes || n2 != n {
		t.Errorf("a move changed the usage from %d, %d to %d, %d", bytes, n, b2, n2)
	}
	if done, err = in.Move(ctx, []imapstore.UID{3}, "INBOX"); err != nil || !slices.Equal(done.To, []imapstore.UID{4}) {
		t.Fatalf("Move to itself: %+v, %v", done, err)
	}
	wantUIDs(t, in, 4)
	if _, err = in.Copy(ctx, []imapstore.UID{4}, "nowhere"); !errors.Is(err, imapstore.ErrNoMailbox) {
		t.Errorf("Copy to nowhere: %v", err)
	}
	// The octets live as long as one copy does.
	want := octets(t, entry(t, junk, 5).Message)
	if err := in.Expunge(ctx, uidsOf(in.Snapshot())); err != nil {
		t.Fatal(err)
	}
	if err := junk.Expunge(ctx, []imapstore.UID{1, 2, 3, 4}); err != nil {
		t.Fatal(err)
	}
	if got := octets(t, entry(t, junk, 5).Message); got != want {
		t.Errorf("the last copy has %q, want %q", got, want)
	}
}

func testSnapshots(t *testing.T, e *Engine) {
	ctx := context.Background()
	m := box(t, e.bob(t), "INBOX")
	fill(t, m, 4)
	s := m.Snapshot()
	before := slices.Clone(s.Messages)
	if s2 := m.Snapshot(); s2 != s {
		t.Error("two snapshots with nothing between them differ")
	}
	fill(t, m, 2)
	if _, err := m.Store(ctx, []imapstore.UID{1}, imapstore.FlagsAdd, []string{`\Seen`}, 0); err != nil {
		t.Fatal(err)
	}
	if err := m.Expunge(ctx, []imapstore.UID{2}); err != nil {
		t.Fatal(err)
	}
	fill(t, m, 1)
	if !slices.Equal(s.Messages, before) || len(s.Messages[0].Flags) != 0 || len(s.Expunged) != 0 || s.UIDNext != 5 {
		t.Errorf("a snapshot has changed: %+v", s)
	}
	wantUIDs(t, m, 1, 3, 4, 5, 6, 7)
}

func testChanged(t *testing.T, e *Engine) {
	ctx := context.Background()
	a := e.bob(t)
	m := box(t, a, "INBOX")
	open := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return false
		default:
			return true
		}
	}
	old := m.Snapshot()
	steps := map[string]func() error{
		"append": func() error { _, err := m.Append(ctx, message(text(1)), nil, time.Time{}); return err },
		"flags": func() error {
			_, err := m.Store(ctx, uidsOf(m.Snapshot()), imapstore.FlagsAdd, []string{"x"}, 0)
			return err
		},
		"expunge": func() error { return m.Expunge(ctx, uidsOf(m.Snapshot())) },
		"deliver": func() error { return deliver(e, message(text(2)), rcpt("bob@example.com", ""))[0] },
	}
	for _, name := range []string{"append", "flags", "expunge", "deliver"} {
		s := m.Snapshot()
		c := m.Changed(s)
		if !open(c) {
			t.Fatalf("%s: changed before it was", name)
		}
		if err := steps[name](); err != nil {
			t.Fatal(name, err)
		}
		if open(c) || open(m.Changed(s)) {
			t.Errorf("%s: nobody was told", name)
		}
	}
	if open(m.Changed(old)) {
		t.Error("an old snapshot counts as new")
	}
	junk := box(t, a, "Junk")
	fill(t, junk, 1)
	c := junk.Changed(junk.Snapshot())
	if err := a.DeleteMailbox(ctx, "Junk"); err != nil {
		t.Fatal(err)
	}
	if s := junk.Snapshot(); open(c) || len(s.Messages) != 0 || len(s.Expunged) != 1 || !open(junk.Changed(s)) {
		t.Errorf("a deleted mailbox is %+v", s)
	}
	if _, err := junk.Append(ctx, message(text(1)), nil, day); !errors.Is(err, imapstore.ErrNoMailbox) {
		t.Errorf("Append to a deleted mailbox: %v", err)
	}
}
