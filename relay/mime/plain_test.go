package mime

import (
	"slices"
	"testing"
)

// plainSeeds are headers of which the plain reader takes some.
var plainSeeds = []string{"a@b.test", " Ann B <ann@b.test>", `"Ann, B" <ann@b.test>`, `"Ann B" <ann@b.test>`, "a@b.test, c@d.test", `"a b"@c.test`, "x <a@b.test> y",
	"=?utf-8?q?x?= <a@b.test>", "Ann  B <a@b.test>", `"" <a@b.test>`, "<a@b.test>", "a@b@c <d@e>", "<@r:a@b>", "a @b", "ann@b.test <c@d.test>", `" x " <a@b>`, "a<b@c", "a@b>", "\tx <a@b>", "é <a@b>", `"a"b" <c@d>`, `a "b" <c@d>`, "<a b@c>", "<a@b>\r\n"}

// FuzzPlainMailbox: what the plain reader takes, the reader of lists says, too.
func FuzzPlainMailbox(f *testing.F) {
	for _, s := range plainSeeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		m, plain := plainMailbox(raw)
		if !plain {
			return
		}
		if list, ok := readMailboxes(raw); !ok || !slices.Equal(list, []Mailbox{m}) {
			t.Errorf("%q is %+v, and %+v %v", raw, m, list, ok)
		}
		if text := (Field{Raw: raw}).Text(); text != readText(raw) {
			t.Errorf("%q is %q, and %q", raw, text, readText(raw))
		}
	})
}

// TestPlainMailbox: the forms that nearly all mail has are plain.
func TestPlainMailbox(t *testing.T) {
	for raw, want := range map[string]Mailbox{
		" a@b.test":                  {Address: "a@b.test"},
		" Ann B <ann@b.test>":        {Name: "Ann B", Address: "ann@b.test"},
		` "B, Ann (x)" <ann@b.test>`: {Name: "B, Ann (x)", Address: "ann@b.test"},
		" <ann@b.test>":              {Address: "ann@b.test"},
	} {
		if m, ok := plainMailbox(raw); !ok || m != want {
			t.Errorf("%q is %+v %v", raw, m, ok)
		}
		if n := testing.AllocsPerRun(10, func() { Mailboxes(raw) }); n > 1 {
			t.Errorf("%q costs %v allocations", raw, n)
		}
	}
}
