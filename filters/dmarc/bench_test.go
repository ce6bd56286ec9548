package dmarc_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// typical is an ordinary message of 8 KiB, signed with RSA-2048, and the DNS that
// belongs to it: a record of SPF with two includes, a policy at the organization.
func typical(b *testing.B) (message string, zone *dns.Zone, key *rsa.PrivateKey) {
	b.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	pub, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		b.Fatal(err)
	}
	plain := "From: Ann <ann@news.evil.test>\r\nTo: bob@local.test\r\nSubject: the minutes\r\nDate: Mon, 23 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@evil.test>\r\n" +
		"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n" + strings.Repeat("a line of text as people write them, and some more of it\r\n", 135)
	var signed bytes.Buffer
	err = msgauth.Sign(&signed, strings.NewReader(plain), &msgauth.SignOptions{Domain: "evil.test", Selector: "s", Signer: key, Hash: crypto.SHA256,
		HeaderCanonicalization: "relaxed", BodyCanonicalization: "relaxed", HeaderKeys: []string{"From", "To", "Subject", "Date", "Message-ID"}})
	if err != nil {
		b.Fatal(err)
	}
	return strings.ReplaceAll(signed.String(), "\r\n", "\n"), dns.MustZone(dns.Names{
		"evil.test":              {"TXT": []string{"something=else", "v=spf1 mx include:_spf.evil.test include:_spf.mailer.test -all"}, "MX": []string{"10 mx.evil.test."}},
		"mx.evil.test":           {"A": []string{"198.51.100.1"}},
		"_spf.evil.test":         {"TXT": []string{"v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.0/25 ip6:2001:db8::/32 ~all"}},
		"_spf.mailer.test":       {"TXT": []string{"v=spf1 ip4:192.0.2.0/24 ~all"}},
		"helo.evil.test":         {"A": []string{"192.0.2.1"}},
		"s._domainkey.evil.test": {"TXT": []string{"v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(pub)}},
		"_dmarc.evil.test":       {"TXT": []string{"v=DMARC1; p=reject; rua=mailto:d@evil.test"}},
		"news.evil.test":         {"A": []string{"192.0.2.1"}},
	}), key
}

// BenchmarkTypical is a message of 8 KiB with a warm cache: SPF (HELO beside it),
// and SPF, DKIM and DMARC together, beside the verification of the signature
// alone, by the library from memory, and the RSA operation in it.
func BenchmarkTypical(b *testing.B) {
	message, zone, key := typical(b)
	cache := dns.NewCache(zone, time.Now, 1000)
	b.Run("rsa", func(b *testing.B) {
		sum := sha256.Sum256([]byte(message))
		sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], sig) != nil {
				b.Fatal("a wrong signature")
			}
		}
	})
	b.Run("verification", func(b *testing.B) {
		text := strings.ReplaceAll(message, "\n", "\r\n")
		record := func(name string) ([]string, error) { return dns.LookupTXT(b.Context(), zone, name) }
		for b.Loop() {
			vs, err := msgauth.VerifyWithOptions(strings.NewReader(text), &msgauth.VerifyOptions{LookupTXT: record})
			if err != nil || len(vs) != 1 || vs[0].Err != nil {
				b.Fatal(err, vs)
			}
		}
	})
	_, set, tx := authentication(b, cache, message)
	ask := func(name, want string) func(b *testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				again := pipeline.NewTransaction(tx.Session)
				again.From, again.Message, again.Part = mail.MustParseAddress("x@evil.test"), tx.Message, tx.Part
				again.Use(set)
				one, _ := set.Get(name)
				if r := again.Find(context.Background(), one); r.Err != nil || r.Finding.Facts["result"] != want {
					b.Fatal(r.Finding, r.Err)
				}
			}
		}
	}
	b.Run("spf", ask("spf", "pass"))
	b.Run("dkim", ask("dkim", "pass"))
	b.Run("spf+dkim+dmarc", ask("dmarc", "pass"))
}
