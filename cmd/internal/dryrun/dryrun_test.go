package dryrun_test

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/forepost/forepost/cmd/internal/appliance"
	"github.com/forepost/forepost/cmd/internal/dryrun"
)

const zone = "testdata/site.json"

func open(t *testing.T, o appliance.DryOptions) *appliance.Dry {
	t.Helper()
	o.Zone = zone
	d, ds, err := appliance.OpenDry(t.Context(), appliance.Options{Config: "testdata/site.hcl"}, o)
	if err != nil {
		t.Fatal(ds, err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

const letter = "From: Ann <ann@stranger.test>\r\nTo: bob@example.com\r\nSubject: Hello\r\nDate: Mon, 23 Nov 2026 12:00:00 +0000\r\nMessage-ID: <a@stranger.test>\r\n\r\n.Hi\r\n"

// TestPlay: what a message comes to, taken and refused at each stage.
func TestPlay(t *testing.T) {
	d := open(t, appliance.DryOptions{})
	for _, c := range []struct {
		why, ip, from string
		to            []string
		text, says    string
		action, rule  string
	}{
		{"taken", "203.0.113.9", "ann@stranger.test", []string{"bob@example.com"}, letter, "250 2.0.0 Queued", "accept", ""},
		{"refused at MAIL, told at RCPT", "203.0.113.9", "boss@example.com", []string{"bob@example.com"}, letter, "550 5.7.23 203.0.113.9 may not send as example.com", "reject", "inbound.mail.reject.our-name"},
		{"a blocklist", "203.0.113.8", "ann@other.test", []string{"bob@example.com"}, letter, "is blocked: see https://zen.test/8", "reject", "inbound.rcpt.reject.dnsbl"},
		{"nobody relays", "203.0.113.9", "ann@stranger.test", []string{"x@elsewhere.test"}, letter, "550 5.7.1", "reject", "builtin.relay"},
		{"unknown here", "203.0.113.9", "ann@stranger.test", []string{"nobody@example.com"}, letter, "550 5.1.1", "reject", "builtin.recipient"},
		{"a bare line feed", "203.0.113.9", "ann@stranger.test", []string{"bob@example.com"}, strings.Replace(letter, "Hi\r\n", "Hi\n", 1), "554 5.6.0", "reject", "builtin.lines"},
		{"an address of IPv6", "2001:db8::9", "", []string{"eve@example.com", "any@lab.example.com"}, letter, "250 2.0.0 Queued", "accept", ""},
	} {
		a, err := dryrun.Play(t.Context(), d, dryrun.Client{IP: ip(c.ip)}, dryrun.Message{From: c.from, To: c.to, Text: []byte(c.text)})
		if err != nil || a.Record == nil || len(a.Record.Outcomes) == 0 {
			t.Errorf("%s: %+v, %v", c.why, a, err)
			continue
		}
		var said strings.Builder
		for _, s := range a.Said {
			said.WriteString(strings.Join(s.Lines, "\n") + "\n")
		}
		o := a.Record.Outcomes[0]
		if !strings.Contains(said.String(), c.says) || o.Action != c.action || o.Rule != c.rule {
			t.Errorf("%s: %s by %s\n%s", c.why, o.Action, o.Rule, said.String())
		}
	}
}

// TestSessions: what is typed, what is answered, which rules ran.
func TestSessions(t *testing.T) {
	names, _ := filepath.Glob("testdata/*.session")
	if len(names) < 3 {
		t.Fatal("where are the sessions?")
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		typed, want, _ := strings.Cut(string(text), "-- answers --\n")
		head, typed, _ := strings.Cut(typed, "-- typed --\n")
		c := dryrun.Client{IP: ip("203.0.113.9")}
		for _, word := range strings.Fields(head) {
			switch k, v, _ := strings.Cut(word, "="); k {
			case "ip":
				c.IP = ip(v)
			case "tls":
				c.TLS = true
			}
		}
		var out bytes.Buffer
		if err := dryrun.Session(t.Context(), open(t, appliance.DryOptions{}), c, strings.NewReader(typed), &out); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got := keywords.ReplaceAllString(ids.ReplaceAllString(out.String(), "ID"), "")
		if os.Getenv("FOREPOST_WRITE") != "" {
			if err := os.WriteFile(name, []byte(strings.TrimSuffix(string(text), "-- answers --\n"+want)+"-- answers --\n"+got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}

// keywords are what EHLO tells, which is not what is tested here.
var keywords = regexp.MustCompile(`(?m)^250(-.*| [A-Z0-9]+)\n`)

// ids are in every reply, and differ from run to run.
var ids = regexp.MustCompile(`\b[0-9A-Za-z]{13}\b`)
