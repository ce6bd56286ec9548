package dkim

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

const letter = "From: ann@example.test\r\nTo: bob@else.test\r\nSubject: Hello\r\nDate: Mon, 23 Nov 2026 00:00:00 +0000\r\n\r\nHi.\r\n"

// pair makes an RSA and an Ed25519 key with their records.
func pair(t testing.TB) (*Signer, dns.Resolver) {
	t.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	pub, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(r.Public())
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(r)})
	s, err := NewSigner(map[string][]Key{"example.test": {{Selector: "r", PEM: string(text)}, {Selector: "e", Signer: ed}}})
	if err != nil {
		t.Fatal(err)
	}
	record := func(k string, b []byte) map[string]any {
		return map[string]any{"TXT": []string{"v=DKIM1; k=" + k + "; p=" + base64.StdEncoding.EncodeToString(b)}}
	}
	return s, dns.MustZone(dns.Names{
		"r._domainkey.example.test": record("rsa", spki),
		"e._domainkey.example.test": record("ed25519", pub),
	})
}

func TestSignerSignsWithAllKeysAndWeVerify(t *testing.T) {
	s, zone := pair(t)
	// An edit and a field on top: what is signed is what goes out.
	msg, err := mail.NewMessage([]mail.Field{{Name: "Reply-To", Value: "list@example.test"}},
		[]mail.Edit{{Off: int64(strings.Index(letter, "Hello")), End: int64(strings.Index(letter, "Hello") + 5), With: []byte("[EXT] Hello")}},
		mail.Bytes(letter))
	if err != nil {
		t.Fatal(err)
	}
	fields, err := s.Sign(t.Context(), "example.test", msg)
	if err != nil || len(fields) != 2 {
		t.Fatalf("%d fields, %v; want one a key", len(fields), err)
	}
	signed := read1(t, msg.With(fields...))
	for _, c := range []struct{ name, msg, want string }{
		{"as it went out", signed, "pass"},
		{"body changed", strings.Replace(signed, "Hi.", "Ho.", 1), "fail"},
		{"a second Subject on top", "Subject: Win!\r\n" + signed, "fail"},
		{"a Cc that was not there: oversigned", "Cc: eve@evil.test\r\n" + signed, "fail"},
		{"a field that is not signed", "X-Seen: yes\r\n" + signed, "pass"},
	} {
		fd, err := inspect(t, zone, c.msg)
		if fd.Facts["result"] != c.want || err != nil {
			t.Errorf("%s: %v, %v; want %s: %s", c.name, fd.Facts["result"], err, c.want, fd.Reason)
		}
	}
	for _, line := range strings.Split(signed, "\r\n") {
		if len(line) > 998 {
			t.Errorf("a line of %d octets, RFC 5322 section 2.1.1 allows 998", len(line))
		}
	}
}

func read1(t *testing.T, m *mail.Message) string {
	t.Helper()
	r, err := m.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b := make([]byte, m.Size())
	if _, err := r.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestSignerSignsWithSomeKeys: by selector; one that the domain has not signs
// nothing.
func TestSignerSignsWithSomeKeys(t *testing.T) {
	s, _ := pair(t)
	for _, c := range []struct {
		selectors []string
		want      string
	}{{[]string{"e"}, "s=e;"}, {[]string{"r", "x"}, "s=r;"}, {[]string{"x"}, ""}} {
		fields, err := s.SignWith(t.Context(), "example.test", pipeline.Signing{Selectors: c.selectors}, &mail.Message{Blob: mail.Bytes(letter)})
		if err != nil || c.want == "" && len(fields) > 0 || c.want != "" && (len(fields) != 1 || !strings.Contains(fields[0].Value, c.want)) {
			t.Errorf("%q: %v, %v", c.selectors, fields, err)
		}
	}
}

func TestSignerKnowsOnlyItsOwnDomains(t *testing.T) {
	s, _ := pair(t)
	for _, d := range []string{"other.test", "sub.example.test", "test", ""} {
		if f, err := s.Sign(t.Context(), d, &mail.Message{Blob: mail.Bytes(letter)}); f != nil || err != nil {
			t.Errorf("%q: %v, %v; want nothing", d, f, err)
		}
	}
}

func TestSignerEndsWithItsContext(t *testing.T) {
	s, _ := pair(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if f, err := s.Sign(ctx, "example.test", &mail.Message{Blob: mail.Bytes(letter)}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", f, err)
	}
}

func TestNewSignerSaysWhichKeyIsWrong(t *testing.T) {
	for pemText, want := range map[string]string{
		"":      "there is no PEM block",
		"hello": "there is no PEM block",
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n": "neither PKCS #1 nor PKCS #8",
	} {
		_, err := NewSigner(map[string][]Key{"example.test": {{Selector: "s1", PEM: pemText}}})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "s1 of example.test") {
			t.Errorf("%q: %v; want %q", pemText, err, want)
		}
	}
}
