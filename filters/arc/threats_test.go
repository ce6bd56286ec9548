package arc

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/meter/metertest"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

// counting counts the questions of a resolver.
type counting struct {
	dns.Resolver
	n atomic.Int32
}

func (c *counting) Query(ctx context.Context, name string, qtype uint16) (dns.Answer, error) {
	c.n.Add(1)
	return c.Resolver.Query(ctx, name, qtype)
}

// TestARCConfusion: threats.md "ARC confusion". A chain that is whole proves
// nothing unless we chose to believe all who sealed it.
func TestARCConfusion(t *testing.T) {
	_, zone := three()
	one := sealed(t, letter, "one.test", "spf=fail; dmarc=pass header.from=example.test")
	two := sealed(t, one, "two.test", "dmarc=fail")
	evil := sealed(t, letter, "two.test", "dmarc=pass (no, not really) header.from=example.test")
	evil = sealed(t, evil, "one.test", "dmarc=fail")
	failed := sealed(t, letter, "one.test", "dmarc=fail header.from=example.test")
	for _, c := range []struct {
		why, msg string
		trusted  []string
		want     bool
		dmarc    string
	}{
		{"nobody is trusted unless it is said", one, nil, false, "none"},
		{"the sealer is trusted", one, []string{"one.test"}, true, "pass"},
		{"somebody else is trusted", one, []string{"two.test", "test", "a.one.test"}, false, "none"},
		{"both are trusted", two, []string{"ONE.test", "two.test"}, true, "pass"},
		{"the last one is trusted, the first is not and made it up", evil, []string{"one.test"}, false, "none"},
		{"the first one is trusted, the last is not", two, []string{"one.test"}, false, "none"},
		{"a trusted one says that it failed", failed, []string{"one.test"}, true, "fail"},
		{"the chain is broken", strings.Replace(one, "noon", "one", 1), []string{"one.test"}, false, "none"},
		{"no chain", letter, []string{"one.test"}, false, "none"},
	} {
		fd, err := inspect(t, zone, c.msg, c.trusted...)
		trusted, _ := fd.Facts["trusted"].(bool)
		if trusted != c.want || fd.Facts["dmarc"] != c.dmarc || err != nil {
			t.Errorf("%s: %v, %v", c.why, fd.Facts, err)
		}
		if sealers, _ := fd.Facts["sealers"].([]string); fd.Facts["result"] != "pass" && len(sealers) > 0 {
			t.Errorf("%s: sealers %v of no whole chain", c.why, sealers)
		}
	}
}

// TestARCAuthorUnsigned: threats.md "ARC confusion". RFC 8617 lets a link leave
// the author unsigned; then anybody may have put another one in.
func TestARCAuthorUnsigned(t *testing.T) {
	s, zone := three()
	msg := mail.Message{Blob: mail.Bytes(letter)}
	p, err := mime.Parse(&msg, mime.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	w := &work{key: s.keys["one.test"], link: pipeline.Link{Domain: "one.test", Chain: "none", Results: "one.test; dmarc=pass"},
		stamp: 1, width: lineWidth, msg: &msg, part: p, signed: []string{"subject"}}
	w.begin()
	fields, err := w.fields()
	if err != nil {
		t.Fatal(err)
	}
	text := fields[0].String() + fields[1].String() + fields[2].String() + strings.Replace(letter, "ann@", "ceo@", 1)
	fd, err := inspect(t, zone, text, "one.test")
	if fd.Facts["result"] != "pass" || fd.Facts["trusted"] != false || err != nil {
		t.Errorf("%v, %v", fd.Facts, err)
	}
}

// TestARCForgedResults: threats.md "forged Authentication-Results". What a
// field says that nobody sealed is not heard, whatever name it bears.
func TestARCForgedResults(t *testing.T) {
	_, zone := three()
	forged := "ARC-Authentication-Results: i=1; gw.test; dmarc=pass\r\n"
	one := sealed(t, letter, "one.test", "dmarc=fail")
	for why, msg := range map[string]string{
		"alone":               forged + letter,
		"beside the real one": forged + one,
		"as the next link":    strings.Replace(forged, "i=1", "i=2", 1) + one,
		"in odd spelling":     "aRc-AUTHENTICATION-results:\r\n\ti = 1 ; gw.test; dmarc=pass\r\n" + one,
		"with a forged seal": "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=one.test; s=s; b=" + strings.Repeat("A", 344) +
			"\r\nARC-Message-Signature: i=1; a=rsa-sha256; d=one.test; s=s; h=from; bh=" + strings.Repeat("A", 43) + "=; b=" + strings.Repeat("A", 344) + "\r\n" + forged + letter,
	} {
		fd, err := inspect(t, zone, msg, "one.test", "gw.test")
		if fd.Facts["result"] != "fail" || fd.Facts["dmarc"] != "none" || fd.Facts["trusted"] == true || err != nil {
			t.Errorf("%s: %v, %v", why, fd.Facts, err)
		}
	}
}

func TestDMARCOf(t *testing.T) {
	for raw, want := range map[string]string{
		" i=1; a.test; dmarc=pass":                             "pass",
		" i=1; a.test; spf=pass; DMARC = fail header.from=b.c": "fail",
		" i=1; a.test; spf=pass":                               "none",
		" i=1; a.test; dmarc=pass; dmarc=fail":                 "none",
		" i=1; a.test; spf=fail reason=\"; dmarc=pass\"":       "none",
		" i=1; a.test; spf=fail (; dmarc=pass)":                "none",
		" i=1; a.test; spf=fail reason=\"\\\"; dmarc=pass\"":   "none",
		" i=1; dmarc=pass":                                     "none", // that is the authserv-id
		" i=1; a.test; dmarc=":                                 "none",
		" i=1; a.test; dmarc=great":                            "none",
		"":                                                     "none",
	} {
		if got := dmarcOf(raw); got != want {
			t.Errorf("%q: %s, want %s", raw, got, want)
		}
	}
}

// TestARCFloods: threats.md "ARC confusion" (51 hops) and "DKIM structure flood"
// for the fields of ARC: nothing is asked, and soon over.
func TestARCFloods(t *testing.T) {
	link := func(i int, h string) string {
		return fmt.Sprintf("ARC-Seal: i=%d; a=rsa-sha256; cv=pass; d=one.test; s=s; b=%s\r\nARC-Message-Signature: i=%d; a=rsa-sha256; d=one.test; s=s; h=%s; bh=%s=; b=%s\r\nARC-Authentication-Results: i=%d; x; none\r\n",
			i, strings.Repeat("A", 344), i, h, strings.Repeat("A", 43), strings.Repeat("A", 344), i)
	}
	var links strings.Builder
	for i := range 51 {
		links.WriteString(link(i+1, "from"))
	}
	zone := &counting{Resolver: dns.MustZone(dns.Names{})}
	for why, header := range map[string]string{
		"51 hops":                   links.String(),
		"10,000 seals":              strings.Repeat("ARC-Seal: i=1; a=rsa-sha256\r\n", 10000),
		"h= of 100,000 names":       strings.Replace(link(1, "from"+strings.Repeat(":x", 100000)), "cv=pass", "cv=none", 1),
		"a header of one megabyte":  link(1, "from") + "X: " + strings.Repeat("a\r\n ", 1<<18) + "\r\n",
		"3,000 other fields":        link(1, "from") + strings.Repeat("X: 1\r\n", 3000),
		"b= of one octet":           strings.ReplaceAll(link(1, "from"), strings.Repeat("A", 344), "QQ=="),
		"a line that is no field":   link(1, "from") + "no field\r\n",
		"a chain from 2 on":         link(2, "from"),
		"an empty seal":             "ARC-Seal:\r\n",
		"i= beyond all numbers":     link(1, "from") + "ARC-Seal: i=99999999999999999999; a=rsa-sha256\r\n",
		"an earlier hand broke off": strings.Replace(link(1, "from"), "cv=pass", "cv=fail", 1),
	} {
		var fd pipeline.Finding
		var err error
		took := metertest.CPU(t, func() { fd, err = inspect(t, zone, header+letter, "one.test") })
		if fd.Facts["result"] != "fail" || err != nil {
			t.Errorf("%s: %v, %v", why, fd.Facts, err)
		}
		if took > time.Second {
			t.Errorf("%s took %v of processor time", why, took)
		}
	}
	if n := zone.n.Load(); n > 0 {
		t.Errorf("%d questions to the DNS", n)
	}
}

// TestARCBudget: fifty sealers with a key each are asked for within the
// transaction's budget, and what it leaves open is not a broken chain.
func TestARCBudget(t *testing.T) {
	_, zone := three()
	two := sealed(t, sealed(t, letter, "one.test", "none"), "two.test", "none")
	f, err := Kind().Build(&Settings{}, filters.Deps{DNS: budgeted{zone}})
	if err != nil {
		t.Fatal(err)
	}
	tx := pipeline.NewTransaction(&pipeline.Session{})
	tx.Message = &mail.Message{Blob: mail.Bytes(two)}
	tx.Part, _ = mime.Parse(tx.Message, mime.Limits{})
	if fd, err := f.Inspect(t.Context(), tx); err == nil || fd.Facts["result"] != "fail" {
		t.Errorf("%v, %v", fd.Facts, err)
	}
}

// budgeted has no answers left but the first.
type budgeted struct{ dns.Resolver }

func (b budgeted) Query(ctx context.Context, name string, qtype uint16) (dns.Answer, error) {
	if strings.Contains(name, "two.test") {
		return b.Resolver.Query(ctx, name, qtype)
	}
	return dns.Answer{}, &dns.Error{Kind: dns.Budget, Name: name, Type: qtype, Text: "no more"}
}

func TestARCTimeout(t *testing.T) {
	one := sealed(t, letter, "one.test", "none")
	for kind, temporary := range map[string]bool{"timeout": true, "servfail": true} {
		zone := dns.MustZone(dns.Names{"s._domainkey.one.test": {"error": kind}})
		fd, err := inspect(t, zone, one, "one.test")
		if fd.Facts["result"] != "fail" || fd.Facts["trusted"] == true || (err != nil) != temporary {
			t.Errorf("%s: %v, %v", kind, fd.Facts, err)
		}
		var e *dns.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: the error does not say what the DNS said: %v", kind, err)
		}
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for _, bad := range []string{"", "a b", "[192.0.2.1]", "*.test"} {
		if _, err := Kind().Build(&Settings{Trusted: []string{bad}}, filters.Deps{}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// FuzzChain: no chain makes the filter panic, pass without a key's say, or say
// what it does not declare; and whatever it is, it is sealed as what it is.
func FuzzChain(f *testing.F) {
	_, ed, err := ed25519.GenerateKey(rand.Reader) // RSA keys would take the whole time
	if err != nil {
		f.Fatal(err)
	}
	s, err := NewSealer(map[string][]Key{"three.test": {{Selector: "s", Signer: ed}}}, time.Now)
	if err != nil {
		f.Fatal(err)
	}
	one := link1(f, s, letter, pipeline.Link{Domain: "three.test", Chain: "none", Results: "three.test; dmarc=pass"})
	f.Add(one)
	f.Add(link1(f, s, one, pipeline.Link{Domain: "three.test", Chain: "pass", Results: "x; none"}))
	f.Add("ARC-Seal: i=1; cv=fail\r\n" + letter)
	none := dns.MustZone(dns.Names{})
	f.Fuzz(func(t *testing.T, msg string) {
		fd, err := inspect(t, none, msg, "one.test")
		result, _ := fd.Facts["result"].(string)
		if !slices.Contains([]string{"none", "fail"}, result) || err != nil {
			t.Errorf("%v, %v", fd.Facts, err)
		}
		got := link1(t, s, msg, pipeline.Link{Domain: "three.test", Chain: result, Results: "three.test; none"})
		if result == "fail" && strings.Contains(strings.TrimSuffix(got, msg), "cv=pass") {
			t.Error("a broken chain was sealed as a whole one")
		}
	})
}
