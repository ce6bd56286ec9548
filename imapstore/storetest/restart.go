package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/forepost/forepost/imapstore"
)

// picture is all that a client can see of a store, as text.
func picture(t *testing.T, s imapstore.Store) string {
	t.Helper()
	var b strings.Builder
	for _, name := range s.Names() {
		a, err := s.Account(name)
		if err != nil {
			t.Fatal(err)
		}
		bytes, n, limit := a.Usage()
		fmt.Fprintf(&b, "account %s %d %d %d %q\n", name, bytes, n, limit, a.Subscriptions())
		for _, i := range a.Mailboxes() {
			fmt.Fprintf(&b, " %+v\n", i)
			if !i.NoSelect {
				pictureBox(t, &b, box(t, a, i.Name).Snapshot())
			}
		}
	}
	return b.String()
}

func pictureBox(t *testing.T, b *strings.Builder, s *imapstore.Snapshot) {
	t.Helper()
	// UIDNEXT and HIGHESTMODSEQ may not go back; they are looked at elsewhere.
	fmt.Fprintf(b, "  %d %d %d %v above %d\n", s.UIDValidity, s.UIDNext, s.HighestModSeq, s.Expunged, s.ExpungedAbove)
	for _, e := range s.Messages {
		fmt.Fprintf(b, "   %d %d %q %s %d %s %s %q\n", e.UID, e.ModSeq, e.Flags, e.Date, e.Size, e.UIDL, e.EmailID, octets(t, e.Message))
	}
}

func testRestart(t *testing.T, e *Engine) {
	ctx := context.Background()
	a := e.bob(t)
	in := box(t, a, "INBOX")
	fill(t, in, 4, `\Flagged`, "$Label")
	if _, err := in.Store(ctx, []imapstore.UID{2}, imapstore.FlagsAdd, []string{`\Seen`}, 0); err != nil {
		t.Fatal(err)
	}
	if err := in.Expunge(ctx, []imapstore.UID{3}); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Move(ctx, []imapstore.UID{4}, "Junk"); err != nil {
		t.Fatal(err)
	}
	want := picture(t, e.Store)
	for range 3 {
		e.reopen()
		if got := picture(t, e.Store); got != want {
			t.Fatalf("after a restart the store is\n%s\nbefore it was\n%s", got, want)
		}
	}
}

// testRestartModel does a long row of random changes and restarts after some:
// what clients see is always the same after as before.
func testRestartModel(t *testing.T, e *Engine) {
	r := rand.New(rand.NewPCG(1, 2))
	e.bob(t)
	for range 40 {
		for range 1 + r.IntN(12) {
			step(t, r, e)
		}
		want := picture(t, e.Store)
		if r.IntN(3) == 0 && e.Compact != nil {
			e.Compact()
		}
		e.reopen()
		if got := picture(t, e.Store); got != want {
			t.Fatalf("after a restart the store is\n%s\nbefore it was\n%s", got, want)
		}
	}
}

// step is one random change that a client could make.
func step(t *testing.T, r *rand.Rand, e *Engine) {
	ctx := context.Background()
	a := e.account(t, "bob@example.com")
	infos := slices.DeleteFunc(a.Mailboxes(), func(i imapstore.Info) bool { return i.NoSelect })
	name := infos[r.IntN(len(infos))].Name
	m := box(t, a, name)
	var some []imapstore.UID
	for _, u := range uidsOf(m.Snapshot()) {
		if r.IntN(3) == 0 {
			some = append(some, u)
		}
	}
	tree := func() string { return []string{"a", "a/b", "a/b/c", "d"}[r.IntN(4)] }
	switch r.IntN(10) {
	case 0, 1, 2:
		fill(t, m, 1+r.IntN(3), `\Seen`)
	case 3:
		deliver(e, message(text(r.IntN(100))), rcpt("bob@example.com", ""), rcpt("carol@example.com", "x"))
	case 4, 5:
		if _, err := m.Store(ctx, some, imapstore.FlagOp(r.IntN(3)), []string{`\Flagged`, "kw"}[:r.IntN(3)], 0); err != nil {
			t.Fatal(err)
		}
	case 6:
		if err := m.Expunge(ctx, some); err != nil {
			t.Fatal(err)
		}
	case 7:
		to := infos[r.IntN(len(infos))].Name
		if _, err := m.Move(ctx, some, to); err != nil {
			t.Fatal(err)
		}
	case 8:
		_ = a.CreateMailbox(ctx, tree(), "") // refusals are part of it
	case 9:
		if r.IntN(2) == 0 {
			_ = a.DeleteMailbox(ctx, tree())
		} else {
			_ = a.RenameMailbox(ctx, tree(), tree())
		}
	}
}

// testCompaction writes much, deletes most and compacts: what lives stays, to
// the octet.
func testCompaction(t *testing.T, e *Engine) {
	if e.Compact == nil {
		t.Skip("this engine has no compaction")
	}
	ctx := context.Background()
	a := e.bob(t)
	in := box(t, a, "INBOX")
	for round := range 6 {
		uids := fill(t, in, 60, "kw")
		if _, err := in.Store(ctx, uids[:30], imapstore.FlagsAdd, []string{`\Seen`}, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := in.Copy(ctx, uids[:2], "Sent"); err != nil {
			t.Fatal(err)
		}
		if err := in.Expunge(ctx, uids[1:]); err != nil {
			t.Fatal(err)
		}
		want := picture(t, e.Store)
		e.Compact()
		if got := picture(t, e.Store); got != want {
			t.Fatalf("round %d: compaction changed\n%s\nto\n%s", round, want, got)
		}
		if round%2 == 1 {
			e.reopen()
			if got := picture(t, e.Store); got != want {
				t.Fatalf("round %d: compaction and a restart changed\n%s\nto\n%s", round, want, got)
			}
			in = box(t, e.account(t, "bob@example.com"), "INBOX")
		}
	}
}
