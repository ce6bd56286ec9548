package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/dns"
)

// liveZone is a DNS whose records a test publishes as it goes.
type liveZone struct {
	atomic.Pointer[dns.Zone]
	later atomic.Pointer[dns.Zone] // takes its place after some questions
	left  atomic.Int32
	addr  string
}

func newLiveZone(t *testing.T) *liveZone {
	t.Helper()
	z := &liveZone{}
	z.publish(t, "")
	s := dns.NewServer(z)
	if err := s.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	z.addr = s.Addr()
	return z
}

func (z *liveZone) Query(ctx context.Context, name string, qtype uint16) (dns.Answer, error) {
	if z.left.Add(-1) == 0 {
		z.Store(z.later.Load())
	}
	return z.Load().Query(ctx, name, qtype)
}

// publishAfter is publish when some more questions were asked.
func (z *liveZone) publishAfter(t *testing.T, questions int32, text string) {
	t.Helper()
	zone, err := dns.ParseZone("live.zone", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	z.later.Store(zone)
	z.left.Store(questions)
}

// publish makes text, in master format, the whole zone.
func (z *liveZone) publish(t *testing.T, text string) {
	t.Helper()
	zone, err := dns.ParseZone("live.zone", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	z.Store(zone)
}

// keyRoom is a configuration with a domain and a key directory.
type keyRoom struct {
	t      *testing.T
	dir    string
	config string
	zone   *liveZone
}

func newKeyRoom(t *testing.T) *keyRoom {
	r := &keyRoom{t: t, dir: t.TempDir(), zone: newLiveZone(t)}
	r.config = filepath.Join(r.dir, "forepost.hcl")
	r.configure("")
	return r
}

// configure writes the configuration with an attribute dkim, or without.
func (r *keyRoom) configure(attribute string) {
	r.t.Helper()
	text := "hostname = \"gw.test\"\ndata_dir = \"" + r.dir + "\"\ndns { resolvers = [\"" + r.zone.addr + "\"] }\n" +
		"# ours\ndomain \"send.test\" {\n  route = route.mx # all of it\n" + attribute + "}\n"
	if err := os.WriteFile(r.config, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *keyRoom) dkim(wantCode int, args ...string) (stdout, stderr string) {
	r.t.Helper()
	code, out, errs := forepost(append(append([]string{"dkim"}, args...), "--config", r.config)...)
	if code != wantCode {
		r.t.Fatalf("dkim %v ends with %d, want %d\n%s%s", args, code, wantCode, out, errs)
	}
	return out, errs
}

// has checks that a text has some pieces.
func has(t *testing.T, text string, pieces ...string) {
	t.Helper()
	for _, p := range pieces {
		if !strings.Contains(text, p) {
			t.Errorf("no %q in\n%s", p, text)
		}
	}
}

func TestKeygenThenListThenRecord(t *testing.T) {
	r := newKeyRoom(t)
	out, _ := r.dkim(exitDone, "keygen", "send.test", "--selector", "s1")
	config, records, ok := strings.Cut(out, "; The DNS:\n")
	if !ok || strings.Contains(out, "PRIVATE") {
		t.Fatalf("keygen says\n%s", out)
	}
	if again, _ := r.dkim(exitDone, "record", "send.test"); !sameLines(again, records) {
		t.Errorf("record prints\n%s\nkeygen printed\n%s", again, records)
	}
	attribute := regexp.MustCompile(`(?s)  dkim = \[.*\]\n`).FindString(config)
	r.configure(attribute)
	if again, _ := r.dkim(exitDone, "record", "send.test"); strings.Contains(again, "nothing signs") {
		t.Errorf("keys of the configuration are shown as unused:\n%s", again)
	}
	out, _ = r.dkim(exitFailed, "list")
	has(t, out, "send.test\ts1-rsa\trsa-2048\tsigns\tmissing: there is no TXT record", "s1-ed25519\ted25519\tsigns\tmissing")
	r.zone.publish(t, records)
	out, _ = r.dkim(exitDone, "list")
	has(t, out, "s1-rsa\trsa-2048\tsigns\tok", "s1-ed25519\ted25519\tsigns\tok")
	out, _ = r.dkim(exitDone, "list", "send.test", "--json")
	var row keyJSON
	if err := json.Unmarshal([]byte(strings.Split(out, "\n")[0]), &row); err != nil || row.DNS != "ok" || row.Use != signs || row.Name != "s1-rsa._domainkey.send.test" || row.Record != "" {
		t.Errorf("%v: %s", err, out)
	}
	out, _ = r.dkim(exitDone, "record", "send.test", "s1-ed25519", "--format", "table")
	has(t, out, "NAME", "s1-ed25519._domainkey.send.test\tTXT\tv=DKIM1; k=ed25519; p=")
	out, _ = r.dkim(exitDone, "record", "--json")
	if n := strings.Count(out, `"record":"v=DKIM1; k=`); n != 2 {
		t.Errorf("%d records:\n%s", n, out)
	}
	r.zone.publish(t, "s1-rsa._domainkey.send.test. IN TXT \"v=DKIM1; p=\"\ns1-ed25519._domainkey.send.test. IN TXT \"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\n")
	out, _ = r.dkim(exitFailed, "list")
	has(t, out, "revoked: the key is revoked", "differs: the record has another key")
}

// sameLines compares texts whose lines are in different order, comments apart.
func sameLines(a, b string) bool {
	sorted := func(s string) []string {
		lines := strings.Split(strings.TrimSpace(s), "\n")
		slices.Sort(lines)
		return slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, ";") })
	}
	return slices.Equal(sorted(a), sorted(b))
}

// A whole rotation as an operator goes through it, over a real DNS server.
func TestRotate(t *testing.T) {
	r := newKeyRoom(t)
	out, _ := r.dkim(exitDone, "keygen", "send.test", "--selector", "old", "--sort", "ed25519")
	_, old, _ := strings.Cut(out, "; The DNS:\n")
	r.configure(regexp.MustCompile(`(?s)  dkim = \[.*\]\n`).FindString(out))
	r.zone.publish(t, old)
	out, _ = r.dkim(exitDone, "rotate", "send.test", "--check")
	has(t, out, "no rotation is under way")

	out, errs := r.dkim(exitFailed, "rotate", "send.test", "--selector", "new")
	has(t, out, "new-rsa._domainkey.send.test. 3600 IN TXT (", "publish: the DNS does not have all new keys")
	has(t, errs, "new-rsa: missing", "new-ed25519: missing")
	fresh := regexp.MustCompile(`(?s)new-rsa\._domain.*?\n(?:publish)`).FindString(out)
	fresh = strings.TrimSuffix(fresh, "publish")

	// One of two is not enough; the next call makes no further keys.
	first, second, _ := strings.Cut(fresh, "new-ed25519.")
	r.zone.publish(t, old+first)
	out, errs = r.dkim(exitFailed, "rotate", "send.test")
	has(t, out, "new-rsa._domainkey", "publish:")
	if strings.Contains(errs, "new-rsa: missing") || strings.Count(out, "IN TXT") != 2 {
		t.Errorf("the second call says\n%s%s", out, errs)
	}
	list, _ := r.dkim(exitDone, "list")
	has(t, list, "old\ted25519\tsigns\tok", "new-rsa\trsa-2048\tnew\tok", "new-ed25519\ted25519\tnew\tmissing")

	// It waits, and sees what is published meanwhile.
	r.zone.publishAfter(t, 7, old+first+"new-ed25519."+second)
	out, _ = r.dkim(exitDone, "rotate", "send.test", "--wait", "20s", "--every", "50ms")
	if r.zone.left.Load() > 0 {
		t.Error("it did not wait for the records")
	}
	has(t, out, "switch: the DNS has the new keys", `{ selector = "new-rsa", key = file("`+r.dir+`/dkim/send.test/new-rsa.pem") }`)

	before, err := os.ReadFile(r.config)
	if err != nil {
		t.Fatal(err)
	}
	out, _ = r.dkim(exitDone, "rotate", "send.test", "--write")
	has(t, out, "signs with the new keys now; put it in force with forepost reload")
	after, err := os.ReadFile(r.config)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(after), `"old"`) || !strings.Contains(string(after), "route = route.mx # all of it\n") || len(after) <= len(before) {
		t.Errorf("the configuration was\n%s\nand is\n%s", before, after)
	}

	out, _ = r.dkim(exitDone, "rotate", "send.test")
	has(t, out, "keep: send.test signs with the new keys; leave the old records (old) in the DNS until")
	list, _ = r.dkim(exitDone, "list")
	has(t, list, "new-rsa\trsa-2048\tsigns\tok", "old\ted25519\told\tok")
	r.zone.publish(t, fresh)
	list, _ = r.dkim(exitFailed, "list")
	has(t, list, "old\tmissing") // taken away too early

	out, _ = r.dkim(exitDone, "rotate", "send.test", "--keep", "0s", "--check")
	has(t, out, "withdraw: the old records of send.test can be removed", "  old._domainkey.send.test\n")
	out, _ = r.dkim(exitDone, "rotate", "send.test", "--keep", "0s")
	has(t, out, "withdraw:")
	out, _ = r.dkim(exitDone, "rotate", "send.test", "--check")
	has(t, out, "no rotation is under way")
	list, _ = r.dkim(exitDone, "list")
	has(t, list, "old\ted25519\tunused\tmissing")
}

func TestRotateMistakes(t *testing.T) {
	r := newKeyRoom(t)
	_, errs := r.dkim(exitFailed, "rotate", "other.test")
	has(t, errs, "no domain block for other.test", "keygen")
	r.dkim(exitUsage, "rotate", "not a domain")
	r.dkim(exitUsage, "rotate")
	r.dkim(exitUsage, "record", "--format", "xml")
	_, errs = r.dkim(exitFailed, "record", "other.test")
	has(t, errs, "no key is known of other.test")
	r.dkim(exitDone, "keygen", "send.test", "--selector", "s", "--sort", "ed25519")
	_, errs = r.dkim(exitFailed, "keygen", "send.test", "--selector", "s", "--sort", "ed25519")
	has(t, errs, "never written over")

	// The wait ends when its time is over, and a domain in another shape of file is
	// left to the operator.
	start := time.Now()
	out, errs := r.dkim(exitFailed, "rotate", "send.test", "--sort", "ed25519", "--selector", "n", "--wait", "300ms", "--every", "50ms")
	if took := time.Since(start); took < 300*time.Millisecond || took > 10*time.Second {
		t.Errorf("it waited %v", took)
	}
	has(t, out+errs, "n: missing", "looking every 50ms", "publish:")
	if err := os.Remove(filepath.Join(r.dir, "dkim", "send.test", "n.pem")); err != nil {
		t.Fatal(err)
	}
	_, errs = r.dkim(exitFailed, "rotate", "send.test")
	has(t, errs, "the new key n is gone", "rotation.json")
	if err := os.WriteFile(r.config, []byte("domain {"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, errs = r.dkim(exitFailed, "list")
	has(t, errs, "Error: ")
}

// What keygen prints, taken as it stands, makes a gateway sign with both keys;
// its signatures pass where keygen's records are published, whatever
// canonicalization a rule asks for.
func TestKeygenSignAndVerify(t *testing.T) {
	dir := t.TempDir()
	code, out, errs := forepost("dkim", "keygen", "send.test", "--dir", filepath.Join(dir, "keys"))
	if code != exitDone {
		t.Fatalf("keygen ends with %d\n%s", code, errs)
	}
	block, records, _ := strings.Cut(out, "; The DNS:\n")
	next := newSink(t)
	block = strings.Replace(block, "domain \"send.test\" {", "domain \"send.test\" {\n  route = route.inside\n  recipients = any", 1)
	g := serveGateway(t, block+`
hostname = "gw.test"
route "inside" { to = ["`+next.addr+`"] }
listener "edge" {
  address    = "127.0.0.1:0"
  policy     = policy.out
  relay_from = ["127.0.0.0/8"]
}
policy "out" {
  data {
    sign "dkim" {}
    sign "simple" {
      when             = msg.subject == "simple/simple"
      canonicalization = simple
    }
    sign "header" {
      when             = msg.subject == "simple/relaxed"
      canonicalization = simple_relaxed
    }
    sign "body" {
      when             = msg.subject == "relaxed/simple"
      canonicalization = relaxed_simple
    }
  }
}
`)
	zone := filepath.Join(dir, "dns.zone")
	if err := os.WriteFile(zone, []byte(records), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"relaxed/relaxed", "simple/simple", "simple/relaxed", "relaxed/simple"} {
		checkSigned(t, g, next, zone, form)
	}
}

// checkSigned sends a message that has the canonicalization wanted as its Subject.
func checkSigned(t *testing.T, g *gateway, next *sink, zone, form string) {
	t.Helper()
	if err := sendOne(g.address("smtp", "edge"), "b@send.test", form); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() (string, bool) { return "not relayed", next.subjects()[form] == 1 })
	next.mu.Lock()
	raw := next.raw[form]
	next.mu.Unlock()
	code, out, errs := forepost("auth", "--json", "--eml", writeFile(t, "letter.eml", raw), "--zone", zone)
	if code != exitDone {
		t.Fatalf("auth ends with %d\n%s", code, errs)
	}
	a := answerOf(t, out)
	if len(a.DKIM) != 2 || a.DKIM[0].Result != "pass" || a.DKIM[1].Result != "pass" || a.DKIM[0].Algorithm == a.DKIM[1].Algorithm {
		t.Errorf("%s: %+v", form, a.DKIM)
	}
	if n := strings.Count(strings.ReplaceAll(raw, " ", ""), "c="+form+";"); n != 2 {
		t.Errorf("%d signatures have c=%s\n%s", n, form, raw)
	}
}
