package appliance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/trail"
)

// kept is a message in a quarantine.
type kept struct {
	q    policies.Quarantine
	box  imapstore.Mailbox
	uid  imapstore.UID
	msg  *mail.Message // with what the store put on top
	env  mail.Envelope // the sender, and who was to have it
	info admin.Quarantined
}

// QuarantineList finds messages, oldest first.
func (a *Appliance) QuarantineList(in, filter string, limit int) ([]admin.Quarantined, error) {
	found, err := a.quarantined(in, filter)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(found, func(x, y kept) int { return x.info.Since.Compare(y.info.Since) })
	if limit > 0 && len(found) > limit {
		found = found[:limit]
	}
	list := make([]admin.Quarantined, 0, len(found))
	for _, k := range found {
		if mail.ID(filter).Valid() {
			k.info.Rule = a.ruleOf(k)
		}
		list = append(list, k.info)
	}
	return list, nil
}

// quarantined are the messages that a filter chooses.
func (a *Appliance) quarantined(in, filter string) (found []kept, err error) {
	f, err := a.keep.queue.ParseFilter(filter)
	if err != nil {
		return nil, err
	}
	some := false
	for _, q := range a.live().settings.Quarantines {
		if in != "" && !strings.EqualFold(in, q.Name) {
			continue
		}
		some = true
		list, err := a.keptIn(q)
		if err != nil {
			return nil, fmt.Errorf("quarantine %s: %w", q.Name, err)
		}
		for _, k := range list {
			in := queue.Info{Envelope: k.env, Size: k.info.Size}
			if f.Where(&in, &queue.Status{State: queue.Held}) {
				found = append(found, k)
			}
		}
	}
	if in != "" && !some {
		return nil, fmt.Errorf("no quarantine is called %q", in)
	}
	return found, nil
}

// keptIn is all that lies in a quarantine.
func (a *Appliance) keptIn(q policies.Quarantine) ([]kept, error) {
	return a.keptWhere(q, func(time.Time) bool { return true })
}

// keptWhere is what came into a quarantine at certain times; of the rest nothing
// is read.
func (a *Appliance) keptWhere(q policies.Quarantine, when func(time.Time) bool) (list []kept, err error) {
	acc, err := a.keep.store.Account(imapstore.QuarantinePrefix + strings.ToLower(q.Name))
	if err != nil {
		return nil, err
	}
	box, err := acc.Mailbox("INBOX")
	if err != nil {
		return nil, err
	}
	for _, e := range box.Snapshot().Messages {
		if !when(e.SaveDate) {
			continue
		}
		k := kept{q: q, box: box, uid: e.UID, msg: e.Message}
		if err := k.read(e); err != nil {
			if errors.Is(err, imapstore.ErrGone) {
				continue
			}
			return nil, err
		}
		list = append(list, k)
	}
	return list, nil
}

// read finds out what a message is, by its header.
func (k *kept) read(e *imapstore.Entry) error {
	r, err := e.Message.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	var head strings.Builder
	if err := header(&head, r); err != nil {
		return err
	}
	p := mime.NewParser(mime.Limits{})
	io.WriteString(p, head.String()+"\r\n") // a Parser never fails
	part := p.Close()
	var top []mail.Field
	for _, f := range part.Fields {
		top = append(top, mail.Field{Name: f.Name, Value: f.Raw})
	}
	id, to, requireTLS, _ := imapstore.Quarantined(top)
	from, _ := mail.ParseAddress(strings.Trim(part.Get("Return-Path"), "<>"), true) // ours: it stands on top; <> is none
	subject := ""
	if fs := part.All("Subject"); len(fs) > 0 {
		subject = fs[0].Text()
	}
	k.env = mail.Envelope{ID: id, From: from, RequireTLS: requireTLS, Received: e.SaveDate, To: []mail.Recipient{{Address: to, Tags: e.Flags}}}
	k.info = admin.Quarantined{ID: id, In: k.q.Name, From: from.String(), To: to.String(), Subject: subject, Since: e.SaveDate, Size: e.Size, Tags: e.Flags}
	if k.q.Keep > 0 {
		k.info.Until = e.SaveDate.Add(k.q.Keep)
	}
	return nil
}

// record is what the trail knows of how a message came, nil for nothing.
func (a *Appliance) record(id mail.ID) *trail.Record {
	stories, err := a.keep.trail.Stories(id)
	if err != nil || len(stories) == 0 {
		return nil
	}
	return stories[0].Record
}

// ruleOf is the rule that put a message where it is, "" where that is not known
// any more.
func (a *Appliance) ruleOf(k kept) string {
	if rec := a.record(k.info.ID); rec != nil {
		for _, o := range rec.Outcomes {
			if slices.Contains(o.To, k.info.To) {
				return o.Rule
			}
		}
	}
	return ""
}

// QuarantineText writes the header of a message, or all of it.
func (a *Appliance) QuarantineText(w io.Writer, id mail.ID, body bool) error {
	found, err := a.quarantined("", "id:"+string(id))
	if err == nil && len(found) == 0 {
		err = notKept(id)
	}
	if err != nil {
		return err
	}
	r, err := found[0].msg.Open() // others have the same octets
	if err != nil {
		return err
	}
	defer r.Close()
	if body {
		_, err = io.Copy(w, r)
		return err
	}
	return header(w, r)
}

func notKept(id mail.ID) error {
	return fmt.Errorf("%s is in no quarantine: forepost explain %s tells what became of it", id, id)
}

// QuarantineAct releases or deletes all that a filter chooses. What cannot be
// released stays.
func (a *Appliance) QuarantineAct(ctx context.Context, o admin.QuarantineOrder) (r admin.QuarantineResult, err error) {
	do := map[string]func(context.Context, kept) error{
		"release": func(ctx context.Context, k kept) error { return a.releaseKept(ctx, k, o.Force) },
		"delete":  a.deleteKept,
	}[o.What]
	if do == nil {
		return r, fmt.Errorf("%q is not something that can be done to quarantined messages: release, delete", o.What)
	}
	found, err := a.quarantined(o.In, o.Filter)
	if r.Messages = len(found); err != nil || o.DryRun {
		return r, err
	}
	for _, k := range found {
		if err := do(ctx, k); err != nil {
			r.Refused = append(r.Refused, fmt.Sprintf("%s for %s: %v", cmp.Or(string(k.info.ID), "a message"), k.info.To, err))
			continue
		}
		r.Done++
	}
	a.log.Info("quarantine "+o.What, "in", o.In, "filter", o.Filter, "messages", r.Messages, "done", r.Done)
	return r, nil
}

// deleteKept throws a message away.
func (a *Appliance) deleteKept(ctx context.Context, k kept) error {
	if err := k.box.Expunge(ctx, []imapstore.UID{k.uid}); err != nil {
		return err
	}
	a.keep.trail.Event(trail.Event{ID: k.info.ID, Time: a.o.Now(), What: "removed", To: k.info.To, Note: "deleted from quarantine " + k.q.Name + " by a person"})
	return nil
}
