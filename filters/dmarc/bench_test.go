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
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"github.com/forepost/forepost/filters/internal/canon"
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

// costs are what is measured for the typical message with a warm cache, each one
// run of it:
//
//	rsa          the RSA operation alone
//	bare         what no verifier of RSA-SHA256 can do without: the body and the
//	             header in canonical form, their sums, the RSA operation
//	verification the verification of the RSA signature by the library alone, its
//	             key from memory
//	all          SPF (with HELO), DKIM and DMARC, as a policy asks for them
func costs(b *testing.B) map[string]func() {
	message, zone, key := typical(b)
	text := strings.ReplaceAll(message, "\n", "\r\n")
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	sum := sha256.Sum256([]byte(head))
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		b.Fatal(err)
	}
	operation := func() {
		if rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], sig) != nil {
			b.Fatal("a wrong signature")
		}
	}
	record := func(name string) ([]string, error) { return dns.LookupTXT(b.Context(), zone, name) }
	_, set, tx := authentication(b, dns.NewCache(zone, time.Now, 1000), time.Now, message)
	ask := func(name string) func() {
		return func() {
			again := pipeline.NewTransaction(tx.Session)
			again.From, again.Message, again.Part = mail.MustParseAddress("x@evil.test"), tx.Message, tx.Part
			again.Use(set)
			one, _ := set.Get(name)
			if r := again.Find(context.Background(), one); r.Err != nil || r.Finding.Facts["result"] != "pass" {
				b.Fatal(r.Finding, r.Err)
			}
		}
	}
	return map[string]func(){
		"rsa": operation,
		"bare": func() {
			h := sha256.New()
			c := canon.NewBody(h, true)
			io.WriteString(c, body)
			c.Close()
			var names strings.Builder
			for line := range strings.SplitSeq(head, "\r\n") {
				name, value, _ := strings.Cut(line, ":")
				names.WriteString(canon.Relaxed(name, value))
			}
			sha256.Sum256([]byte(names.String()))
			operation()
		},
		"verification": func() {
			vs, err := msgauth.VerifyWithOptions(strings.NewReader(text), &msgauth.VerifyOptions{LookupTXT: record})
			if err != nil || len(vs) != 1 || vs[0].Err != nil {
				b.Fatal(err, vs)
			}
		},
		"spf": ask("spf"), "dkim": ask("dkim"), "all": ask("dmarc"),
	}
}

// BenchmarkTypical is each cost by itself.
func BenchmarkTypical(b *testing.B) {
	for name, run := range costs(b) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				run()
			}
		})
	}
}

// BenchmarkRatio measures them side by side, one run of each in turn (so that each
// finds the caches of the CPU cold), and compares
// what the quickest tenth of the runs took at most: others who use the machine
// meanwhile weigh on all alike, and on those least.
func BenchmarkRatio(b *testing.B) {
	runs, took := costs(b), map[string][]time.Duration{}
	for b.Loop() {
		for name, run := range runs {
			start := time.Now()
			run()
			took[name] = append(took[name], time.Since(start))
		}
	}
	cost := map[string]float64{}
	for name, list := range took {
		slices.Sort(list)
		cost[name] = float64(list[len(list)/10])
		b.ReportMetric(cost[name]/1000, name+"-us")
	}
	for _, alone := range []string{"rsa", "bare", "verification"} {
		b.ReportMetric(cost["all"]/cost[alone], "all/"+alone)
	}
}
