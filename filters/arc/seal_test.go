package arc

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/meter/metertest"
	"github.com/forepost/forepost/relay/pipeline"
)

const letter = "DKIM-Signature: v=1; a=none\r\nFrom: Ann <ann@example.test>\r\nTo: list@one.test\r\nSubject: Lunch\r\nDate: Mon, 23 Nov 2026 07:00:00 +0000\r\n\r\nAt noon?\r\n"

// now is when links are made.
var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// three sealers: two with RSA keys, one with Ed25519 alone.
var three = sync.OnceValues(func() (*Sealer, dns.Resolver) {
	keys, names := map[string][]Key{}, dns.Names{}
	for _, domain := range []string{"one.test", "two.test"} {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		der, _ := x509.MarshalPKIXPublicKey(k.Public())
		keys[domain] = []Key{{Selector: "s", Signer: k}}
		names["s._domainkey."+domain] = map[string]any{"TXT": []string{"v=DKIM1; p=" + base64.StdEncoding.EncodeToString(der)}}
	}
	pub, ed, _ := ed25519.GenerateKey(rand.Reader)
	keys["three.test"] = []Key{{Selector: "s", Signer: ed}}
	names["s._domainkey.three.test"] = map[string]any{"TXT": []string{"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(pub)}}
	s, err := NewSealer(keys, func() time.Time { return now })
	if err != nil {
		panic(err)
	}
	return s, dns.MustZone(names)
})

// sealed adds a link of a domain, with what the filter says of the message.
func sealed(t testing.TB, msg, domain, results string) string {
	t.Helper()
	s, zone := three()
	fd, err := inspect(t, zone, msg)
	if err != nil {
		t.Fatal(err)
	}
	return link1(t, s, msg, pipeline.Link{Domain: domain, Chain: fd.Facts["result"].(string), Results: domain + "; " + results})
}

func link1(t testing.TB, s *Sealer, msg string, l pipeline.Link) string {
	t.Helper()
	fields, err := s.Seal(context.Background(), l, &mail.Message{Blob: mail.Bytes(msg)})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range fields {
		b.WriteString(f.String())
	}
	for _, line := range strings.Split(b.String(), "\r\n") {
		if len(line) > 998 {
			t.Errorf("a line of %d octets, RFC 5322 section 2.1.1 allows 998", len(line))
		}
	}
	return b.String() + msg
}

// TestSealAndValidate: what we seal is whole, and what becomes of it on its way
// shows.
func TestSealAndValidate(t *testing.T) {
	s, zone := three()
	one := sealed(t, letter, "one.test", "dmarc=pass header.from=example.test")
	footer := strings.Replace(one, "At noon?", "At noon?\r\n-- \r\nlist@two.test", 1)
	two := link1(t, s, "Received: from one.test\r\n"+footer, pipeline.Link{Domain: "two.test", Chain: "pass", Results: "two.test; arc=pass"})
	three := sealed(t, two, "three.test", "dmarc=fail")
	for _, c := range []struct {
		why, msg, result string
		chain            float64
	}{
		{"nobody sealed it", letter, "none", 0},
		{"one link", one, "pass", 1},
		{"two links, the body changed before the second", two, "pass", 2},
		{"three links, the last with Ed25519", three, "pass", 3},
		{"the body changed behind the last", strings.Replace(three, "noon", "one", 1), "fail", 3},
		{"the author changed", strings.Replace(three, "ann@", "eve@", 1), "fail", 3},
		{"a second author on top", "From: eve@evil.test\r\n" + three, "fail", 3},
		{"a signed field added", "Cc: eve@evil.test\r\n" + three, "fail", 3},
		{"a field that nobody signs", "X-Seen: yes\r\n" + three, "pass", 3},
		{"what the first one found, rewritten", strings.Replace(three, "dmarc=pass", "dmarc=fail", 1), "fail", 3},
	} {
		fd, err := inspect(t, zone, c.msg)
		if fd.Facts["result"] != c.result || fd.Facts["chain"] != c.chain || err != nil {
			t.Errorf("%s: %v, %v: %s", c.why, fd.Facts, err, fd.Reason)
		}
		if a := fd.Auth; len(a) != 1 || a[0].Method != "arc" || a[0].Result != c.result || (a[0].Reason != "") != (c.result == "fail") {
			t.Errorf("%s: %+v", c.why, a)
		}
	}
}

// TestSealingABrokenChain: the new link says so, and then nobody adds another
// (RFC 8617 section 5.1).
func TestSealingABrokenChain(t *testing.T) {
	s, zone := three()
	broken := strings.Replace(sealed(t, letter, "one.test", "dmarc=pass"), "noon", "one", 1)
	marked := sealed(t, broken, "two.test", "arc=fail")
	if !strings.HasPrefix(marked, "ARC-Seal: ") || !strings.Contains(marked, "cv=fail") || !strings.Contains(marked, "i=2; two.test; arc=fail") {
		t.Errorf("not sealed as broken:\n%s", marked)
	}
	if fd, _ := inspect(t, zone, marked); fd.Facts["result"] != "fail" {
		t.Errorf("a chain with cv=fail is %v", fd.Facts["result"])
	}
	if again := sealed(t, marked, "one.test", "arc=fail"); again != marked {
		t.Error("a chain that ended with cv=fail was continued")
	}
	// What a rule took away is not there; what it half took away is broken.
	_, headless, _ := strings.Cut(sealed(t, letter, "one.test", "dmarc=pass"), "ARC-Message-Signature:")
	got := link1(t, s, "ARC-Message-Signature:"+headless, pipeline.Link{Domain: "two.test", Chain: "pass", Results: "two.test; none"})
	if !strings.Contains(got, "cv=fail") {
		t.Error("half a chain was sealed as a whole one")
	}
	got = link1(t, s, letter, pipeline.Link{Domain: "two.test", Chain: "pass", Results: "two.test; none"})
	if !strings.Contains(got, "cv=none") || !strings.Contains(got, "i=1;") {
		t.Error("no chain was sealed as one")
	}
}

// TestNoMoreThanFiftyLinks: we make 50, which we take, and no 51st.
func TestNoMoreThanFiftyLinks(t *testing.T) {
	s, zone := three()
	msg := letter
	for i := range maxLinks {
		chain := "pass"
		if i == 0 {
			chain = "none"
		}
		msg = link1(t, s, msg, pipeline.Link{Domain: []string{"one.test", "three.test"}[i%2], Chain: chain, Results: "one.test; none"})
	}
	counted := &counting{Resolver: zone}
	var fd pipeline.Finding
	var err error
	took := metertest.CPU(t, func() { fd, err = inspect(t, counted, msg) })
	if fd.Facts["result"] != "pass" || fd.Facts["chain"] != 50.0 || err != nil {
		t.Errorf("%v, %v: %s", fd.Facts, err, fd.Reason)
	}
	if n := counted.n.Load(); n != 2 {
		t.Errorf("%d questions for two keys", n)
	}
	if took > 2*time.Second {
		t.Errorf("50 links took %v of processor time", took)
	}
	if more := link1(t, s, msg, pipeline.Link{Domain: "one.test", Chain: "pass", Results: "x"}); more != msg {
		t.Error("a 51st link was made")
	}
}

func TestSealerKnowsOnlyItsOwnDomains(t *testing.T) {
	s, _ := three()
	for _, d := range []string{"", "test", "a.one.test", "ONE.TEST"} {
		if got := link1(t, s, letter, pipeline.Link{Domain: d, Chain: "none", Results: "x"}); got != letter {
			t.Errorf("%q was sealed for", d)
		}
	}
	_, err := NewSealer(map[string][]Key{"one.test": {{Selector: "s1", PEM: "hello"}}}, time.Now)
	if err == nil || !strings.Contains(err.Error(), "s1 of one.test") {
		t.Error(err)
	}
}

// TestSealerPrefersRSA, which everybody verifies.
func TestSealerPrefersRSA(t *testing.T) {
	r, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	s, err := NewSealer(map[string][]Key{"a.test": {{Selector: "e", Signer: ed}, {Selector: "r", Signer: r}, {Selector: "later", Signer: r}}}, time.Now)
	if err != nil || s.keys["a.test"].selector != "r" {
		t.Errorf("%+v, %v", s.keys["a.test"], err)
	}
}

func ExampleSealer_Seal() {
	_, ed, _ := ed25519.GenerateKey(strings.NewReader(strings.Repeat("x", 64)))
	s, _ := NewSealer(map[string][]Key{"example.com": {{Selector: "s1", Signer: ed}}}, time.Now)
	fields, _ := s.Seal(context.Background(), pipeline.Link{Domain: "example.com", Chain: "none", Results: "mx.example.com; arc=none"},
		&mail.Message{Blob: mail.Bytes("From: ann@example.test\r\n\r\nHi.\r\n")})
	for _, f := range fields {
		fmt.Println(f.Name)
	}
	// Output:
	// ARC-Seal
	// ARC-Message-Signature
	// ARC-Authentication-Results
}
