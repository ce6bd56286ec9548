package text

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/meter/metertest"
	"github.com/forepost/forepost/relay/mime"
)

func of(t *testing.T, msg string) *Text {
	t.Helper()
	blob := mail.Bytes(strings.ReplaceAll(msg, "\n", "\r\n"))
	p, err := mime.Parse(blob, mime.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	x, err := Of(p, &mail.Message{Blob: blob})
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := Of(p, nil); again != nil {
		t.Error("a message that is none has a text")
	}
	if again, _ := Of(p, &mail.Message{Blob: blob}); again != x {
		t.Error("the text was decoded twice")
	}
	return x
}

func TestOfDecodesPartsAndHTML(t *testing.T) {
	x := of(t, `Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

K=E4se: see http://a.test/x.
--b
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

PHA+V288Yj5ybDwvYj5kPC9wPjxzY3JpcHQ+ZXZpbDwvc2NyaXB0PjxhIGhyZWY9Imh0dHBzOi8vYi50ZXN0L3kiPmdvPC9hPg==
--b--
`)
	if x.Subject.Raw != "Gr\u00fc\u00dfe" || x.Subject.Folded() != "gr\u00fcsse" {
		t.Errorf("subject %q, folded %q", x.Subject.Raw, x.Subject.Folded())
	}
	for _, want := range []string{"k\u00e4se:", "world go"} {
		if !strings.Contains(x.Body.Folded(), want) {
			t.Errorf("%q is not in %q", want, x.Body.Folded())
		}
	}
	if strings.Contains(x.Body.Raw, "evil") || !strings.Contains(x.HTML.Raw, "evil") {
		t.Error("a script is read by nobody, but stands in the source")
	}
	if want := []string{"http://a.test/x", "https://b.test/y"}; !slices.Equal(x.Links, want) {
		t.Errorf("links %q, want %q", x.Links, want)
	}
}

func TestTheCacheGoesWithItsMessage(t *testing.T) {
	size := func() (n int) {
		texts.Range(func(any, any) bool { n++; return true })
		return n
	}
	before := size()
	for range 100 {
		of(t, "Subject: x\n\nHi\n")
	}
	for deadline := time.Now().Add(5 * time.Second); size() > before && time.Now().Before(deadline); {
		runtime.GC()
		runtime.Gosched()
	}
	if n := size(); n > before {
		t.Errorf("%d texts are kept of messages that are gone", n-before)
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"  Free \t\r\n Money ":     "free money",
		"V\u200bI\u00adAGRA":       "viagra", // zero width space, soft hyphen
		"\uff26\uff32\uff25\uff25": "free",   // full width
		"STRASSE stra\u00dfe":      "strasse strasse",
		"a\u00a0b":                 "a b",
		"\u0391\u03a3":             "\u03b1\u03c3", // final sigma or not is one
		"x\x00y\x07":               "xy",
		"":                         "",
	} {
		if got := Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestLinks(t *testing.T) {
	for in, want := range map[string][]string{
		"see (http://a.test/b_(c)).":                        {"http://a.test/b_(c)"},
		"<https://a.test/?q=1&r=2>":                         {"https://a.test/?q=1&r=2"},
		"go to www.a.test, now; WWW.B.test!":                {"www.a.test", "WWW.B.test"},
		"http://www.a.test/x":                               {"http://www.a.test/x"}, // once, not twice
		"httphttphttp://a.test":                             {"httphttp://a.test"},   // the scheme is cut at eight
		"hxxp://a.test ftp://b.test":                        {"hxxp://a.test", "ftp://b.test"},
		"://a.test and x://":                                nil,
		"http://a.test http://a.test":                       {"http://a.test"},
		"a@www.b.test wwww.c.test xwww.d.test":              nil,
		"http://user@a.test:80/\u00e4 http://[2001:db8::1]": {"http://user@a.test:80/\u00e4", "http://[2001:db8::1"},
		"": nil,
	} {
		if got := Links(in); !slices.Equal(got, want) {
			t.Errorf("Links(%q) = %q, want %q", in, got, want)
		}
	}
}

// Text that is made to be searched again and again takes its length in time:
// what is quadratic would take minutes.
func TestHostileTextTakesLinearTime(t *testing.T) {
	for name, s := range map[string]string{
		"marks without URLs": strings.Repeat("://", maxText/3),
		"www without dots":   strings.Repeat("w", maxText),
		"closing brackets":   "http://a" + strings.Repeat(")", maxText),
		"many URLs":          strings.Repeat("www.a ", maxText/6),
	} {
		if took := metertest.CPU(t, func() { Links(s) }); took > 10*time.Second {
			t.Errorf("%s: %v of processor time", name, took)
		}
	}
	for name, s := range map[string]string{
		"nested tags": strings.Repeat("<div>", maxText/5),
		"attributes":  "<a " + strings.Repeat("href=x ", maxText/7) + ">",
		"open tags":   strings.Repeat("<", maxText),
		"comments":    strings.Repeat("<!--", maxText/4),
		"raw text":    strings.Repeat("<script>", maxText/8),
	} {
		if took := metertest.CPU(t, func() { FromHTML(s) }); took > 10*time.Second {
			t.Errorf("%s: %v of processor time", name, took)
		}
	}
}

func FuzzLinks(f *testing.F) {
	f.Add("see http://a.test/ and www.b.test.")
	if dir := os.Getenv("FOREPOST_SUITES"); dir != "" {
		files, _ := filepath.Glob(filepath.Join(dir, "mime-enmime", "*", "*"))
		for _, name := range files {
			if b, err := os.ReadFile(name); err == nil && len(b) < 1<<16 {
				f.Add(string(b))
			}
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, u := range Links(s) {
			if len(u) > maxLink || strings.ContainsAny(u, " \r\n<>\"") {
				t.Errorf("%q is no URL", u)
			}
		}
		FromHTML(s)
		if f := Fold(s); strings.Contains(f, "  ") || strings.ContainsAny(f, "ABCXYZ\r\n\x00") {
			t.Errorf("Fold(%q) = %q", s, f)
		}
	})
}
