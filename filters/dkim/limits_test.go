package dkim

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forepost/forepost/filters/internal/canon"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/meter/metertest"
	"github.com/forepost/forepost/relay/pipeline"
)

// Messages whose headers are made to cost time (threats.md "DKIM structure
// flood"): each is answered at once, and
// never with a pass.
func TestFloodsAreRefusedQuickly(t *testing.T) {
	sig := func(h string) string {
		return "DKIM-Signature: v=1; a=rsa-sha256; d=example.test; s=s; h=" + h + "; " + shaped + "\r\n"
	}
	var asked atomic.Int32
	zone := counting{dns.MustZone(dns.Names{"s._domainkey.example.test": {"TXT": []string{rsa8463}}}), &asked}
	for name, header := range map[string]string{
		"10,000 signatures":              strings.Repeat(sig("from"), 10000),
		"an h= of 100,000 names":         sig("from" + strings.Repeat(":x", 100000)),
		"3,000 signed fields":            sig("from"+strings.Repeat(":x-a", 150)) + strings.Repeat("X-A: 1\r\n", 3000),
		"a header of one megabyte":       sig("from") + "X: " + strings.Repeat("a\r\n ", 1<<18) + "\r\n",
		"a line that is no field":        sig("from") + "this is no field\r\n",
		"a signature without from":       sig("to"),
		"a signature of odd tags":        "DKIM-Signature: v=1; v=1\r\n",
		"d= that is no domain":           "DKIM-Signature: v=1; a=rsa-sha256; d=a b..c; s=s; h=from; bh=A; b=A\r\n",
		"a selector that writes results": "DKIM-Signature: v=1; a=rsa-sha256; d=example.test; s=x dkim=pass(; h=from; bh=A; b=A\r\n",
		"an empty signature":             "DKIM-Signature:\r\n",
		"b= of one octet":                "DKIM-Signature: v=1; a=rsa-sha256; d=example.test; s=s; h=from; bh=A; b=A\r\n",
		"only a header, no end":          sig("from"),
	} {
		asked.Store(0)
		var fd pipeline.Finding
		took := metertest.CPU(t, func() { fd, _ = inspect(t, zone, header+"From: a@example.test\r\n\r\nHi.\r\n") })
		if took > time.Second {
			t.Errorf("%s: took %v of processor time", name, took)
		}
		if fd.Facts["result"] == "pass" || fd.Facts["result"] == "" {
			t.Errorf("%s: %v", name, fd.Facts)
		}
		for _, a := range fd.Auth {
			for _, p := range a.Props {
				if strings.ContainsAny(p.Value, " ();\"\r\n") {
					t.Errorf("%s: %s=%q would not stand alone in Authentication-Results", name, p.Name, p.Value)
				}
			}
		}
		if n := asked.Load(); n > maxSignatures {
			t.Errorf("%s: %d questions to the DNS", name, n)
		}
	}
}

// shaped are bh= and b= as an RSA signature has them, of nothing.
var shaped = "bh=" + base64.StdEncoding.EncodeToString(make([]byte, 32)) + "; b=" + base64.StdEncoding.EncodeToString(make([]byte, 128))

func TestKeyTooLong(t *testing.T) {
	long := "v=DKIM1; p=" + strings.Repeat("A", canon.MaxRecord)
	zone := dns.MustZone(dns.Names{"s._domainkey.example.test": {"TXT": []string{long}}})
	fd, err := inspect(t, zone, "DKIM-Signature: v=1; a=rsa-sha256; d=example.test; s=s; h=from; "+shaped+"\r\nFrom: a@example.test\r\n\r\n")
	if fd.Facts["result"] != "permerror" || err != nil || !strings.Contains(fd.Reason, "too long") {
		t.Errorf("%v, %v: %s", fd.Facts, err, fd.Reason)
	}
}

// TestFlags: what a key's t= says, with a signature that is broken or true.
func TestFlags(t *testing.T) {
	msg := "DKIM-Signature: v=1; a=rsa-sha256; d=example.test; s=s; h=from; " + shaped + "\r\nFrom: a@example.test\r\n\r\n"
	zone := dns.MustZone(dns.Names{"s._domainkey.example.test": {"TXT": []string{rsa8463 + "; t=y"}}})
	fd, _ := inspect(t, zone, msg)
	if fd.Facts["result"] != "neutral" {
		t.Errorf("a broken signature of a domain that tests: %v", fd.Facts["result"])
	}
}

func TestTimeout(t *testing.T) {
	zone := dns.MustZone(dns.Names{"s._domainkey.example.test": {"error": "timeout"}})
	fd, err := inspect(t, zone, "DKIM-Signature: v=1; a=rsa-sha256; d=example.test; s=s; h=from; "+shaped+"\r\nFrom: a@example.test\r\n\r\n")
	if fd.Facts["result"] != "temperror" || err == nil {
		t.Errorf("%v, %v: a fact and an error both", fd.Facts, err)
	}
}

func TestAfter(t *testing.T) {
	for stamp, want := range map[string]bool{
		fmt.Sprint(now.Unix() + 1): true,
		fmt.Sprint(now.Unix()):     false,
		"":                         false, // not given
		"99999999999999999999":     false, // no number that we keep
	} {
		if got := after(stamp, now); got != want {
			t.Errorf("after(%q) = %v", stamp, got)
		}
	}
}

// counting counts the questions of a resolver.
type counting struct {
	dns.Resolver
	n *atomic.Int32
}

func (c counting) Query(ctx context.Context, name string, qtype uint16) (dns.Answer, error) {
	c.n.Add(1)
	return c.Resolver.Query(ctx, name, qtype)
}
