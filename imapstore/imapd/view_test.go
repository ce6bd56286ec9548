package imapd

import (
	"slices"
	"testing"

	"github.com/forepost/forepost/imapstore"
	"pgregory.net/rapid"
)

func snapshotOf(uids []int) *imapstore.Snapshot {
	s := &imapstore.Snapshot{}
	for _, u := range uids {
		s.Messages = append(s.Messages, &imapstore.Entry{UID: imapstore.UID(u)})
	}
	return s
}

// client keeps the numbering as a client does, from what it is told.
type client struct{ uids []imapstore.UID }

func (c *client) hear(t *rapid.T, d delta, next *imapstore.Snapshot) {
	for _, n := range d.gone {
		if n < 1 || int(n) > len(c.uids) {
			t.Fatalf("EXPUNGE %d of %d messages", n, len(c.uids))
		}
		c.uids = slices.Delete(c.uids, int(n)-1, int(n))
	}
	if len(next.Messages) > len(c.uids) {
		if !d.exists {
			t.Fatal("new messages and no EXISTS")
		}
		for _, e := range next.Messages[len(c.uids):] {
			c.uids = append(c.uids, e.UID)
		}
	}
	for i, e := range next.Messages {
		if c.uids[i] != e.UID {
			t.Fatalf("number %d is UID %d for the client, %d for us", i+1, c.uids[i], e.UID)
		}
	}
}

// Whatever happens to a mailbox, a client that hears only what merge tells, with
// EXPUNGE now and then, has the same numbering as the view, and in the end the
// store's.
func TestMergeKeepsStep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		next := 5
		cur := snapshotOf([]int{1, 2, 3, 4})
		view := cur
		c := &client{uids: []imapstore.UID{1, 2, 3, 4}}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			messages := slices.Clone(cur.Messages)
			for range rapid.IntRange(0, 3).Draw(t, "gone") {
				if n := len(messages); n > 0 {
					i := rapid.IntRange(0, n-1).Draw(t, "which")
					messages = slices.Delete(messages, i, i+1)
				}
			}
			if n := len(messages); n > 0 && rapid.Bool().Draw(t, "flag") {
				e := *messages[n-1]
				e.Flags = []string{`\Seen`}
				messages[n-1] = &e
			}
			for range rapid.IntRange(0, 3).Draw(t, "new") {
				messages = append(messages, &imapstore.Entry{UID: imapstore.UID(next)})
				next++
			}
			cur = &imapstore.Snapshot{Messages: messages}
			expunge := rapid.Bool().Draw(t, "expunge")
			after, d := merge(view, cur, expunge)
			if !expunge && len(d.gone) > 0 {
				t.Fatal("EXPUNGE where it may not be")
			}
			view = after
			c.hear(t, d, view)
		}
		last, d := merge(view, cur, true)
		if c.hear(t, d, last); !slices.Equal(last.Messages, cur.Messages) {
			t.Fatal("the view does not come to be the store's")
		}
	})
}

func TestMergeTellsChanges(t *testing.T) {
	old := snapshotOf([]int{1, 2, 3})
	seen := *old.Messages[2]
	seen.Flags = []string{`\Seen`}
	next, d := merge(old, &imapstore.Snapshot{Messages: []*imapstore.Entry{old.Messages[1], &seen}}, false)
	if len(next.Messages) != 3 || len(d.changed) != 1 || d.changed[0].at != 2 {
		t.Errorf("%+v", d)
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "a/b", true}, {"%", "a/b", false}, {"%/%", "a/b", true}, {"a%", "a", true},
		{"a*b", "a/x/b", true}, {"a%b", "a/b", false}, {"inbox", "INBOX", true}, {"iNb%", "INBOX", true},
		{"work", "Work", false}, {"", "a", false}, {"*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
	} {
		if matches(c.pattern, c.name) != c.want {
			t.Errorf("%q, %q", c.pattern, c.name)
		}
	}
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		why, in string
		want    []address
	}{
		{"plain", "a@b", []address{{local: "a", domain: "b"}}},
		{"a name in quotes", `"X, Y" <a@b>`, []address{{name: "X, Y", local: "a", domain: "b"}}},
		{"a comment is a name", "a@b (X (y))", []address{{name: "X (y)", local: "a", domain: "b"}}},
		{"route", "<@r,@s:a@b>", []address{{route: "@r,@s", local: "a", domain: "b"}}},
		{"group", "g: a@b, c@d;", []address{{kind: groupStart, local: "g"}, {local: "a", domain: "b"}, {local: "c", domain: "d"}, {kind: groupEnd}}},
		{"an open group is closed", "g: a@b", []address{{kind: groupStart, local: "g"}, {local: "a", domain: "b"}, {kind: groupEnd}}},
		{"a quoted local part", `"a b"@c`, []address{{local: "a b", domain: "c"}}},
		{"a domain literal", "a@[IPv6:::1]", []address{{local: "a", domain: "[IPv6:::1]"}}},
		{"encoded words stay", "=?utf-8?q?=C3=BC?= <a@b>", []address{{name: "=?utf-8?q?=C3=BC?=", local: "a", domain: "b"}}},
		{"no address at all is shown", "nobody", []address{{local: "nobody"}}},
		{"nothing", " , ;", nil},
		{"what does not end", `"abc <`, []address{{local: "abc <"}}},
	} {
		if got := parseAddresses(c.in); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q: %+v", c.why, c.in, got)
		}
	}
}

func TestRawParams(t *testing.T) {
	value, got := rawParams(`Text/Plain (c;omment); Charset="a;\"b" ; name*0*=utf-8''x; bad; =x; y=`)
	want := []rawParam{{"charset", `a;"b`}, {"name*0*", "utf-8''x"}, {"y", ""}}
	if value != "text/plain" || !slices.Equal(got, want) {
		t.Errorf("%q %q", value, got)
	}
}
