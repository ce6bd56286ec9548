package replay

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/filters/builtin"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/trail"
)

const benchConfig = `
hostname = "mx.example.com"
domain "example.com" {
  route = route.mx
}
listener "edge" {
  address = ":25"
  policy  = policy.inbound
}
list "partners" {
  type  = domain
  items = ["partner.test"]
}
policy "inbound" {
  thresholds = { tag = 4, reject = 15 }
  mail {
    skip "partners" {
      when    = listed(mail.domain, list.partners) && spf.result == "pass"
      classes = ["spam"]
    }
  }
  rcpt {
    greylist "strangers" {
      when  = spf.result != "pass"
      delay = "5m"
    }
  }
  data {
    reject "dmarc" {
      when = dmarc.result == "fail" && dmarc.policy == "reject"
      text = "5.7.1 no"
    }
    score "sender" {
      spf_fail = points(3, spf.result == "fail")
      no_rdns  = points(1.5, client.name == "")
      no_id    = points(2, msg.id == "")
    }
    reject "free" {
      when = contains(lower(msg.subject), "free")
      text = "5.7.1 no"
    }
  }
}
`

func benchJudge(t testing.TB) *Judge {
	t.Helper()
	j, ds, err := New("/etc/main.hcl", Options{Load: policies.Options{Kinds: builtin.Kinds(),
		ReadFile: func(name string) ([]byte, error) {
			if name == "/etc/main.hcl" {
				return []byte(benchConfig), nil
			}
			return nil, os.ErrNotExist
		}}})
	if err != nil || j == nil {
		t.Fatal(err, ds)
	}
	return j
}

// recordOf is a message as the trail has it; every tenth is free.
func recordOf(n int) *trail.Record {
	from, subject := fmt.Sprintf("a%d@d%d.test", n, n%1000), "Figures"
	if n%10 == 0 {
		subject = "Free figures"
	}
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second)
	return &trail.Record{ID: mail.NewIDs("a", func() time.Time { return at }).Session().Transaction(0), Time: at, Judged: at, Listener: "edge", Policy: "inbound",
		Client: trail.Client{IP: netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}).String(), Helo: "mx.test"}, From: &from, To: []string{"bob@example.com"},
		Rcpts: []trail.Rcpt{{Address: "bob@example.com", Ours: true, Known: true, Domain: "example.com"}}, Read: true, Size: 4000, Type: "text/plain",
		Header: []trail.Field{{Name: "From", Value: from}, {Name: "Subject", Value: subject}, {Name: "Message-ID", Value: "<1@x>"}},
		Facts: []trail.Fact{{Filter: "spf", Values: map[string]any{"result": "pass", "domain": "d.test"}}, {Filter: "dmarc", Values: map[string]any{"result": "none"}},
			{Filter: "iprev", Values: map[string]any{"name": "mx.test", "fcrdns": true}}},
		Outcomes: []trail.Outcome{{To: []string{"bob@example.com"}, Action: "accept"}}}
}

// TestManyRecords: what a rule would change is counted, by rule and domain.
// With FOREPOST_REPLAY it is 100,000 records.
func TestManyRecords(t *testing.T) {
	n := 2000
	if os.Getenv("FOREPOST_REPLAY") != "" {
		n = 100_000
	}
	j, rep := benchJudge(t), NewReport()
	list := make([]*trail.Record, n)
	for i := range list {
		list[i] = recordOf(i)
	}
	begin := time.Now()
	for _, r := range list {
		out, err := j.Replay(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		rep.Add(r, out)
	}
	t.Logf("%d records in %v", n, time.Since(begin))
	s := rep.Snapshot()
	if s.Messages != n || len(s.Changes) != 1 || s.Changes[0].N != n/10 || s.Changes[0].Rule != "inbound.data.reject.free" || len(s.CannotTell) != 0 || len(s.IDs) != n/10 {
		t.Errorf("%+v", s)
	}
}

// TestRecordsThatLack: what is not known matters only where it does.
func TestRecordsThatLack(t *testing.T) {
	j := benchJudge(t)
	for name, c := range map[string]struct {
		change func(*trail.Record)
		want   string
		lacks  string
	}{
		"all of it":                         {func(*trail.Record) {}, "accept", ""},
		"dmarc, which may have failed":      {func(r *trail.Record) { r.Facts = append(r.Facts[:1:1], r.Facts[2]) }, CannotTell, "dmarc"},
		"the name of the client: 1.5 of 15": {func(r *trail.Record) { r.Facts = r.Facts[:2] }, "accept", ""},
		"spf, and so the greylist":          {func(r *trail.Record) { r.Facts = r.Facts[1:] }, CannotTell, "spf"},
		"a filter that could not tell":      {func(r *trail.Record) { r.Facts[1].Error = "timeout" }, "accept", ""},
		"it was refused before the data": {func(r *trail.Record) {
			r.Read, r.Header = false, nil
			r.Outcomes[0].Action, r.Outcomes[0].Rule = "reject", "inbound.rcpt.reject.x"
		}, CannotTell, "the message itself: it was refused before it was sent"},
		"the recipient does not exist": {func(r *trail.Record) {
			r.Read = false
			r.Outcomes[0].Action, r.Outcomes[0].Rule = "reject", "builtin.recipient"
		}, "reject", ""},
		"the client went away": {func(r *trail.Record) { r.Read = false; r.Outcomes[0].Action = "abort" }, "abort", ""},
	} {
		r := recordOf(1)
		c.change(r)
		out, err := j.Replay(context.Background(), r)
		if err != nil || len(out.Fates) != 1 {
			t.Fatalf("%s: %+v, %v", name, out, err)
		}
		f := out.Fates[0]
		if f.Now.Action != c.want || c.lacks != "" && (len(f.Lacks) == 0 || f.Lacks[0] != c.lacks) {
			t.Errorf("%s: %+v, want %s %s", name, f, c.want, c.lacks)
		}
	}
	old := recordOf(1)
	old.Rcpts = nil
	if _, err := j.Replay(context.Background(), old); err != ErrOld {
		t.Errorf("an old record: %v", err)
	}
}

// TestLacksAreFacts: what a record lacks is named as rules ask for it, not by the
// filter that would have found it.
func TestLacksAreFacts(t *testing.T) {
	got := benchJudge(t).asRulesSay([]string{"body", "body.text", "dmarc", "dnsbl.zen", "header Subject"})
	if want := "msg.text or msg.urls or msg.cut|msg.text|dmarc|dnsbl.zen|header Subject"; strings.Join(got, "|") != want {
		t.Errorf("%q", got)
	}
}
