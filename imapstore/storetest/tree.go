package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/forepost/forepost/imapstore"
)

func testTree(t *testing.T, e *Engine) {
	ctx := context.Background()
	a := e.bob(t)
	for _, n := range []string{"Drafts", "Junk", "Sent", "Trash"} {
		if err := a.DeleteMailbox(ctx, n); err != nil {
			t.Fatal(err)
		}
	}
	steps := []struct {
		do   func(ctx context.Context, a, b string) error
		x, y string
		err  error
		want []string // the names after it, nil for as before
	}{
		{a.CreateMailbox, "a/b/c/", "", nil, []string{"INBOX", "a", "a/b", "a/b/c"}},
		{a.CreateMailbox, "a", "", imapstore.ErrExists, nil},
		{a.CreateMailbox, "inBOX", "", imapstore.ErrExists, nil},
		{a.CreateMailbox, "a//b", "", imapstore.ErrName, nil},
		{a.CreateMailbox, "", "", imapstore.ErrName, nil},
		{a.CreateMailbox, "x\ny", "", imapstore.ErrName, nil},
		{a.CreateMailbox, "\xff", "", imapstore.ErrName, nil},
		{a.CreateMailbox, "a-z", "", nil, []string{"INBOX", "a", "a/b", "a/b/c", "a-z"}}, // children come right after their parent
		{a.CreateMailbox, "inbox/sub", "", nil, []string{"INBOX", "INBOX/sub", "a", "a/b", "a/b/c", "a-z"}},
		{a.RenameMailbox, "a/b", "z/y/x", nil, []string{"INBOX", "INBOX/sub", "a", "a-z", "z", "z/y", "z/y/x", "z/y/x/c"}},
		{a.RenameMailbox, "z", "a", imapstore.ErrExists, nil},
		{a.RenameMailbox, "z", "z/y/q", imapstore.ErrName, nil}, // into itself
		{a.RenameMailbox, "none", "b", imapstore.ErrNoMailbox, nil},
		{a.RenameMailbox, "a", "INBOX", imapstore.ErrExists, nil},
		{a.RenameMailbox, "z", "a/z", nil, []string{"INBOX", "INBOX/sub", "a", "a/z", "a/z/y", "a/z/y/x", "a/z/y/x/c", "a-z"}},
	}
	for i, st := range steps {
		before := names(a)
		if err := st.do(ctx, st.x, st.y); !errors.Is(err, st.err) {
			t.Fatalf("step %d, %q %q: %v, want %v", i, st.x, st.y, err, st.err)
		}
		if st.want == nil {
			st.want = before
		}
		if got := names(a); !slices.Equal(got, st.want) {
			t.Fatalf("step %d, %q %q: the mailboxes are %q, want %q", i, st.x, st.y, got, st.want)
		}
	}
	want := names(a)
	e.reopen()
	if got := names(e.account(t, "bob@example.com")); !slices.Equal(got, want) {
		t.Errorf("after a restart there are %q, want %q", got, want)
	}
	for _, i := range e.account(t, "bob@example.com").Mailboxes() {
		if i.HasChildren != slices.Contains([]string{"INBOX", "a", "a/z", "a/z/y", "a/z/y/x"}, i.Name) {
			t.Errorf("%+v", i)
		}
	}
}

func testDeleteParent(t *testing.T, e *Engine) {
	ctx := context.Background()
	a := e.bob(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(a.CreateMailbox(ctx, "p/q/r", ""))
	old := box(t, a, "p/q")
	fill(t, old, 2)
	validity := old.Snapshot().UIDValidity
	must(a.DeleteMailbox(ctx, "p/q"))
	if _, err := a.Mailbox("p/q"); !errors.Is(err, imapstore.ErrNoMailbox) {
		t.Errorf("a level can be opened: %v", err)
	}
	if !slices.Contains(names(a), "p/q (level)") {
		t.Errorf("the level is lost: %q", names(a))
	}
	if err := a.DeleteMailbox(ctx, "p/q"); !errors.Is(err, imapstore.ErrName) {
		t.Errorf("deleting a level with something below: %v", err)
	}
	if err := a.DeleteMailbox(ctx, "INBOX"); !errors.Is(err, imapstore.ErrName) {
		t.Errorf("deleting INBOX: %v", err)
	}
	must(a.CreateMailbox(ctx, "p/q", ""))
	if s := box(t, a, "p/q").Snapshot(); len(s.Messages) != 0 || s.UIDValidity <= validity {
		t.Errorf("a level that became a mailbox again is %+v, before it was of %d", s, validity)
	}
	must(a.DeleteMailbox(ctx, "p/q"))
	must(a.DeleteMailbox(ctx, "p/q/r")) // and the level goes with it
	if got := names(a); slices.Contains(got, "p/q (level)") || !slices.Contains(got, "p") {
		t.Errorf("there are %q", got)
	}
	e.reopen()
	if got := names(e.account(t, "bob@example.com")); slices.Contains(got, "p/q (level)") {
		t.Errorf("after a restart there are %q", got)
	}
}

func testRenameInbox(t *testing.T, e *Engine) {
	ctx := context.Background()
	a := e.bob(t)
	in := box(t, a, "INBOX")
	fill(t, in, 3, `\Seen`)
	if err := a.RenameMailbox(ctx, "inbox", "old/mail"); err != nil {
		t.Fatal(err)
	}
	wantUIDs(t, in)
	moved := box(t, a, "old/mail")
	wantUIDs(t, moved, 1, 2, 3)
	if !entry(t, moved, 2).Has(`\Seen`) || in.Name() != "INBOX" {
		t.Error("flags or the name of INBOX were lost")
	}
	if uids := fill(t, in, 1); uids[0] != 4 {
		t.Errorf("INBOX gives UID %d again", uids[0])
	}
}

func testSubscriptions(t *testing.T, e *Engine) {
	ctx := context.Background()
	a := e.bob(t)
	for _, n := range []string{"not/there", "Sent"} {
		if err := a.Subscribe(ctx, n, true); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []string{"Junk", "Junk", "never"} {
		if err := a.Subscribe(ctx, n, false); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"INBOX", "Drafts", "Sent", "Trash", "not/there"}
	if got := a.Subscriptions(); !slices.Equal(got, want) {
		t.Errorf("subscribed to %q, want %q", got, want)
	}
	e.reopen()
	if got := e.account(t, "bob@example.com").Subscriptions(); !slices.Equal(got, want) {
		t.Errorf("after a restart subscribed to %q, want %q", got, want)
	}
}

func testUIDValidity(t *testing.T, e *Engine) {
	ctx := context.Background()
	a := e.bob(t)
	seen := map[uint32]bool{}
	var last uint32
	for range 3 {
		for range 3 {
			if err := a.CreateMailbox(ctx, "x", ""); err != nil {
				t.Fatal(err)
			}
			v := box(t, a, "x").Snapshot().UIDValidity
			if v <= last || seen[v] {
				t.Fatalf("UIDVALIDITY %d comes after %d", v, last)
			}
			last, seen[v] = v, true
			if err := a.DeleteMailbox(ctx, "x"); err != nil {
				t.Fatal(err)
			}
		}
		e.reopen()
		a = e.account(t, "bob@example.com")
	}
	if err := e.Store.Remove(ctx, "bob@example.com"); err != nil {
		t.Fatal(err)
	}
	if v := box(t, e.bob(t), "INBOX").Snapshot().UIDValidity; v <= last {
		t.Errorf("the account made anew begins at %d, after %d", v, last)
	}
}
