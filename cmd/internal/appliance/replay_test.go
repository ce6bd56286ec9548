package appliance

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/policies/replay"
)

// replayConfig asks for most of what a policy can ask, so that the records have it.
const replayConfig = `
hostname = "gw.test"
domain "local.test" {
  route      = route.store
  recipients = list.people
  thresholds = { quarantine = 5 }
}
list "people" {
  type  = address
  items = ["ann@local.test", "bob@local.test", "eve@local.test"]
}
account "ann@local.test" {
  password = "secret"
}
account "bob@local.test" {
  password = "secret"
}
account "eve@local.test" {
  password = "secret"
}
quarantine "spam" {}
dns {
  zone = "zone.json"
}
filter "content" "money" {
  in    = [subject, text, html]
  words = ["free", "money", "click"]
}
listener "edge" {
  address = "127.0.0.1:0"
  tls     = off
  policy  = policy.inbound
}
policy "inbound" {
  thresholds = { tag = 2, quarantine = 7, reject = 9 }
  partial    = quarantine

  helo {
    tag "odd-helo" {
      when = !contains(helo.name, ".")
      add  = ["odd"]
    }
  }
  mail {
    reject "from" {
      when = mail.domain == "refused.test"
      text = "5.7.1 No"
    }
  }
  rcpt {
    limit "many" {
      key  = mail.from
      rate = "40/1h"
    }
    greylist "eve" {
      when  = rcpt.local == "eve" && mail.null
      delay = "5m"
    }
    discard "third" {
      when = rcpt.count > 2
    }
  }
  data {
    reject "forged" {
      when = dmarc.result == "fail" && dmarc.policy == "reject"
      text = "5.7.1 Forged"
    }
    skip "lists" {
      when    = msg.is_bulk && msg.list_id != ""
      classes = ["spam"]
    }
    score "signs" {
      money   = points(3, content.money.hit)
      more    = points(2.5, content.money.hits > 1)
      no_id   = points(2, msg.id == "")
      odd     = points(2, overlaps(tags, ["odd"]))
      mailer  = points(1.5, contains(lower(header("X-Mailer")), "outlook"))
      defects = points(1, length(msg.defects) > 0)
      cc      = points(0.5, length(msg.to) > 2)
    }
    quarantine "programs" {
      when = overlaps(msg.extensions, ["exe", "zip", "scr"])
    }
    reject "eve" {
      when = rcpt.local == "eve" && contains(lower(msg.subject), "re")
      text = "5.7.1 Eve wants no answers"
    }
    hold "large" {
      when = msg.size > 200000
    }
    quarantine "trial" {
      when = msg.is_bounce
      mode = shadow
    }
  }
}
`

// replayMail is mail of the suites where there are, and some of our own.
func replayMail(t *testing.T) (all [][]byte) {
	for i, subject := range []string{"Hello", "Free money, click", "Re: Free", "a newsletter", ""} {
		text := fmt.Sprintf("From: ann%d@sender.test\r\nSubject: %s\r\n", i, subject)
		if i == 3 {
			text += "List-Id: <news.sender.test>\r\nList-Unsubscribe: <https://sender.test/u>\r\n"
		}
		all = append(all, []byte(text+"\r\nclick here\r\n"))
	}
	root := os.Getenv("FOREPOST_SUITES")
	if root == "" {
		return all
	}
	for _, dir := range []string{"spam", "mime-enmime", "mime-ruby-mail", "mime-python-email"} {
		n := 0
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || d.Name() == "LICENSE" || n >= replayOf(dir) {
				return err
			}
			b, err := os.ReadFile(path)
			n++
			all = append(all, bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n")))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// replayOf is how many messages of a suite are sent: some, or all.
func replayOf(string) int {
	if os.Getenv("FOREPOST_REPLAY") != "" {
		return 1 << 20
	}
	return 60
}

// talk is an SMTP client that says what it is told to.
type talk struct {
	t *testing.T
	*textproto.Conn
}

func dialDoor(t *testing.T, a *Appliance, helo string) *talk {
	t.Helper()
	conn, err := net.Dial("tcp", a.Status().Servers[0].Address)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(5 * time.Minute))
	c := &talk{t, textproto.NewConn(conn)}
	if _, _, err := c.ReadResponse(220); err != nil {
		t.Fatal(err)
	}
	c.say("EHLO " + helo)
	return c
}

// say says a command and gives the code of the reply.
func (c *talk) say(line string) int {
	if err := c.PrintfLine("%s", line); err != nil {
		c.t.Error(err)
		return 0
	}
	code, _, _ := c.ReadResponse(0)
	return code
}

// send sends a message and gives the last code.
func (c *talk) send(from string, to []string, text []byte) int {
	if code := c.say("MAIL FROM:<" + from + ">"); code != 250 {
		return code
	}
	code, taken := 0, 0
	for _, a := range to {
		if code = c.say("RCPT TO:<" + a + ">"); code == 250 {
			taken++
		}
	}
	if taken == 0 {
		c.say("RSET")
		return code
	}
	c.say("DATA")
	w := c.DotWriter()
	w.Write(text)
	if err := w.Close(); err != nil {
		c.t.Error(err)
	}
	code, _, _ = c.ReadResponse(0)
	return code
}

// sendAll sends the messages in turns to one, two or three recipients, some of
// which are refused, from various senders.
func sendAll(t *testing.T, a *Appliance, all [][]byte) {
	t.Helper()
	senders := []string{"a@sender.test", "", "b@other.test", "x@refused.test", "c@forged.test", "d@sender.test"}
	rcpts := [][]string{{"ann@local.test"}, {"ann@local.test", "eve@local.test"}, {"eve@local.test"}, {"ann@local.test", "bob@local.test", "eve@local.test"},
		{"nobody@local.test", "bob@local.test"}, {"x@elsewhere.test"}}
	for i := 0; i < len(all); {
		c := dialDoor(t, a, []string{"mail.sender.test", "odd"}[i/10%2])
		for n := 0; n < 10 && i < len(all); n, i = n+1, i+1 {
			c.send(senders[i%len(senders)], rcpts[i/2%len(rcpts)], all[i])
		}
		c.say("QUIT")
		c.Close()
	}
}

func replayed(t *testing.T, a *Appliance, config string, bodies bool) *replay.Report {
	t.Helper()
	b := *a.Running()
	b.Files = map[string][]byte{}
	for name, text := range a.Running().Files {
		b.Files[name] = text
	}
	if config != "" {
		b.Files[b.Main] = []byte(config)
	}
	ans, err := a.Replay(context.Background(), admin.ReplayQuery{Bundle: &b, Since: time.Hour, Bodies: bodies})
	if err != nil || ans.Report == nil {
		t.Fatalf("%v\n%s", err, ans.Diagnostics)
	}
	return ans.Report
}

func replayAppliance(t *testing.T) (*Appliance, string) {
	t.Helper()
	dir := t.TempDir()
	zone := `{"sender.test": {"TXT": ["v=spf1 -all"]}, "_dmarc.forged.test": {"TXT": ["v=DMARC1; p=reject"]}}`
	file := filepath.Join(dir, "forepost.hcl")
	write(t, filepath.Join(dir, "zone.json"), zone)
	write(t, file, replayConfig)
	return startAt(t, file), file
}

// TestReplayOfTheSamePolicy: mail through the gateway, judged again by the same
// policy from its records, has the same verdicts, all of them, and nothing that
// nobody can tell.
func TestReplayOfTheSamePolicy(t *testing.T) {
	if os.Getenv("FOREPOST_SUITES") == "" {
		t.Skip("FOREPOST_SUITES is not set: a few messages of our own do not try enough")
	}
	a, _ := replayAppliance(t)
	all := replayMail(t)
	sendAll(t, a, all)
	rep := replayed(t, a, "", false)
	if len(rep.Changes) != 0 || len(rep.CannotTell) != 0 || rep.Old != 0 {
		var b strings.Builder
		rep.Text(&b, "Replayed")
		t.Errorf("the same policy judges otherwise:\n%s\n%v", &b, rep.IDs[:min(len(rep.IDs), 5)])
		for _, id := range rep.IDs[:min(len(rep.IDs), 3)] {
			s, _ := a.Explain(id)
			t.Logf("%+v", s[0].Record)
		}
	}
	if rep.Messages < len(all)*9/10 {
		t.Errorf("%d records of %d messages", rep.Messages, len(all))
	}
	seen := map[string]bool{}
	for _, r := range rep.Rows {
		seen[r.Action] = r.Was > 0
		if r.Was != r.Now {
			t.Errorf("%s: %d, now %d", r.Action, r.Was, r.Now)
		}
	}
	for _, want := range []string{"accept", "reject", "defer", "discard"} {
		if !seen[want] {
			t.Errorf("no message had the verdict %s: the test shows too little", want)
		}
	}
	t.Logf("%d messages, %d recipients, replayed in %v; %+v; in shadow %v", rep.Messages, rep.Recipients, rep.Took, rep.Rows, rep.Would)
}

// TestReplayOfAnotherPolicy: what changes is told by rule and domain, what was not
// recorded is not guessed, unless it does not matter, and a body answers it.
func TestReplayOfAnotherPolicy(t *testing.T) {
	a, _ := replayAppliance(t)
	sendAll(t, a, replayMail(t)[:5])
	change := func(from, to string) string {
		t.Helper()
		if !strings.Contains(replayConfig, from) {
			t.Fatalf("no %q", from)
		}
		return strings.Replace(replayConfig, from, to, 1)
	}
	rep := replayed(t, a, change(`    hold "large" {`, "    hold \"hello\" {\n      when = msg.subject == \"Hello\"\n    }\n    hold \"large\" {"), false)
	if len(rep.Changes) != 1 || rep.Changes[0].To != "hold" || rep.Changes[0].Rule != "inbound.data.hold.hello" || len(rep.Changes[0].Domains) != 1 ||
		rep.Changes[0].Domains[0].Name != "*@sender.test" || len(rep.IDs) != 1 || len(rep.CannotTell) != 0 {
		t.Errorf("%+v", rep)
	}
	unknown := func(when string) string {
		return change(`    hold "large" {`, "    hold \"unknown\" {\n      when = "+when+"\n    }\n    hold \"large\" {")
	}
	rep = replayed(t, a, unknown(`header("X-Never-Asked") == "x"`), false)
	if len(rep.CannotTell) == 0 || rep.CannotTell[0].Needs != `header("X-Never-Asked")` || len(rep.Changes) != 0 {
		t.Errorf("a header that was not recorded: %+v", rep)
	}
	rep = replayed(t, a, unknown(`header("X-Never-Asked") == "x" && mail.domain == "nowhere.test"`), false)
	if len(rep.CannotTell) != 0 || len(rep.Changes) != 0 {
		t.Errorf("it does not matter, since the rest is false: %+v", rep)
	}
	rep = replayed(t, a, unknown(`header("X-Never-Asked") == "x"`), true)
	for _, l := range rep.CannotTell {
		if l.Was == "accept" || l.Was == "quarantine" {
			t.Errorf("the bodies are there, and it cannot be told: %+v", l)
		}
	}
	rep = replayed(t, a, change(`["free", "money", "click"]`, `["free"]`), false)
	if len(rep.CannotTell) == 0 || rep.CannotTell[0].Needs != "content.money" {
		t.Errorf("a filter with other words: %+v", rep)
	}
}

// TestToday: explain says whether the policy in force would judge otherwise.
func TestToday(t *testing.T) {
	a, file := replayAppliance(t)
	sendAll(t, a, replayMail(t)[:1])
	found, err := a.Trace(admin.TraceQuery{Text: "hello"})
	if err != nil || len(found) != 1 {
		t.Fatalf("%d found, %v", len(found), err)
	}
	if got := a.Today(t.Context(), &found[0]); !strings.HasSuffix(got, "the result would be the same.") {
		t.Error(got)
	}
	write(t, file, strings.Replace(replayConfig, `mail.domain == "refused.test"`, `mail.domain == "sender.test"`, 1))
	if r := a.Reload(t.Context(), admin.ReloadOptions{}); !r.OK {
		t.Fatal(r.Error, r.Diagnostics)
	}
	if got := a.Today(t.Context(), &found[0]); !strings.HasSuffix(got, "the result would be REJECT by inbound.mail.reject.from.") {
		t.Error(got)
	}
}
