package appliance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	stdmime "mime"
	"mime/quotedprintable"
	"strings"
	"time"

	"github.com/forepost/forepost/relay/inbound"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
)

// An address hears of so many verdicts in an hour; the next notice says how many
// it did not hear of. The forepost commands know all of them.
const (
	noticesAnHour = 20
	noticeQueue   = 200 // waiting to be written; more are left out
)

// notices writes what rules want people to hear (`notify`).
type notices struct {
	a       *Appliance
	in      chan inbound.Notice
	counts  map[string]*noticeCount // by address; of this hour alone
	started time.Time               // of the hour
}

type noticeCount struct{ sent, left int }

// startNotices begins to write notices, until a stop.
func (a *Appliance) startNotices() {
	n := a.notices
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case one := <-n.in:
				n.send(ctx, one)
			case <-ctx.Done():
				return
			}
		}
	}()
	a.undo.add("notices", func(context.Context) error {
		stop()
		<-done
		return nil
	})
}

// Notify takes a notice to be written. It does not wait: what is too much at once
// is logged and left out.
func (n *notices) Notify(one inbound.Notice) {
	select {
	case n.in <- one:
	default:
		n.a.log.Warn("a notice was left out: too many at once", "id", string(one.ID), "rule", one.Rule)
	}
}

// send writes to everybody who is to hear of it.
func (n *notices) send(ctx context.Context, one inbound.Notice) {
	for _, to := range one.Tell {
		left, ok := n.take(to)
		if !ok {
			n.a.log.Info("a notice was left out: its reader had many in this hour", "id", string(one.ID), "to", to.String(), "rule", one.Rule)
			continue
		}
		if err := n.queue(ctx, n.compose(one, to, left), to); err != nil && !errors.Is(err, context.Canceled) {
			n.a.log.Error("a notice could not be queued", "id", string(one.ID), "to", to.String(), "error", err)
		}
	}
}

// take counts a notice; left is how many an address did not get since the last.
func (n *notices) take(to mail.Address) (left int, ok bool) {
	if now := n.a.o.Now(); now.Sub(n.started) >= time.Hour {
		left := map[string]*noticeCount{}
		for key, c := range n.counts {
			if c.left > 0 {
				left[key] = &noticeCount{left: c.left}
			}
		}
		n.counts, n.started = left, now
	}
	c := n.counts[to.Key()]
	if c == nil {
		c = &noticeCount{}
		n.counts[to.Key()] = c
	}
	if c.sent >= noticesAnHour {
		c.left++
		return 0, false
	}
	c.sent++
	left, c.left = c.left, 0
	return left, true
}

// what became of a message, in words, and what can be done.
var noticeWords = map[string][2]string{
	"quarantine": {"was put into quarantine", "forepost quarantine show ID; forepost quarantine release ID"},
	"hold":       {"is held", "forepost queue show ID; forepost queue release ID"},
	"reject":     {"was refused", "forepost explain ID"},
	"bounce":     {"was refused for some of its recipients", "forepost explain ID"},
}

// compose is the text of a notice: nothing of the message's content but its
// subject.
func (n *notices) compose(one inbound.Notice, to mail.Address, left int) []byte {
	words, ok := noticeWords[one.Action]
	if !ok {
		words = [2]string{"met the verdict " + one.Action, "forepost explain ID"}
	}
	s := n.a.live().settings
	var text bytes.Buffer
	fmt.Fprintf(&text, "A message %s.\r\n\r\nID:       %s\r\nFrom:     <%s>\r\nTo:       %s\r\n", words[0], one.ID, one.From, strings.Join(few(one.To, 20), ", "))
	if one.Subject != "" {
		fmt.Fprintf(&text, "Subject:  %s\r\n", one.Subject)
	}
	fmt.Fprintf(&text, "By:       %s\r\n\r\nMore of it, and what can be done, on %s:\r\n%s\r\n", one.Rule, s.Hostname, strings.ReplaceAll(words[1], "ID", string(one.ID)))
	if left > 0 {
		fmt.Fprintf(&text, "\r\nOf %d more no notice was sent, since there were many: forepost trace tells of them.\r\n", left)
	}
	return n.letter(to, "A message "+words[0]+" ("+string(one.ID)+")", text.Bytes())
}

// letter is mail of our own with a text: to whom, and what stands above it.
func (n *notices) letter(to mail.Address, subject string, text []byte) []byte {
	var b bytes.Buffer
	s := n.a.live().settings
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nDate: %s\r\nMessage-ID: <%s@%s>\r\nSubject: %s\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n",
		postmasterOf(s), to, n.a.o.Now().Format(time.RFC1123Z), n.a.ids.Session().Transaction(0), s.Hostname,
		stdmime.QEncoding.Encode("utf-8", subject))
	b.WriteString("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
	q := quotedprintable.NewWriter(&b)
	q.Write(text) // into memory: it cannot fail
	q.Close()
	return b.Bytes()
}

// few are the first of a list.
func few(list []string, most int) []string {
	if len(list) <= most {
		return list
	}
	return append(list[:most:most], fmt.Sprintf("%d more", len(list)-most))
}

// queue signs a notice and hands it to the queue, from the null path: nobody is
// told if it cannot be delivered.
func (n *notices) queue(ctx context.Context, msg []byte, to mail.Address) error {
	finals := []mail.Address{to}
	if acc, err := n.a.directory.Accepts(ctx, to); err != nil {
		return err
	} else if len(acc.Final) > 0 {
		finals = acc.Final
	}
	env := mail.Envelope{}
	for _, f := range finals {
		env.To = append(env.To, mail.Recipient{Address: f, Notify: mail.NotifyNever})
	}
	d, err := n.a.keep.queue.Draft(n.a.ids.Session().Transaction(0))
	if err != nil {
		return err
	}
	defer d.Discard()
	if _, err := d.Write(msg); err != nil {
		return err
	}
	fields, err := n.a.Sign(ctx, postmasterOf(n.a.live().settings).Domain, &mail.Message{Blob: mail.Bytes(msg)})
	if err != nil {
		return fmt.Errorf("signing: %w", err)
	}
	return d.Commit(ctx, queue.Submission{Prefix: fields, Envelope: env})
}
