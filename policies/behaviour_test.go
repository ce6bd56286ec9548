package policies

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// head is what every policy below stands under.
const head = `
hostname = "mx.example.com"
classes  = ["spam", "malware", "bulk"]
domain "example.com" {
  route      = route.store
  recipients = any
}
domain "lax.example" {
  route      = route.store
  recipients = any
  thresholds = { reject = 100 }
  quarantine = quarantine.lax
}
quarantine "spam" {}
quarantine "lax" {}
filter "dnsbl" "zen" {
  zone     = "zen.example"
  on_error = defer
}
list "partners" {
  type  = address
  items = ["@partner.test", "kim@friend.test"]
}
list "nets" {
  type  = ip
  items = ["203.0.113.0/24"]
}
`

// conditions are asked at data of a message from ann@stranger.test, 203.0.113.9,
// where spf is softfail and dkim fails to tell with a word for it.
func TestConditions(t *testing.T) {
	cases := []struct{ cond, want, why string }{
		{`true`, "yes", ""},
		{`client.ip == "203.0.113.9"`, "yes", "a text beside an address is one"},
		{`within(client.ip, "203.0.113.0/24", "10.0.0.0/8")`, "yes", ""},
		{`within(client.ip, list.nets)`, "yes", ""},
		{`listed(client.ip, list.nets)`, "yes", ""},
		{`listed(client.ip, ["10.0.0.0/8"])`, "no", ""},
		{`listed(mail.from, list.partners)`, "no", ""},
		{`listed(mail.from, ["ANN@stranger.test"])`, "yes", "case does not count"},
		{`listed("kim@friend.test", list.partners)`, "yes", "folded"},
		{`overlaps(msg.to, ["bob@example.com"])`, "yes", ""},
		{`spf.result == "softfail"`, "yes", ""},
		{`spf.result != "softfail"`, "no", ""},
		{`spf.result == "softfail" && mail.domain == "stranger.test"`, "yes", ""},
		{`dkim.result == "temperror"`, "yes", "the word for could-not-tell, asked by name"},
		{`dkim.result != "temperror"`, "no", "likewise"},
		{`dkim.result == "pass"`, "unknown", "could not tell"},
		{`dkim.result != "pass"`, "unknown", "could not tell, so not even that it did not pass"},
		{`!(dkim.result == "pass")`, "unknown", ""},
		{`dkim.result == "pass" && mail.null`, "no", "no is no, whatever the other side"},
		{`mail.null && dkim.result == "pass"`, "no", ""},
		{`dkim.result == "pass" || !mail.null`, "yes", "yes is yes, whatever the other side"},
		{`dkim.result == "pass" || mail.null`, "unknown", ""},
		{`length(dkim.domains) > 0`, "unknown", ""},
		{`dkim.result == "pass" ? true : false`, "unknown", ""},
		{`mail.null ? dkim.result == "pass" : true`, "yes", "one side is asked"},
		{`coalesce(auth.user, client.ip) == "203.0.113.9"`, "yes", ""},
		{`own_domain(rcpt.domain) && !own_domain(mail.domain)`, "yes", ""},
		{`subdomain_of("a.b.test", "b.test") && !subdomain_of("ab.test", "b.test")`, "yes", ""},
		{`org_domain("a.b.example.co.uk") == "example.co.uk"`, "yes", ""},
		{`domain_of(mail.from) == "stranger.test" && local_of(mail.from) == "ann"`, "yes", ""},
		{`base_address("Ann+news@X.test") == "ann@x.test"`, "yes", ""},
		{`lower("A") == "a" && upper("a") == "A" && trim("  a ") == "a"`, "yes", ""},
		{`contains(msg.subject, "gr\u00fc")`, "yes", "RFC 2047 is undone"},
		{`starts_with(mail.from, "ANN") && ends_with(mail.from, ".test")`, "yes", ""},
		{`matches(mail.from, "^a.n@") && glob(mail.from, "ann@*.test")`, "yes", ""},
		{`replace("a1b2", "[0-9]", "") == "ab"`, "yes", ""},
		{`join("-", split(".", mail.domain)) == "stranger-test"`, "yes", ""},
		{`format("%s is %d%%", mail.domain, 5) == "stranger.test is 5%"`, "yes", ""},
		{`min(3, 1, 2) == 1 && max(1, 3) == 3 && 7 % 4 == 3 && 2 + 2 * 2 == 6 && -1 < 0 && 1 / 0 == 0`, "yes", ""},
		{`size("1KB") == 1024 && msg.size < size("1MB") && msg.size > 100`, "yes", ""},
		{`duration("90m") == "1h30m" && duration("2d") > "1d"`, "yes", ""},
		{`between("11:00", "13:00") && !between("13:00", "11:00") && between("22:00", "12:01")`, "yes", ""},
		{`weekday() == "mon"`, "yes", ""},
		{`header("x-mark") == "one" && length(headers("X-Mark")) == 2 && header("None") == ""`, "yes", ""},
		{`similar("examp1e.com", "example.com") && !similar("stranger.test", "example.com")`, "yes", ""},
		{`sha256("a") == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"`, "yes", ""},
		{`lookup({ "stranger.test" = "x", b = "y" }, mail.domain, "z") == "x" && lookup({ b = "y" }, mail.domain, "z") == "z"`, "yes", ""},
		{`any(mail.null, mail.smtputf8) || all(mail.null)`, "no", ""},
		{`any(mail.null, true) && all(true, !mail.null)`, "yes", ""},
		{`msg.from == "ann@stranger.test" && msg.from_name == "Ann B" && msg.from_domain == "stranger.test"`, "yes", ""},
		{`"${mail.size}" == "0" && "${client.ip}" == "203.0.113.9" && "${mail.null}" == "false"`, "yes", "what is no text is compared as one"},
		{`"${client.ip} and ${mail.domain}" == "203.0.113.9 and stranger.test"`, "yes", ""},
		{`session.listener == "edge" && helo.name == "mail.stranger.test" && rcpt.known && rcpt.count == 1`, "yes", ""},
	}
	for _, c := range cases {
		w := newWorld()
		w.facts["spf"] = pipeline.Facts{"result": "softfail"}
		w.facts["dkim"] = pipeline.Facts{"result": "temperror"}
		w.fail["dkim"] = true
		p := w.plan(t, head+"policy \"p\" {\n data {\n tag \"x\" {\n when = "+c.cond+"\n add = [\"hit\"]\n}\n}\n}\n")
		tx := transaction(t, "bob@example.com")
		vs := p.Run(context.Background(), pipeline.Data, tx)
		got := tx.Trace.Rules[0].Outcome
		if got != c.want || (len(vs[0].Ledger.Tags) == 1) != (got == "yes") {
			t.Errorf("%s: got %s %v, want %s (%s)", c.cond, got, vs[0].Ledger.Tags, c.want, c.why)
		}
	}
}

// act runs a policy over all stages, as inbound does, until something refuses.
func act(t testing.TB, w *world, text string, tx *pipeline.Transaction) []pipeline.Verdict {
	t.Helper()
	p := w.plan(t, head+text)
	ctx := context.Background()
	for _, at := range []pipeline.Stage{pipeline.Connect, pipeline.Helo, pipeline.Mail} {
		if vs := p.Run(ctx, at, tx); len(vs) > 0 && vs[0].Action.Refuses() {
			return vs
		}
	}
	for i := range tx.To {
		tx.Current = i
		if vs := p.Run(ctx, pipeline.Rcpt, tx); len(vs) > 0 && vs[0].Action.Refuses() {
			return vs
		}
	}
	return p.Run(ctx, pipeline.Data, tx)
}

// said is a verdict in a line.
func said(vs []pipeline.Verdict) string {
	var out []string
	for _, v := range vs {
		s := v.Action.String()
		if v.Rule != "" {
			s += " by " + v.Rule
		}
		if v.Action == pipeline.Quarantine {
			s += " into " + v.Into
		}
		if !v.Reply.IsZero() {
			s += ": " + v.Reply.String()
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

// TestSeal: the rule sign "arc" asks the filter for the state of the chain, and
// adds to the ledger what is not sign "dkim".
func TestSeal(t *testing.T) {
	for _, c := range []struct {
		rules      string
		sign, seal bool
	}{
		{`sign "dkim" {}`, true, false},
		{`sign "arc" {}`, false, true},
		{`sign "arc" {}
    sign "dkim" {}`, true, true},
		{`sign "arc" { when = header("X-No") != "" }`, false, false},
	} {
		tx := transaction(t, "bob@example.com")
		l := act(t, newWorld(), "policy \"p\" {\n  data {\n    "+c.rules+"\n  }\n}\n", tx)[0].Ledger
		if l.Sign != c.sign || l.Seal != c.seal {
			t.Errorf("%s: sign %v, seal %v", c.rules, l.Sign, l.Seal)
		}
		if _, err := tx.Ask(t.Context(), "arc"); (err == nil) != strings.Contains(c.rules, "arc") {
			t.Errorf("%s: the chain: %v", c.rules, err)
		}
	}
}

func TestLedger(t *testing.T) {
	vs := act(t, newWorld(), `policy "p" {
  thresholds = { tag = 2 }
  connect {
    tag "c" {
      add = ["c"]
    }
  }
  rcpt {
    tag "r" {
      when = contains(join(",", tags), "c")
      add  = ["r"]
    }
  }
  data {
    score "s" {
      a = points(2.0015, true)
    }
    modify "m" {
      subject_prefix = "[EXT]"
      add_header     = { "X-Who" = "${mail.from}" }
      remove_header  = ["x-mark"]
    }
    modify "again" {
      subject_prefix = "[2]"
      tags           = ["m"]
    }
    copy "j" {
      to = ["j@archive.test"]
    }
    sign "dkim" {}
    route "r" {
      via = route.mx
    }
  }
}`, transaction(t, "bob@example.com"))
	l := vs[0].Ledger
	if got := fmt.Sprintf("%v %d %v %q %v %v %s", l.Tags, l.Points, l.Symbols, l.Fields, l.Copies, l.Sign, l.Route); got != `[c r m spam] 2002 [{p.data.score.s a 2002}] ["X-Who: ann@stranger.test\r\n"] [j@archive.test] true mx` {
		t.Errorf("got %s", got)
	}
	m, err := mail.NewMessage(l.Fields, l.Edits, mail.Bytes(message))
	if err != nil {
		t.Fatal(err)
	}
	r, _ := m.Open()
	got := make([]byte, m.Size())
	r.Read(got)
	want := "X-Who: ann@stranger.test\r\nFrom: \"Ann B\" <ann@Stranger.test>\r\nTo: bob@example.com\r\nSubject: [EXT] [2] =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nHello\r\n"
	if string(got) != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestSubjectIsMarkedOnce(t *testing.T) {
	policy := `policy "p" {
  data {
    modify "m" {
      subject_prefix = "[EXT]"
    }
  }
}`
	for subject, want := range map[string]string{"Subject: Re: [EXT] Hi\r\n": "[] []", "X: y\r\n": `[] ["Subject: [EXT]\r\n"]`} {
		tx := transaction(t, "bob@example.com")
		tx.Part = partOf(subject + "\r\n")
		l := act(t, newWorld(), policy, tx)[0].Ledger
		if got := fmt.Sprintf("%v %q", l.Edits, l.Fields); got != want {
			t.Errorf("%q: got %s, want %s", subject, got, want)
		}
	}
}

func TestTrace(t *testing.T) {
	w := newWorld()
	w.facts["spf"] = pipeline.Facts{"result": "softfail"}
	w.fail["dkim"] = true
	tx := transaction(t, "bob@example.com", "eve@example.com")
	act(t, w, `policy "p" {
  connect {
    drop "never" {
      when = listed(client.ip, ["10.0.0.0/8"])
    }
  }
  data {
    reject "a" {
      when = !mail.null && spf.result == "pass"
      text = "5.7.1 x"
    }
    reject "b" {
      when = dkim.result == "fail"
      text = "5.7.1 x"
    }
    reject "c" {
      mode = shadow
      text = "5.7.1 x"
    }
    reject "c-since" {
      mode  = shadow
      since = "2026-11-01"
      text  = "5.7.1 x"
    }
    score "d" {
      x = points(1.5, true)
    }
    tag "e" {
      when = rcpt.local == "eve"
      add  = ["e"]
    }
  }
}`, tx)
	var got []string
	for _, r := range append(tx.Session.Trace, tx.Trace.Rules...) {
		got = append(got, strings.TrimRight(r.Stage+" "+r.Path+" "+r.Outcome+" | "+r.Why+" "+r.To, " "))
	}
	want := []string{
		`connect p.connect.drop.never no | not listed(client.ip, ["10.0.0.0/8"])`,
		`data p.data.reject.a no | spf.result = "softfail"`,
		`data p.data.reject.b unknown | dkim could not tell`,
		`data p.data.reject.c would | shadow`,
		`data p.data.reject.c-since would | shadow since 2026-11-01`,
		`data p.data.score.d.x +1.5 |`,
		`data p.data.tag.e no | not rcpt.local == "eve" bob@example.com`,
		`data p.data.tag.e yes |  eve@example.com`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestPartial(t *testing.T) {
	for partial, want := range map[string]string{"": "quarantine spam", "partial = discard": "discard ", "partial = bounce": "reject "} {
		vs := act(t, newWorld(), `policy "p" {
  `+partial+`
  data {
    reject "a" {
      when = rcpt.local == "bob"
      text = "5.7.1 x"
    }
  }
}`, transaction(t, "bob@example.com", "eve@example.com"))
		if got := vs[0].Partial.String() + " " + vs[0].Into; got != want {
			t.Errorf("%q: got %q, want %q", partial, got, want)
		}
	}
}

func TestDeliver(t *testing.T) {
	p := newWorld().plan(t, head+`policy "p" {
  deliver {
    route "r" {
      when = rcpt.domain == "bank.test" && length(tags) == 1
      via  = route.mx
    }
    defer "d" {
      when = delivery.attempt > 3 && delivery.age < "1h"
      text = "4.4.1 patience"
    }
  }
}`)
	tx := transaction(t, "x@bank.test")
	tx.Session = nil // may be gone after a restart
	tx.To[0].Ledger.Tags = []string{"t"}
	tx.Delivery.Attempt = 4
	vs := p.Run(context.Background(), pipeline.Deliver, tx)
	if got := said(vs) + " " + vs[0].Ledger.Route; got != "defer by p.deliver.defer.d: 451 4.4.1 patience mx" {
		t.Errorf("got %s", got)
	}
}

// TestDeliverTLS: a rule may ask for better TLS on the way that mail has anyway.
func TestDeliverTLS(t *testing.T) {
	for _, c := range []struct{ rule, chosen, want string }{
		{"tls = verify", "", ";tls=verify"},
		{"tls = require", "exchange", "exchange;tls=require"},
		{"tls = require", "exchange;tls=verify", "exchange;tls=verify"}, // nothing weaker than before
		{"via = route.mx", "exchange", "mx"},
		{"via = route.mx\n      tls = verify", "", "mx;tls=verify"},
	} {
		p := newWorld().plan(t, head+"policy \"p\" {\n  deliver {\n    route \"r\" {\n      "+c.rule+"\n    }\n  }\n}\n")
		tx := transaction(t, "x@bank.test")
		tx.To[0].Ledger.Route = c.chosen
		if vs := p.Run(context.Background(), pipeline.Deliver, tx); vs[0].Ledger.Route != c.want {
			t.Errorf("%s after %q: got %q, want %q", c.rule, c.chosen, vs[0].Ledger.Route, c.want)
		}
	}
}
