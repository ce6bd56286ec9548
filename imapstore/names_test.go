package imapstore

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/mail"
)

func TestCleanName(t *testing.T) {
	for in, want := range map[string]string{
		"inbox":                    "INBOX",
		"iNbOx/":                   "INBOX",
		"inbox/Sub/inbox":          "INBOX/Sub/inbox", // only the first level is INBOX
		"inboxes":                  "inboxes",
		"a/b/":                     "a/b",
		" a b ":                    " a b ",
		"a\u0308":                  "ä", // one form (RFC 5198)
		"日本":                       "日本",
		"*%&":                      "*%&",
		"":                         "",
		"/":                        "",
		"/a":                       "",
		"a//b":                     "",
		"a\x00":                    "",
		"a\r\nb":                   "",
		"a\u2028b":                 "",
		"\xff":                     "",
		"a\ufffdb":                 "",
		strings.Repeat("x", 1001):  "",
		strings.Repeat("x/", 40):   "",
		strings.Repeat("x", 1000):  strings.Repeat("x", 1000),
		strings.Repeat("x/", 31):   strings.TrimSuffix(strings.Repeat("x/", 31), "/"),
		"a\x7fb":                   "",
		"Lists/golang-nuts@x.test": "Lists/golang-nuts@x.test",
	} {
		got, err := CleanName(in)
		if got != want || (err != nil) != (want == "") || err != nil && !errors.Is(err, ErrName) {
			t.Errorf("%.40q became %.40q, %v; want %.40q", in, got, err, want)
		}
	}
	if got := Parents("a/b/c"); !slices.Equal(got, []string{"a", "a/b"}) || Parents("a") != nil {
		t.Errorf("Parents: %q", got)
	}
}

// TestQuarantineNote: who was to have a message, and whether it came under REQUIRETLS,
// is read as it was written, whatever stands in an address.
func TestQuarantineNote(t *testing.T) {
	const id = mail.ID("4bQz7K2MwXc9T")
	for _, to := range []string{"bob@local.test", `"x> under REQUIRETLS"@local.test`, `"> for <"@local.test`} {
		for _, require := range []bool{true, false} {
			f := QuarantineField(id, mail.Recipient{Address: mail.MustParseAddress(to)}, require)
			got, a, under, ok := Quarantined([]mail.Field{{Name: "Return-Path", Value: "<>"}, f})
			if got != id || a.String() != to || under != require || !ok {
				t.Errorf("%q is read as %s %s %v %v", f.Value, got, a, under, ok)
			}
		}
	}
}

func TestQuarantineAddress(t *testing.T) {
	a := QuarantineAddress("Spam")
	if back, err := mail.ParseAddress(a.String(), false); err != nil || back != a {
		t.Errorf("the address %s does not survive the queue: %v, %v", a, back, err)
	}
	for in, want := range map[mail.Address]string{
		a:                                        "quarantine/spam",
		mail.MustParseAddress("bob@example.com"): "",
		mail.MustParseAddress("x@sub.quarantine.invalid"): "",
		{}:                              "",
		{Domain: "quarantine.invalid"}:  "",
		QuarantineAddress("two words."): "quarantine/two words.",
	} {
		if got, ok := QuarantineAccount(in); got != want || ok != (want != "") {
			t.Errorf("%s is %q, %v; want %q", in, got, ok, want)
		}
	}
}

func TestFlags(t *testing.T) {
	if f, ok := SystemFlag(`\sEEN`); !ok || f != Seen {
		t.Errorf("SystemFlag: %q, %v", f, ok)
	}
	for _, f := range []string{`\Recent`, "Seen", "", `\`} {
		if _, ok := SystemFlag(f); ok {
			t.Errorf("%q is a system flag", f)
		}
	}
	e := &Entry{Flags: []string{"$Junk", Seen}}
	if !e.Has("$JUNK") || !e.Has(`\seen`) || e.Has("Junk") {
		t.Error("Has is wrong")
	}
}

func TestFind(t *testing.T) {
	s := &Snapshot{Messages: []*Entry{{UID: 2}, {UID: 5}, {UID: 4294967295}}}
	for uid, want := range map[UID]int{1: -1, 2: 0, 3: -1, 5: 1, 6: -1, 4294967295: 2} {
		if i, ok := s.Find(uid); ok != (want >= 0) || ok && i != want {
			t.Errorf("UID %d is at %d, %v; want %d", uid, i, ok, want)
		}
	}
}
