package arc

import (
	"compress/gzip"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

// merged is what the suite calls consolidation: the results of all
// Authentication-Results fields of our own server, and what they say of ARC.
func merged(t *testing.T, v vector) (results, chain string) {
	t.Helper()
	p, err := mime.Parse(mail.Bytes(wire(v.Message)), mime.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	results, chain = v.Server, "none"
	for _, f := range p.All("Authentication-Results") {
		id, rest, _ := strings.Cut(f.Raw, ";")
		if strings.TrimSpace(id) != v.Server {
			continue
		}
		results += ";" + strings.TrimRight(rest, " \r\n\t;")
		if m := regexp.MustCompile(`arc=(\w+)`).FindStringSubmatch(rest); m != nil {
			chain = m[1]
		}
	}
	return results, chain
}

// TestSigningSuite: the 17 links, whose signatures must be the very ones. Nobody
// but the suite chooses the fields to sign, and has b= in one line.
func TestSigningSuite(t *testing.T) {
	n := 0
	for _, s := range scenarios(t, "arc-draft-sign-tests.yml.gz", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }) {
		for _, v := range s.Tests {
			n++
			s1, err := NewSealer(map[string][]Key{s.Domain: {{Selector: s.Selector, PEM: s.PrivateKey}}}, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			got := suiteLink(t, s1, s, v)
			for name, want := range map[string]string{sealName: v.AS, signatureName: v.AMS, resultsName: v.AAR} {
				if want = flat(want); flat(got[name]) != want {
					t.Errorf("%s: %s\n%s\nwant\n%s", v.Name, name, flat(got[name]), want)
				}
			}
		}
	}
	if n != 17 {
		t.Errorf("%d cases, want 17", n)
	}
}

// suiteLink makes the link of a case.
func suiteLink(t *testing.T, sealer *Sealer, s scenario, v vector) map[string]string {
	t.Helper()
	msg := &mail.Message{Blob: mail.Bytes(wire(v.Message))}
	p, err := mime.Parse(msg, mime.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	results, state := merged(t, v)
	w := &work{key: sealer.keys[s.Domain], link: pipeline.Link{Domain: s.Domain, Chain: state, Results: results},
		width: 1 << 10, stamp: v.T, msg: msg, part: p, signed: strings.Split(v.Headers, ":")}
	got := map[string]string{}
	if !w.begin() {
		return got
	}
	fields, err := w.fields()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fields {
		got[f.Name] = f.Value
	}
	return got
}

// flat is a value without folds, and b= in one piece.
func flat(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return regexp.MustCompile(`b=[^;]*`).ReplaceAllStringFunc(s, func(b string) string { return strings.ReplaceAll(b, " ", "") })
}
