package appliance

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"mime/quotedprintable"
	"net/smtp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/mail"
)

const digestConfig = `
hostname   = "mx.a.test"
postmaster = "help@a.test"
domain "a.test" {
  route      = route.store
  dkim       = [ { selector = "s1", key = file("key.pem") } ]
  quarantine = quarantine.spam
}
account "ann@a.test" {
  password = "secret"
}
account "bob@a.test" {
  password = "secret"
}
listener "edge" {
  address    = "127.0.0.1:0"
  tls        = off
  relay_from = ["127.0.0.1"]
  policy     = policy.p
}
dns {
  zone = "zone.json"
}
quarantine "spam" {
  release = recipient
  digest  = "07:30"
}
quarantine "more" {
  release = recipient
  digest  = "07:30"
}
quarantine "quiet" {}
policy "p" {
  thresholds = { quarantine = 7 }
  data {
    quarantine "worm" {
      when  = contains(msg.subject, "worm")
      class = "malware"
      into  = quarantine.more
    }
    quarantine "offers" {
      when = contains(msg.subject, "offer")
      into = quarantine.more
    }
    quarantine "secret" {
      when = contains(msg.subject, "quiet")
      into = quarantine.quiet
    }
    score "pills" {
      points = points(7.7, contains(msg.subject, "pills"))
    }
    reject "ours" {
      when = contains(msg.subject, "kept from you")
      text = "5.7.1 no"
    }
  }
}
`

// digestWorld is a gateway with a clock that a test sets.
type digestWorld struct {
	*testing.T
	a   *Appliance
	dir string
	at  atomic.Int64
}

func (w *digestWorld) now() time.Time { return time.Unix(0, w.at.Load()).In(time.FixedZone("", 3600)) }

// clock sets the time of a day of November 2026.
func (w *digestWorld) clock(day, hour, minute int) {
	w.at.Store(time.Date(2026, 11, day, hour, minute, 0, 0, time.FixedZone("", 3600)).UnixNano())
}

func (w *digestWorld) start() {
	w.a = oneGateway(w.T, w.dir, digestConfig, w.now, 25, func(o *Options) { o.Log, o.Tell = slog.New(slog.DiscardHandler), func(s string) { w.Log(s) } })
}

// send sends a message that is kept, and waits until it is.
func (w *digestWorld) send(subject string, to ...string) {
	w.Helper()
	had := w.kept()
	if err := smtp.SendMail(addressOf(w.T, w.a), nil, "joe@c.test", to, []byte("From: x@c.test\r\nSubject: "+subject+"\r\n\r\nHi.\r\n")); err != nil {
		w.Fatal(err)
	}
	until(w.T, subject+" is not kept", func() bool { return w.kept() == had+len(to) })
}

func (w *digestWorld) kept() (n int) {
	for _, q := range []string{"spam", "more", "quiet"} {
		n += inbox(w.T, w.a, imapstore.QuarantinePrefix+q)
	}
	return n
}

// told lets digests be sent and gives how many there are in the mailboxes of ann and bob.
func (w *digestWorld) told() string {
	w.Helper()
	if err := w.a.digests(w.Context(), w.now()); err != nil {
		w.Error(err)
	}
	until(w.T, "the queue is not empty", func() bool { return w.a.keep.queue.Stats().Entries == 0 })
	return fmt.Sprint(inbox(w.T, w.a, "ann@a.test"), inbox(w.T, w.a, "bob@a.test"))
}

// letter is the last message of a mailbox.
func (w *digestWorld) letter(name string) (head, text string) {
	w.Helper()
	acc, err := w.a.keep.store.Account(name)
	if err != nil {
		w.Fatal(err)
	}
	box, err := acc.Mailbox("INBOX")
	if err != nil {
		w.Fatal(err)
	}
	all := box.Snapshot().Messages
	r, err := all[len(all)-1].Message.Open()
	if err != nil {
		w.Fatal(err)
	}
	defer r.Close()
	raw, err := io.ReadAll(r)
	if err != nil {
		w.Fatal(err)
	}
	head, body, _ := strings.Cut(string(raw), "\r\n\r\n")
	plain, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(body)))
	if err != nil {
		w.Fatal(err)
	}
	return head, string(plain)
}

// TestDigest: who has new mail in a quarantine is told once a day, at its time and
// in one letter, also over a restart; nobody else is; what may do harm is not
// offered.
func TestDigest(t *testing.T) {
	w := &digestWorld{T: t, dir: t.TempDir()}
	w.clock(23, 15, 0)
	w.start()
	defer func() { stopGateway(t, w.a) }()
	step := func(what, want string) {
		t.Helper()
		if got := w.told(); got != want {
			t.Errorf("%s: ann and bob have %s digests, want %s", what, got, want)
		}
	}
	step("nothing is kept", "0 0")
	w.send("offer \u202egnp.exe\u202c =?utf-8?q?one=1B[31m=C3=BC?=", "bob@a.test")
	w.send("quiet", "ann@a.test")
	w.send("pills", "bob@a.test")
	w.send("a worm", "bob@a.test")
	w.send("offer to a stranger", "joe@elsewhere.test")
	w.clock(24, 7, 29)
	step("too early", "0 0")
	w.clock(24, 7, 30)
	step("on time", "0 1")
	id := w.checkLetter()
	w.send("offer two", "ann@a.test", "bob@a.test")
	stopGateway(t, w.a)
	w.start()
	w.clock(24, 23, 59)
	step("the same day, after a restart", "0 1")
	stopGateway(t, w.a)
	w.clock(25, 9, 0) // it was down at the time
	w.start()
	step("the day after", "1 2")
	if _, text := w.letter("bob@a.test"); strings.Count(text, "Subject:") != 1 || !strings.Contains(text, "offer two") || strings.Contains(text, id) {
		t.Errorf("the second digest is\n%s", text)
	}
	if stories, err := w.a.Explain(mail.ID(id)); err != nil || len(stories) != 1 || len(stories[0].Now) != 1 ||
		!strings.HasPrefix(stories[0].Now[0], "kept for bob@a.test in quarantine.") || !strings.HasSuffix(stories[0].Now[0], " until 2026-12-23; bob@a.test may release") {
		t.Errorf("explain tells %+v, %v", stories, err)
	}
	w.clock(26, 9, 0)
	step("nothing new", "1 2")
	if r, err := w.a.QuarantineAct(context.Background(), admin.QuarantineOrder{What: "release", Filter: "id:" + id}); err != nil || r.Done != 1 {
		t.Errorf("what the digest says does not work: %+v %v", r, err)
	}
}

// checkLetter looks at bob's digest, and gives the ID of what can be released.
func (w *digestWorld) checkLetter() (id string) {
	head, text := w.letter("bob@a.test")
	for _, want := range []string{"Return-Path: <>\r\n", "From: help@a.test\r\n", "To: bob@a.test\r\n", "Auto-Submitted: auto-generated\r\n",
		"Content-Type: text/plain; charset=utf-8\r\n", "Message-ID: <", "DKIM-Signature: ", "Subject: 3 messages are kept from you"} {
		if !strings.Contains(head+"\r\n", want) {
			w.Errorf("%q is not in\n%s", want, head)
		}
	}
	offered, harmful, _ := strings.Cut(text, "These may do harm")
	for _, want := range []string{"From:     <joe@c.test>\r\n", "Subject:  offer gnp.exe one[31m\u00fc\r\n", "Why:      the rule \"offers\"\r\n",
		"Subject:  pills\r\nWhy:      it looks like spam: score 7.7\r\n", "Came:     2026-11-23 15:00\r\nKept:     until 2026-12-23 15:00\r\n",
		"ask help@a.test", "forepost quarantine release ID"} {
		if !strings.Contains(offered, want) {
			w.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Contains(offered, "worm") || !strings.Contains(harmful, "Subject:  a worm\r\nWhy:      the rule \"worm\" (malware)\r\n") || strings.Contains(text, "stranger") {
		w.Errorf("it tells\n%s", text)
	}
	_, rest, _ := strings.Cut(offered, "ID:       ")
	id, _, _ = strings.Cut(rest, "\r\n")
	return id
}

// TestDigestOnceADay: a change of the time makes no second letter on a day.
func TestDigestOnceADay(t *testing.T) {
	day := func(d, h int) time.Time { return time.Date(2026, 11, d, h, 30, 0, 0, time.UTC) }
	for _, c := range []struct {
		last, due time.Time
		want      bool
	}{{day(23, 7), day(23, 7), false}, {day(23, 7), day(23, 20), false}, {day(23, 20), day(24, 7), true}, {day(23, 7), day(22, 20), false}} {
		if got := dayAfter(c.last, c.due); got != c.want {
			t.Errorf("told at %v, due %v: %v", c.last, c.due, got)
		}
	}
}
