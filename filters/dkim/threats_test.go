package dkim

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/meter/metertest"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

// signedLetter is a message with our signatures on top, and their keys.
func signedLetter(t testing.TB, text string) (string, dns.Resolver) {
	t.Helper()
	s, zone := pair(t)
	msg := &mail.Message{Blob: mail.Bytes(text)}
	fields, err := s.Sign(context.Background(), "example.test", msg)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range fields {
		b.WriteString(f.String())
	}
	return b.String() + text, zone
}

// TestDKIMBodyLength: threats.md "DKIM l=" (Zone.eu 2024). A signature that
// leaves the end of the body open is no pass, with and without an end that was
// added, and whatever the spelling of the tag.
func TestDKIMBodyLength(t *testing.T) {
	signed, zone := signedLetter(t, letter)
	for why, tag := range map[string]string{"plain": " l=5;", "spaced": "\r\n\tl = 5 ;", "of everything": " l=999;", "empty": " l=;"} {
		open := strings.ReplaceAll(signed, " v=1;", " v=1;"+tag)
		if open == signed {
			t.Fatal("nothing was changed")
		}
		for _, msg := range []string{open, open + "<p>Pay here</p>\r\n"} {
			fd, err := inspect(t, zone, msg)
			if domains, _ := fd.Facts["domains"].([]string); fd.Facts["result"] != "policy" || len(domains) > 0 || err != nil {
				t.Errorf("%s: %v, %v", why, fd.Facts, err)
			}
		}
	}
}

// TestDKIMHeaderBodySeam: threats.md "DKIM header/body seam" (Exim bug 3036,
// Postfix 3.11). Where a line is header for one reader and body for another,
// nothing passes; where fields were added after signing, it shows.
func TestDKIMHeaderBodySeam(t *testing.T) {
	signed, zone := signedLetter(t, letter)
	head, body, _ := strings.Cut(signed, "\r\n\r\n")
	for why, msg := range map[string]string{
		"a line between header and body":    head + "\r\nno field\r\n\r\n" + body,
		"a field behind such a line":        head + "\r\nno field\r\nFrom: eve@evil.test\r\n\r\n" + body,
		"a bare LF within the header":       head + "\nFrom: eve@evil.test\r\n\r\n" + body,
		"a second From on top":              "From: eve@evil.test\r\n" + signed,
		"a second From below":               head + "\r\nFrom: eve@evil.test\r\n\r\n" + body,
		"a second Subject in odd spelling":  "sUBJECT : Win\r\n" + signed,
		"a Subject folded into an own line": "Subject:\r\n Win\r\n" + signed,
		"a Content-Type that was not there": "Content-Type: text/html\r\n" + signed,
	} {
		if fd, err := inspect(t, zone, msg); fd.Facts["result"] == "pass" || err != nil {
			t.Errorf("%s: %v, %v: %s", why, fd.Facts["result"], err, fd.Reason)
		}
	}
}

// TestDKIMReplay: threats.md "DKIM replay". All copies of a signed message have
// one fact to count, whatever was added on their way; other messages have others.
func TestDKIMReplay(t *testing.T) {
	signed, zone := signedLetter(t, letter)
	first, _ := inspect(t, zone, signed)
	again, _ := inspect(t, zone, "Received: from elsewhere\r\nX-Spam: no\r\n"+signed)
	key, _ := first.Facts["signature"].(string)
	if key == "" || again.Facts["signature"] != key || !strings.HasPrefix(key, "example.test/") || len(key) > 300 {
		t.Errorf("%q and %q", key, again.Facts["signature"])
	}
	broken, _ := inspect(t, zone, strings.Replace(signed, "Hi.", "Ho.", 1))
	if broken.Facts["signature"] != "" {
		t.Errorf("a broken signature counts as %q", broken.Facts["signature"])
	}
	other, zone2 := signedLetter(t, strings.Replace(letter, "Hi.", "Ho.", 1))
	fd, _ := inspect(t, zone2, other)
	if s := fd.Facts["signature"]; s == "" || s == key {
		t.Errorf("another message has the signature %q", s)
	}
}

// TestFactsOfSignatures: those of the signatures that passed, in one order.
func TestFactsOfSignatures(t *testing.T) {
	signed, zone := signedLetter(t, letter)
	fd, err := inspect(t, zone, signed)
	want := map[string]string{"domains": "example.test example.test", "selectors": "r e", "algorithms": "rsa-sha256 ed25519-sha256"}
	for name, w := range want {
		if got := strings.Join(fd.Facts[name].([]string), " "); got != w || err != nil {
			t.Errorf("%s: %q, %v; want %q", name, got, err, w)
		}
	}
	if fd.Facts["key_bits"] != 1024.0 {
		t.Errorf("key_bits %v", fd.Facts["key_bits"])
	}
}

// TestDKIMKeySize: threats.md "DKIM structure flood", key size: a key that only
// costs time is not used.
func TestDKIMKeySize(t *testing.T) {
	for bits, want := range map[int]string{512: "512 bits", 1023: "1023 bits", 9000: "9000 bits", 16384: "too long"} {
		n := new(big.Int).SetBit(big.NewInt(1), bits-1, 1)
		der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n, E: 65537})
		if err != nil {
			t.Fatal(err)
		}
		zone := dns.MustZone(dns.Names{"s._domainkey.example.test": {"TXT": []string{"p=" + base64.StdEncoding.EncodeToString(der)}}})
		fd, err := inspect(t, zone, "DKIM-Signature: v=1; a=rsa-sha256; d=example.test; s=s; h=from; "+shaped+"\r\n"+letter)
		if fd.Facts["result"] != "permerror" || err != nil || !strings.Contains(fd.Reason, want) {
			t.Errorf("%d bits: %v, %v: %s", bits, fd.Facts["result"], err, fd.Reason)
		}
	}
}

// flood is a message with 10,000 signatures.
var flood = mail.Bytes(strings.Repeat("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.test; s=s; h=from:to:subject; "+shaped+"\r\n", 10000) + letter)

// inspectFlood parses it and asks the filter about it.
func inspectFlood(tb testing.TB, f pipeline.Filter) {
	tx := pipeline.NewTransaction(&pipeline.Session{})
	tx.Message = &mail.Message{Blob: flood}
	var err error
	if tx.Part, err = mime.Parse(flood, mime.Limits{}); err != nil {
		tb.Fatal(err)
	}
	fd, err := f.Inspect(context.Background(), tx)
	if err != nil || fd.Facts["result"] != "policy" {
		tb.Fatalf("%v, %v", fd.Facts, err)
	}
}

func floodFilter(tb testing.TB) pipeline.Filter {
	f, err := Kind().Build(nil, filters.Deps{DNS: dns.MustZone(dns.Names{}), Now: time.Now})
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// TestTenThousandSignatures: threats.md "DKIM structure flood", at most 50 ms
// of processor time with the parsing.
func TestTenThousandSignatures(t *testing.T) {
	f, most := floodFilter(t), 50*time.Millisecond
	if best := metertest.Least(t, most, 10, func() { inspectFlood(t, f) }); best > most {
		t.Errorf("10,000 signatures cost %v", best)
	}
}

func BenchmarkTenThousandSignatures(b *testing.B) {
	f := floodFilter(b)
	b.SetBytes(int64(len(flood)))
	for b.Loop() {
		inspectFlood(b, f)
	}
}

// BenchmarkVerify is a message of 8 KiB with an RSA and an Ed25519 signature,
// whose keys are there.
func BenchmarkVerify(b *testing.B) {
	msg, zone := signedLetter(b, letter+strings.Repeat(strings.Repeat("word ", 14)+"\r\n", 113))
	f, err := Kind().Build(nil, filters.Deps{DNS: zone, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	tx := pipeline.NewTransaction(&pipeline.Session{})
	tx.Message = &mail.Message{Blob: mail.Bytes(msg)}
	tx.Part, _ = mime.Parse(tx.Message, mime.Limits{})
	for b.Loop() {
		if fd, err := f.Inspect(b.Context(), tx); fd.Facts["result"] != "pass" {
			b.Fatal(fd.Reason, err)
		}
	}
}
