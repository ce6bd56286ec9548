package mime

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/meter/metertest"
)

// Tests that carry the name of a line of threats ("Content"). What a filter makes
// of them stands with the filter (filters/attachment).

// TestBoundaryAmbiguity is the line MIME boundary ambiguity (amavis
// CVE-2024-28054, Cisco CVE-2025-20153): where readers would see different parts
// it is told, however the second boundary hides.
func TestBoundaryAmbiguity(t *testing.T) {
	body := "\n--a\n\none\n--b\n\ntwo\n--a--\n--b--\n"
	for _, typ := range []string{
		"boundary=a; boundary=b", "boundary=b; boundary=\"a\"", "boundary=\"a\"; BOUNDARY=b", "boundary*=us-ascii''a; boundary=b",
		"boundary*0=a; boundary=b", "boundary*0=a; boundary*1=b", "boundary=a (b); boundary=b",
	} {
		p := parseWhole(crlf(from + "Content-Type: multipart/mixed; " + typ + "\n" + body))
		if !p.Has(DefectAmbiguousBoundary) {
			t.Errorf("%s: %s, %v", typ, shape(p), p.Defects)
		}
	}
	nested := from + "Content-Type: multipart/mixed; boundary=%s\n\n--%[1]s\nContent-Type: multipart/mixed; boundary=%s\n\n--%[2]s\n\none\n--%[2]s--\n--%[1]s--\n"
	for _, pair := range [][2]string{{"a", "ab"}, {"ab", "a"}, {"a", "a"}, {"a", "a--"}} {
		if p := parseWhole(crlf(fmt.Sprintf(nested, pair[0], pair[1]))); !p.Has(DefectAmbiguousBoundary) {
			t.Errorf("%q: %s, %v", pair, shape(p), p.Defects)
		}
	}
	two := from + "Content-Type: multipart/mixed; boundary=a\nContent-Type: multipart/mixed; boundary=b\n" + body
	if p := parseWhole(crlf(two)); !p.Has(DefectDuplicateType) {
		t.Errorf("two Content-Types: %v", p.Defects)
	}
}

// TestFileNameAmbiguity is the line Filename ambiguity (Exim CVE-2024-39929): the
// name that a reader might show is always among the names, whatever hides it, so
// that a rule about names meets it.
func TestFileNameAmbiguity(t *testing.T) {
	for _, c := range []struct{ fields, want string }{
		{"Content-Disposition: attachment; filename*1=exe; filename*0=\"a.\"", "a.exe"},
		{"Content-Disposition: attachment; filename*0*=utf-8''a%2E; filename*1*=e%78e", "a.exe"},
		{"Content-Disposition: attachment; filename*0*=koi8-r''%C1.; filename*1=exe", "\u0430.exe"},
		{"Content-Disposition: attachment; filename=a.txt; filename*=utf-8''a.exe", "a.exe"},
		{"Content-Disposition: attachment; filename*=utf-8''a.txt; filename=a.exe", "a.exe"},
		{"Content-Type: x/y; name=a.exe\nContent-Disposition: attachment; filename=a.txt", "a.exe"},
		{"Content-Type: x/y; name=a.txt\nContent-Disposition: attachment; filename=a.exe", "a.exe"},
		{"Content-Disposition: attachment; filename=\"=?utf-8?b?YS5leGU=?=\"", "a.exe"},
		{"Content-Disposition: attachment; filename=\"a.exe.\"", "a.exe."},
		{"Content-Disposition: attachment; filename=\"a.exe \"", "a.exe "},
		{"Content-Disposition: attachment; filename=a.exe (x)", "a.exe"},
		{"Content-Disposition: attachment; filename=\"a\\.exe\"", "a.exe"},
		{"Content-Disposition: attachment; filename=\"gpj\u202eexe.a\"", "gpj\u202eexe.a"},
	} {
		p := parseWhole(crlf(from + c.fields + "\n\n"))
		if !slices.ContainsFunc(p.Names, func(n string) bool { return strings.TrimRight(n, " ") == strings.TrimRight(c.want, " ") }) {
			t.Errorf("%s: %q, want %q among them", c.fields, p.Names, c.want)
		}
	}
}

// TestNesting is the line Nesting / recursion (rspamd 2026, Stalwart
// CVE-2026-26312): a hundred thousand multiparts or messages in each other are
// cut at the depth limit, which is told.
func TestNesting(t *testing.T) {
	for _, name := range []string{"nested multiparts", "nested messages", "one boundary for all"} {
		msg := []byte(bombs[name](100_000))
		var p *Part
		took := metertest.Least(t, time.Second, 3, func() { p = parseWhole(msg) })
		if depth(p) > defaultDepth || !p.Has(DefectLimit) || took > time.Second {
			t.Errorf("%s: %d deep, %v, in %v", name, depth(p), p.Defects, took)
		}
		t.Logf("%s: %v of processor time", name, took)
	}
}

// TestHeaderBombs is the line Header bombs (Dovecot CVE-2024-23184, Go
// CVE-2026-42499, -39820, -42504, CVE-2025-61725, CVE-2023-24534): the header is
// kept to its limits and read in little time.
func TestHeaderBombs(t *testing.T) {
	limit := 500 * time.Millisecond // a tenth of it where nothing else runs
	if testing.Short() {
		limit *= 10 // so runs are asked for under the race detector
	}
	for name, msg := range map[string]string{
		"500,000 To fields":       strings.Repeat("To: a@b.test\r\n", 500_000) + "\r\n",
		"500,000 addresses":       "To: " + strings.Repeat("a@b.test,", 500_000) + "\r\n\r\n",
		"a phrase of 1 MB":        "From: " + strings.Repeat("word ", 200_000) + "<a@b.test>\r\n\r\n",
		"1 MB of comments":        "From: " + strings.Repeat("(", 1<<20) + "\r\n\r\n",
		"closed comments":         "From: " + strings.Repeat("(", 1<<19) + strings.Repeat(")", 1<<19) + " a@b.test\r\n\r\n",
		"100,000 broken words":    "Subject: " + strings.Repeat("=?utf-8?q?x", 100_000) + "\r\n\r\n",
		"100,000 words":           "Subject: " + strings.Repeat("=?utf-8?q?x?= ", 70_000) + "\r\n\r\n",
		"1 MB of parameters":      "Content-Type: a/b" + strings.Repeat("; a=b", 200_000) + "\r\n\r\n",
		"a header of 10 MB":       strings.Repeat("X-Y: "+strings.Repeat("z", 900)+"\r\n", 11_000) + "\r\n",
		"a field of 10 MB folded": "X-Y: " + strings.Repeat("z\r\n ", 2_500_000) + "\r\n\r\n",
	} {
		var p *Part
		took := metertest.Least(t, limit, 3, func() {
			p = parseWhole([]byte(msg))
			for _, f := range p.Fields {
				f.Text()
			}
			for _, f := range append(p.All("From"), p.All("To")...) {
				Mailboxes(f.Raw)
			}
		})
		if took > limit || len(p.Fields) > defaultFields {
			t.Errorf("%s: %v of processor time, %d fields", name, took, len(p.Fields))
		}
		t.Logf("%s: %v of processor time", name, took)
	}
}
