package main

import (
	"context"
	"fmt"
	"net/smtp"
	"strings"
	"testing"

	"github.com/forepost/forepost/cmd/internal/admin"
)

// onErrorConfig asks for SPF, DKIM and DMARC in rules that do not name temperror.
const onErrorConfig = `
hostname = "mx.local.test"
domain "local.test" {
  route      = route.sink
  recipients = any
}
route "sink" {
  to = ["%s"]
}
listener "edge" {
  address = "127.0.0.1:0"
  tls     = off
  policy  = policy.inbound
}
dns {
  zone = "%s"
}
quarantine "doubtful" {}
%s
policy "inbound" {
  data {
    %s
    reject "forged" {
      when = spf.result == "fail" || dmarc.result == "fail" && dmarc.policy == "reject"
      text = "5.7.23 Forged"
    }
  }
}
`

// silentZone is a DNS in which some servers are silent and some are broken.
const silentZone = `{
  "fine.test":          {"TXT": ["v=spf1 +all"]},
  "bad.test":           {"TXT": ["v=spf1 -all"]},
  "slow.test":          {"error": "timeout"},
  "broken.test":        {"TXT": "servfail"},
  "far.test":           {"TXT": ["v=spf1 include:slow.test -all"]},
  "_dmarc.nowhere.test": {"TXT": "servfail"},
  "_dmarc.strict.test": {"TXT": ["v=DMARC1; p=reject"]},
  "k._domainkey.strict.test": {"error": "timeout"}
}`

// TestOnErrorDecidesWhatTheDNSCannotTell: a timeout and a SERVFAIL make temperror,
// and the policy's on_error says what becomes of the message, seen from the
// SMTP port and the next server.
func TestOnErrorDecidesWhatTheDNSCannotTell(t *testing.T) {
	next := newSink(t)
	zone := writeFile(t, "zone.json", silentZone)
	// A hash and a signature of the right length: others are no reason to ask for a key.
	signed := "DKIM-Signature: v=1; a=rsa-sha256; d=strict.test; s=k; h=from;\r\n bh=" + strings.Repeat("A", 43) + "=; b=" + strings.Repeat("A", 342) + "==\r\n"
	mails := []struct{ why, from, author, extra, results string }{
		{"nothing wrong", "a@fine.test", "a@fine.test", "", "spf=pass"},
		{"SPF: a timeout", "a@slow.test", "a@fine.test", "", "spf=temperror"},
		{"SPF: a SERVFAIL", "a@broken.test", "a@fine.test", "", "spf=temperror"},
		{"SPF: a timeout behind an include", "a@far.test", "a@fine.test", "", "spf=temperror"},
		{"DMARC: a SERVFAIL", "a@fine.test", "a@nowhere.test", "", "dmarc=temperror"},
		{"DMARC: the key of a signature times out", "a@fine.test", "a@strict.test", signed, "dmarc=temperror"},
		{"a fail is no doubt", "a@bad.test", "a@fine.test", "", ""},
	}
	for _, c := range []struct {
		why, onError, rule string
		doubt              string // the reply to what could not be told
		delivered          bool
		where              string
	}{
		{"by default it is ignored", "", "", "250", true, ""},
		{"ignored", "ignore", "", "250", true, ""},
		{"deferred", "defer", "", "451", false, "inbound.on_error"},
		{"quarantined", "quarantine", "", "250", false, "inbound.on_error"},
		{"a rule asks by name", "defer", `reject "doubt" {
      when = spf.result == "temperror" || dmarc.result == "temperror"
      text = "5.7.1 Asked by name"
    }`, "550", false, "inbound.data.reject.doubt"},
	} {
		t.Run(c.why, func(t *testing.T) {
			filters := ""
			for _, kind := range []string{"spf", "dkim", "dmarc"} {
				if c.onError != "" {
					filters += fmt.Sprintf("filter %q {\n  on_error = %s\n}\n", kind, c.onError)
				}
			}
			g := serveGateway(t, fmt.Sprintf(onErrorConfig, next.addr, zone, filters, c.rule))
			for i, m := range mails {
				subject := fmt.Sprintf("%s %d", c.why, i)
				code := sendFrom(t, g.address("smtp", "edge"), m.from, m.extra+"From: "+m.author+"\r\nSubject: "+subject+"\r\n\r\nHi.\r\n")
				want, delivered := c.doubt, c.delivered
				switch m.results {
				case "":
					want, delivered = "550", false
				case "spf=pass":
					want, delivered = "250", true
				}
				if code != want {
					t.Errorf("%s: %s, want %s", m.why, code, want)
				}
				checkNext(t, next, subject, m.results, delivered)
				checkTrail(t, g, m.from, subject, c.where, want == c.doubt && strings.HasSuffix(m.results, "temperror"))
			}
		})
	}
}

// sendFrom sends a message and returns the code of the reply to it.
func sendFrom(t *testing.T, addr, from, text string) string {
	t.Helper()
	err := smtp.SendMail(addr, nil, from, []string{"bob@local.test"}, []byte(text))
	if err == nil {
		return "250"
	}
	return err.Error()[:3]
}

// checkNext looks for the message at the next server, with what was found out.
func checkNext(t *testing.T, next *sink, subject, results string, delivered bool) {
	t.Helper()
	if delivered {
		waitFor(t, func() (string, bool) { return subject + " did not arrive", next.subjects()[subject] == 1 })
	}
	next.mu.Lock()
	defer next.mu.Unlock()
	if text := next.raw[subject]; delivered && !strings.Contains(text, results) || !delivered && text != "" {
		t.Errorf("%s: the next server has %q, want %s in it", subject, text, results)
	}
}

// checkTrail asks the gateway which rule decided.
func checkTrail(t *testing.T, g *gateway, from, subject, where string, doubtful bool) {
	t.Helper()
	if !doubtful || where == "" {
		return
	}
	waitFor(t, func() (string, bool) {
		rs, err := g.client().Trace(context.Background(), admin.TraceQuery{Text: from, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rs {
			if r.Subject == subject && len(r.Outcomes) == 1 {
				return fmt.Sprintf("%s: the trail says %+v, want %s", subject, r.Outcomes, where), r.Outcomes[0].Rule == where
			}
		}
		return subject + " is not in the trail", false
	})
}

// TestReceivedSPFOnRequest: the field is put on top where the configuration asks
// for it, and what a stranger wrote in our name is gone, at the next server.
func TestReceivedSPFOnRequest(t *testing.T) {
	next := newSink(t)
	zone := writeFile(t, "zone.json", silentZone)
	g := serveGateway(t, fmt.Sprintf(onErrorConfig, next.addr, zone, "filter \"spf\" {\n  received_spf = true\n}\n", ""))
	forged := "Received-SPF: pass receiver=mx.local.test; forged=1\r\nAuthentication-Results: MX.local.test; forged=pass\r\nARC-Authentication-Results: i=1; mx.local.test; forged=pass\r\n"
	if code := sendFrom(t, g.address("smtp", "edge"), "a@fine.test", forged+"From: a@fine.test\r\nSubject: on request\r\n\r\nHi.\r\n"); code != "250" {
		t.Fatal(code)
	}
	checkNext(t, next, "on request", "Received-SPF: pass\r\n\treceiver=mx.local.test;\r\n\tclient-ip=127.0.0.1;\r\n\tidentity=mailfrom;\r\n\tenvelope-from=\"a@fine.test\";\r\n\thelo=localhost;\r\n\tmechanism=all\r\n", true)
	next.mu.Lock()
	defer next.mu.Unlock()
	if text := next.raw["on request"]; strings.Contains(text, "forged") || strings.Count(text, "Received-SPF") != 1 || strings.Count(text, "Authentication-Results") != 1 {
		t.Errorf("the next server has\n%s", text)
	}
}
