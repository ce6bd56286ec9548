package story

import (
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/trail"
)

func TestWrite(t *testing.T) {
	from := "a@b.test"
	at := time.Date(2026, 11, 20, 9, 14, 3, 0, time.UTC)
	var b strings.Builder
	err := Write(&b, trail.Story{
		Record: &trail.Record{
			ID: "4bQz7K2MwXc9T", Time: at, Listener: "edge", Client: trail.Client{IP: "203.0.113.9", Helo: "mail.b.test", TLS: "TLS 1.3"},
			From: &from, To: []string{"bob@example.com"}, Subject: "Quarterly\x1b[31m figures", Size: 41234,
			Policy: "inbound", Hash: "9f31aa22bb33cc44", Loaded: at.Add(-time.Hour), Points: "7.7",
			Rules: []*trail.Rule{
				{Stage: "rcpt", Path: "inbound.rcpt.reject.dnsbl", Outcome: "no", Why: "dnsbl.zen.listed = false"},
				{Stage: "rcpt", Path: "inbound.rcpt.greylist.strangers", Outcome: "no", Why: `spf.result = "pass"`},
				{Stage: "data", Path: "inbound.data.quarantine.zip", Outcome: "would", Why: "shadow since 2026-11-01"},
			},
			Facts:    []trail.Fact{{Filter: "dnsbl.zen", Error: "timeout", Took: 3_000_000}, {Filter: "spf", Values: map[string]any{"result": "pass"}, Took: 12_345}},
			Outcomes: []trail.Outcome{{To: []string{"bob@example.com"}, Action: "quarantine", Rule: "inbound.thresholds.quarantine", Where: "spam", Reply: "250 2.0.0 Queued as 4bQz7K2MwXc9T"}},
		},
		Events: []trail.Event{{Time: at.Add(time.Second), What: "delivered", To: "spam@quarantine.invalid", Host: "store"}},
		Now:    []string{"kept in quarantine.spam until 2026-12-20; bob\u202e may release"},
	}, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	want := `4bQz7K2MwXc9T  2026-11-20 09:14:03  edge  203.0.113.9 (no name)  helo mail.b.test  TLS 1.3
from a@b.test  to bob@example.com  subject "Quarterly?[31m figures"  41.2 kB
policy inbound, sha256 9f31aa22bb33, loaded 2026-11-20 08:14:03

  rcpt  reject      dnsbl      no     dnsbl.zen.listed = false
        greylist    strangers  no     spf.result = "pass"
  data  quarantine  zip        WOULD  shadow since 2026-11-01

  found  dnsbl.zen  3s    could not tell: timeout
         spf        12ms  result=pass

  score 7.7
  QUARANTINE  bob@example.com  by inbound.thresholds.quarantine  into spam
      said: 250 2.0.0 Queued as 4bQz7K2MwXc9T

  2026-11-20 09:14:04  delivered  spam@quarantine.invalid  at store

  kept in quarantine.spam until 2026-12-20; bob? may release
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// What outlives its decision is told all the same.
func TestEventsAlone(t *testing.T) {
	var b strings.Builder
	s := trail.Story{Events: []trail.Event{{ID: "4bQz7K2MwXc9T", What: "bounced", Reply: "550 5.1.1 no\r\nsuch user"}}}
	if err := Write(&b, s, time.UTC); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.Contains(got, "no longer kept") || !strings.Contains(got, "said: 550 5.1.1 no  such user") {
		t.Errorf("%s", got)
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"\x1b]0;owned\x07": "?]0;owned?",
		"a\u202eb":         "a?b",
		"a\u0085b":         "a?b",
		"gr\u00fc\u00dfe":  "gr\u00fc\u00dfe",
		"a\r\nb":           "a  b",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPlain(t *testing.T) {
	at := time.Now() // with the reading of a clock that only counts
	got := values(map[string]any{"first_seen": at, "wait": 4*time.Minute + 59*time.Second + 999_996_253, "n": 3, "none": ""})
	if want := "first_seen=" + at.UTC().Format(time.RFC3339) + " n=3 wait=5m0s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
