package dkim

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/forepost/forepost/filters/internal/canon"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
)

// verdicts are what the library says of each signature of a message that is
// worth verifying: of the message as it is with that signature on top, and as it
// is prepared.
func verdicts(t *testing.T, msg string) (raw, prepared []string) {
	t.Helper()
	blob := mail.Bytes(msg)
	p, err := mime.Parse(blob, mime.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	sigs, why := signatures(p)
	if why != "" {
		return nil, nil
	}
	l, err := open(blob, p)
	if err != nil {
		t.Fatal(err)
	}
	defer l.r.Close()
	for _, s := range sigs {
		if s.bad != "" {
			continue
		}
		own := string(l.of(s.field))
		rest := msg[:s.field.Off] + msg[s.field.End:]
		raw = append(raw, verdict(strings.NewReader(own+rest)))
		prepared = append(prepared, verdict(l.prepared(s)), verdict(iotest.OneByteReader(l.prepared(s))))
	}
	return raw, prepared
}

func verdict(r io.Reader) string {
	key := func(string) ([]string, error) { return []string{rsa8463}, nil }
	vs, err := dkim.VerifyWithOptions(r, &dkim.VerifyOptions{LookupTXT: key, MaxVerifications: 1})
	if len(vs) == 0 {
		return fmt.Sprint(err)
	}
	return fmt.Sprint(vs[0].Err)
}

func compare(t *testing.T, why, msg string) (n int) {
	t.Helper()
	if p, err := mime.Parse(mail.Bytes(msg), mime.Limits{}); err != nil || hasDefect(p, mime.DefectNoHeaderEnd) {
		return 0 // the library reads no message that ends in its header
	}
	raw, prepared := verdicts(t, msg)
	for i, v := range raw {
		if prepared[2*i] != v || prepared[2*i+1] != v {
			t.Errorf("%s, signature %d: %q as it is; prepared %q, by octets %q", why, i, v, prepared[2*i], prepared[2*i+1])
		}
	}
	return len(raw)
}

// TestPreparedIsTheSame: what is left out for the library changes no verdict,
// for all messages of the suites that have signatures.
func TestPreparedIsTheSame(t *testing.T) {
	dir := os.Getenv("FOREPOST_SUITES")
	if dir == "" {
		t.Skip("FOREPOST_SUITES is not set")
	}
	n := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(b, []byte("DKIM-Signature")) {
			return err
		}
		n += compare(t, path, wire(string(b)))
		return nil
	})
	if err != nil || n < 40 {
		t.Errorf("%d signatures, %v", n, err)
	}
	t.Logf("%d signatures", n)
}

// FuzzPrepared: the same for any message.
func FuzzPrepared(f *testing.F) {
	signed, _ := signedLetter(f, letter)
	f.Add(signed)
	f.Add("DKIM-Signature: v=1; a=rsa-sha256; d=a.test; s=s; h=from:dkim-signature:x:x; " + shaped + "\r\n" + signed)
	f.Add("X: 1\r\nDKIM-Signature: v=1; a=rsa-sha256; c=simple/relaxed; d=a.test; s=s; h=from:x:x; " + shaped + "\r\nX: 2\r\n \t\r\nx:3\r\n" + letter + " \r\n\r\n")
	f.Fuzz(func(t *testing.T, msg string) { compare(t, "fuzz", wire(msg)) })
}

// TestMisreadSignatures: a b that an equals sign follows elsewhere in a true
// signature, as in copied fields (z=, RFC 6376 section 3.5), is no reason to
// fail; a message that was changed fails still.
func TestMisreadSignatures(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	record, _ := KeyRecord(key.Public())
	zone := dns.MustZone(dns.Names{"k._domainkey.example.test": {"TXT": []string{record}}})
	for _, tag := range []string{"z=From:bob=40example.test|Subject:a=20web=20page;", "xb=1;", "z=b=20c;"} {
		for _, c := range []string{"relaxed/relaxed", "simple/simple", "relaxed/simple", "simple"} {
			signed := signByHand(t, key, c, tag, letter)
			if fd, err := inspect(t, zone, signed); fd.Facts["result"] != "pass" || err != nil {
				t.Errorf("%s %s: %v, %v: %s", tag, c, fd.Facts["result"], err, fd.Reason)
			}
			for _, changed := range []string{
				strings.Replace(signed, "Hi.", "Ho.", 1), strings.Replace(signed, "Subject: Hello", "Subject: Hullo", 1),
				strings.Replace(signed, tag, strings.Replace(tag, "b=", "bb=", 1), 1),
			} {
				if fd, _ := inspect(t, zone, changed); fd.Facts["result"] != "fail" {
					t.Errorf("%s %s, changed: %v: %s", tag, c, fd.Facts["result"], fd.Reason)
				}
			}
		}
	}
}

// signByHand signs From and Subject with a tag more.
func signByHand(t *testing.T, key ed25519.PrivateKey, c, tag, text string) string {
	t.Helper()
	return signFor(t, key, "d=example.test", c, tag, text)
}

// TestNamesHaveNoCase: i= and d= in letters of different size are the same name,
// for true signatures and for broken ones.
func TestNamesHaveNoCase(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	record, _ := KeyRecord(key.Public())
	for _, flags := range []string{"", "; t=s"} {
		zone := dns.MustZone(dns.Names{"k._domainkey.example.test": {"TXT": []string{record + flags}}})
		for d, want := range map[string]string{
			"d=Example.test; i=@example.TEST":     "pass",
			"d=EXAMPLE.test; i=ann@example.test":  "pass",
			"d=Example.test; i=@sub.example.test": map[string]string{"": "pass", "; t=s": "permerror"}[flags],
			"d=example.test; i=@evilexample.TEST": "permerror",
			"d=example.test; i=@else.test":        "permerror",
		} {
			for _, c := range []string{"relaxed/relaxed", "simple/simple", "relaxed", "simple/relaxed"} {
				signed := signFor(t, key, d, c, "", letter)
				if fd, err := inspect(t, zone, signed); fd.Facts["result"] != want || err != nil {
					t.Errorf("%s %s %s: %v, %v; want %s: %s", d, c, flags, fd.Facts["result"], err, want, fd.Reason)
				}
				for _, changed := range []string{strings.Replace(signed, "Hi.", "Ho.", 1), strings.Replace(signed, "Subject: Hello", "Subject: Hullo", 1)} {
					if fd, _ := inspect(t, zone, changed); fd.Facts["result"] == "pass" {
						t.Errorf("%s %s, changed: %s", d, c, fd.Reason)
					}
				}
			}
		}
	}
	slow := dns.MustZone(dns.Names{"k._domainkey.example.test": {"error": "timeout"}})
	if fd, err := inspect(t, slow, signFor(t, key, "d=Example.test; i=@example.test", "relaxed", "", letter)); fd.Facts["result"] != "temperror" || err == nil {
		t.Errorf("a key that times out: %v, %v", fd.Facts["result"], err)
	}
}

func signFor(t *testing.T, key ed25519.PrivateKey, d, c, tag, text string) string {
	t.Helper()
	_, body, _ := strings.Cut(text, "\r\n\r\n")
	w := sha256.New()
	b := canon.NewBody(w, strings.HasSuffix(c, "/relaxed"))
	io.WriteString(b, body)
	b.Close()
	value := " v=1; a=ed25519-sha256; c=" + c + "; " + d + "; s=k; h=from:subject;\r\n\t" + tag + " bh=" + base64.StdEncoding.EncodeToString(w.Sum(nil)) + "; b="
	w.Reset()
	p, err := mime.Parse(mail.Bytes(text), mime.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := canon.ReadHeader(mail.Bytes(text), p, maxHeader)
	if err != nil {
		t.Fatal(err)
	}
	relaxed := strings.HasPrefix(c, "relaxed")
	h.Signed(w, []string{"from", "subject"}, relaxed)
	if relaxed {
		io.WriteString(w, canon.Relaxed("DKIM-Signature", value))
	} else {
		io.WriteString(w, "DKIM-Signature:"+value)
	}
	sig, err := canon.SignSum(key, [sha256.Size]byte(w.Sum(nil)))
	if err != nil {
		t.Fatal(err)
	}
	return "DKIM-Signature:" + value + base64.StdEncoding.EncodeToString(sig) + "\r\n" + text
}
