package canon

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
)

// TestBody: the examples of RFC 6376 section 3.4.5 and the ends of bodies. The
// pieces in which a body comes make no difference.
func TestBody(t *testing.T) {
	for _, c := range []struct{ why, body, simple, relaxed string }{
		{"RFC 6376 section 3.4.5", " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"},
		{"no body (sections 3.4.3 and 3.4.4)", "", "\r\n", ""},
		{"only empty lines", "\r\n\r\n", "\r\n", ""},
		{"only white space", " \t\r\n \r\n", " \t\r\n \r\n", ""},
		{"no line end at the end", "a", "a\r\n", "a\r\n"},
		{"white space at the very end", "a  ", "a  \r\n", "a\r\n"},
		{"empty lines within", "a\r\n\r\n\r\nb", "a\r\n\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n"},
		{"a CR that ends no line", "a\rb\r", "a\rb\r\r\n", "a\rb\r\r\n"},
		{"CRs in a row", "a\r\r\n", "a\r\r\n", "a\r\r\n"},
		{"an LF that ends no line", "a\nb\n", "a\nb\n\r\n", "a\nb\n\r\n"},
		{"white space before a CR that ends no line", "a \rb", "a \rb\r\n", "a \rb\r\n"},
	} {
		for size := 1; size <= len(c.body)+1; size++ {
			if got := through(c.body, false, size); got != c.simple {
				t.Errorf("%s: simple by %d is %q, want %q", c.why, size, got, c.simple)
			}
			if got := through(c.body, true, size); got != c.relaxed {
				t.Errorf("%s: relaxed by %d is %q, want %q", c.why, size, got, c.relaxed)
			}
		}
	}
}

// through passes a body through a Body in pieces.
func through(body string, relaxed bool, size int) string {
	var out bytes.Buffer
	b := NewBody(&out, relaxed)
	for len(body) > size {
		b.Write([]byte(body[:size]))
		body = body[size:]
	}
	b.Write([]byte(body))
	b.Close()
	return out.String()
}

func TestRelaxed(t *testing.T) {
	for _, c := range [][3]string{
		{"A", " X\r\n", "a:X"},
		{"B ", " Y\t\r\n\tZ  \r\n", "b:Y Z"}, // RFC 6376 section 3.4.5
		{"Subject", "", "subject:"},
		{"Subject", " \r\n\t ", "subject:"},
	} {
		if got := Relaxed(c[0], c[1]); got != c[2] {
			t.Errorf("%q, %q: %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

func TestWithoutB(t *testing.T) {
	for in, want := range map[string]string{
		"x:a=1; b=AA BB; bh=CC":    "x:a=1; b=; bh=CC",
		"x:a=1; b = AA":            "x:a=1; b =",
		"x: bb=1; db=2;\r\n\tb=3;": "x: bb=1; db=2;\r\n\tb=;",
		"x:a=b=c":                  "x:a=b=c",
	} {
		if got := WithoutB(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestTags(t *testing.T) {
	for _, bad := range []string{"a", "a=1; a=2", "=1", "1a=1", "a b=1", "a=1; ?=2"} {
		if m, ok := Tags(bad); ok {
			t.Errorf("%q was read as %v", bad, m)
		}
	}
	m, ok := Tags(" a = 1 ;\r\n b_2= x=y ;")
	if !ok || len(m) != 2 || m["a"] != "1" || m["b_2"] != "x=y" {
		t.Errorf("%v, %v", m, ok)
	}
}

// TestKeysOfOddSize: threats.md "DKIM structure flood", key sizes.
func TestKeysOfOddSize(t *testing.T) {
	for record, want := range map[string]string{
		"p=" + strings.Repeat("A", MaxRecord): "too long",
		"p=":                                  "revoked",
		"k=ed25519; p=AAAA":                   "not 3",
		"k=dsa; p=AAAA":                       "unknown kind",
		"v=DKIM2; p=AAAA":                     "unknown version",
		"p=AAAA":                              "no RSA key",
		"p=!":                                 "base64",
		// 512 bits
		"k=rsa; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBANmBe10IgY+u7h3enWTukkqtUD5PR52Tb/mPfjC0QJTocVBq6Za/PlzfV+Py92VaCak19F4WrbVTK5Gg5tW220MCAwEAAQ==": "512 bits",
	} {
		if _, err := ParseKey(record); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", record, err, want)
		}
	}
}

// signer is a key for go-msgauth to sign with.
var signer = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

// agree signs a message by go-msgauth and verifies the signature here.
func agree(t testing.TB, msg []byte, header, body dkim.Canonicalization) {
	t.Helper()
	var out bytes.Buffer
	err := dkim.Sign(&out, bytes.NewReader(msg), &dkim.SignOptions{Domain: "example.test", Selector: "s", Signer: signer,
		HeaderCanonicalization: header, BodyCanonicalization: body, HeaderKeys: []string{"From", "To", "To", "Subject", "Received", "X"}})
	if err != nil {
		t.Fatal(err)
	}
	blob := mail.Bytes(out.Bytes())
	p, err := mime.Parse(blob, mime.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	own := p.Fields[0]
	tags, _ := Tags(own.Raw)
	sum := sha256.New()
	b := NewBody(sum, body == dkim.CanonicalizationRelaxed)
	b.Write(out.Bytes()[p.Body:])
	b.Close()
	if got := base64.StdEncoding.EncodeToString(sum.Sum(nil)); got != Squeeze(tags["bh"]) {
		t.Errorf("%s/%s: another body hash", header, body)
	}
	h, err := ReadHeader(blob, p, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	sum.Reset()
	relaxed := header == dkim.CanonicalizationRelaxed
	h.Signed(sum, Names(tags["h"]), relaxed)
	io.WriteString(sum, WithoutB(h.Field(own, relaxed)))
	sig, _ := base64.StdEncoding.DecodeString(Squeeze(tags["b"]))
	if !ed25519.Verify(signer.Public().(ed25519.PublicKey), sum.Sum(nil), sig) {
		t.Errorf("%s/%s: another header", header, body)
	}
}

// TestAgreesWithTheLibrary: over the messages of the MIME suites, in all four
// pairs of forms.
func TestAgreesWithTheLibrary(t *testing.T) {
	dir := os.Getenv("FOREPOST_SUITES")
	if dir == "" {
		t.Skip("FOREPOST_SUITES is not set")
	}
	n := 0
	filepath.WalkDir(filepath.Join(dir, "mime-ruby-mail"), func(path string, _ os.DirEntry, walked error) error {
		b, err := os.ReadFile(path)
		if walked != nil || err != nil || !strings.HasSuffix(path, ".eml") {
			return nil
		}
		msg := wire(b)
		if !signable(msg) {
			return nil
		}
		n++
		for _, h := range []dkim.Canonicalization{dkim.CanonicalizationSimple, dkim.CanonicalizationRelaxed} {
			for _, b := range []dkim.Canonicalization{dkim.CanonicalizationSimple, dkim.CanonicalizationRelaxed} {
				agree(t, msg, h, b)
			}
		}
		return nil
	})
	if n < 60 {
		t.Errorf("only %d messages", n)
	}
}

// wire makes all line ends CRLF, as they are when a message was taken.
func wire(b []byte) []byte {
	s := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(b))
	return []byte(strings.ReplaceAll(s, "\n", "\r\n"))
}

// signable tells whether the library and we see the same header.
func signable(msg []byte) bool {
	p, err := mime.Parse(mail.Bytes(msg), mime.Limits{})
	if err != nil || len(p.All("From")) == 0 {
		return false
	}
	for _, d := range p.Defects {
		if d == mime.DefectBadField || d == mime.DefectNoHeaderEnd {
			return false
		}
	}
	return true
}

// FuzzBody: the hash of any body is the one that go-msgauth finds.
func FuzzBody(f *testing.F) {
	f.Add("a \t b \r\n\r\n")
	f.Add("\r\n \r\n\t\r\n")
	f.Fuzz(func(t *testing.T, body string) {
		msg := append([]byte("From: a@example.test\r\nSubject: x\r\n\r\n"), wire([]byte(body))...)
		agree(t, msg, dkim.CanonicalizationRelaxed, dkim.CanonicalizationRelaxed)
		agree(t, msg, dkim.CanonicalizationSimple, dkim.CanonicalizationSimple)
	})
}

// TestBodyHashOfAnUnknownKey: message.mbox of dkimpy, whose key is not to be had.
func TestBodyHashOfAnUnknownKey(t *testing.T) {
	dir := os.Getenv("FOREPOST_SUITES")
	if dir == "" {
		t.Skip("FOREPOST_SUITES is not set")
	}
	b, err := os.ReadFile(filepath.Join(dir, "dkim", "dkimpy", "message.mbox"))
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := bytes.Cut(wire(b), []byte("\r\n\r\n"))
	sum := sha256.Sum256([]byte(through(string(body), false, 100)))
	if got := base64.StdEncoding.EncodeToString(sum[:]); got != "n0HUwGCP28PkesXBPH82Kboy8LhNFWU9zUISIpAez7M=" {
		t.Errorf("bh=%s", got)
	}
}
