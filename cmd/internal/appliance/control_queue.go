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
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
)

// QueueList finds waiting messages.
func (a *Appliance) QueueList(filter string, limit int) ([]admin.QueueEntry, error) {
	f, err := a.keep.queue.ParseFilter(filter)
	if err != nil {
		return nil, err
	}
	f.Limit = limit
	list := []admin.QueueEntry{}
	for _, in := range a.keep.queue.List(f) {
		list = append(list, entryOf(&in))
	}
	return list, nil
}

// QueueShow is one message, with the recipients that are settled.
func (a *Appliance) QueueShow(id mail.ID) ([]admin.QueueEntry, error) {
	list := []admin.QueueEntry{}
	for _, in := range a.keep.queue.Show(id) {
		list = append(list, entryOf(&in))
	}
	return list, nil
}

func entryOf(in *queue.Info) admin.QueueEntry {
	e := admin.QueueEntry{ID: in.Envelope.ID, From: in.Envelope.From.String(), Since: in.Envelope.Received, Size: in.Size, Listener: in.Envelope.Listener}
	for i := range in.Recipients {
		r := &in.Recipients[i]
		to := in.Envelope.To[r.Index]
		e.To = append(e.To, admin.QueueRecipient{Address: to.Address.String(), State: r.State.String(), Tries: r.Attempts,
			Next: r.Next, Reason: reasonOf(r), Host: r.Host, Route: r.Route, Tags: to.Tags})
	}
	return e
}

// reasonOf is why a recipient waits: there always is a reason.
func reasonOf(s *queue.Status) string {
	switch {
	case s.Reply != "":
		return s.Reply
	case s.State == queue.Held:
		return "held"
	case s.State == queue.Active:
		return "an attempt is under way"
	case s.State == queue.Ready:
		return "waits for its turn"
	case s.State == queue.Waiting && s.Attempts == 0:
		return "not tried yet"
	}
	return ""
}

// QueueText writes a message as it goes out.
func (a *Appliance) QueueText(w io.Writer, id mail.ID, body bool) error {
	list, err := a.keep.queue.Messages(id)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return notQueued(id)
	}
	r, err := list[0].Open() // others have the same octets, but for what is put on top
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

// header copies up to the empty line.
func header(w io.Writer, r io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(r, 1<<20))
	if err != nil {
		return err
	}
	if i := strings.Index(string(text), "\r\n\r\n"); i >= 0 {
		text = text[:i+2]
	}
	_, err = w.Write(text)
	return err
}

func notQueued(id mail.ID) error {
	return fmt.Errorf("%s is not in the queue: forepost explain %s tells what became of it", id, id)
}

// QueueAct does something to all that a filter chooses.
func (a *Appliance) QueueAct(ctx context.Context, o admin.QueueOrder) (r admin.QueueResult, err error) {
	q := a.keep.queue
	f, err := q.ParseFilter(o.Filter)
	if err != nil {
		return r, err
	}
	if r.Messages, r.Recipients = q.Count(f); o.DryRun {
		return r, nil
	}
	switch o.What {
	case "retry":
		r.Done = q.Retry(f)
	case "hold":
		r.Done, err = q.Hold(ctx, f, cmp.Or(o.Why, "held by a person"))
	case "release":
		r.Done, err = q.Release(ctx, f)
	case "bounce":
		text := "Returned by the postmaster"
		if o.Why != "" {
			text += ": " + o.Why
		}
		r.Done, err = q.Bounce(ctx, f, mail.Refuse(54, 7, 0, text))
	case "delete":
		r.Done, err = q.Remove(ctx, f, cmp.Or(o.Why, "deleted by a person"))
	default:
		err = fmt.Errorf("%q is not something that can be done to messages: retry, hold, release, bounce, delete", o.What)
	}
	if err == nil {
		a.log.Info("queue "+o.What, "filter", o.Filter, "why", o.Why, "recipients", r.Done)
	}
	return r, err
}

// topReasons is how many reasons a summary tells.
const topReasons = 10

// QueueSummary is the queue in numbers.
func (a *Appliance) QueueSummary() admin.QueueSummary {
	st := a.keep.queue.Stats()
	s := admin.QueueSummary{Messages: st.Entries, Waiting: st.Waiting, Ready: st.Ready, Active: st.Active, Held: st.Held, Oldest: st.Oldest, Paused: a.Pauses()}
	counts := map[string]int{}
	a.keep.queue.Walk(queue.Filter{}, func(in *queue.Info) {
		for i := range in.Recipients {
			counts[reasonOf(&in.Recipients[i])]++
		}
	})
	for why, n := range counts {
		s.Reasons = append(s.Reasons, admin.ReasonCount{Recipients: n, Reason: why})
	}
	slices.SortFunc(s.Reasons, func(x, y admin.ReasonCount) int {
		return cmp.Or(cmp.Compare(y.Recipients, x.Recipients), cmp.Compare(x.Reason, y.Reason))
	})
	if len(s.Reasons) > topReasons {
		s.Reasons = s.Reasons[:topReasons]
	}
	return s
}

// QueueShape counts recipients by domain and age, the largest domain first.
func (a *Appliance) QueueShape(filter string) ([]admin.ShapeRow, error) {
	f, err := a.keep.queue.ParseFilter(filter)
	if err != nil {
		return nil, err
	}
	now, rows := a.o.Now(), map[string]*admin.ShapeRow{}
	a.keep.queue.Walk(f, func(in *queue.Info) {
		col := column(now.Sub(in.Envelope.Received))
		for i := range in.Recipients {
			r := &in.Recipients[i]
			if !slices.Contains(in.Chosen, int32(r.Index)) {
				continue
			}
			domain := in.Envelope.To[r.Index].Address.Domain
			row := rows[domain]
			if row == nil {
				row = &admin.ShapeRow{Domain: domain}
				rows[domain] = row
			}
			row.Total++
			row.Ages[col]++
			row.Reason = reasonOf(r)
		}
	})
	list := make([]admin.ShapeRow, 0, len(rows))
	for _, r := range rows {
		list = append(list, *r)
	}
	slices.SortFunc(list, func(x, y admin.ShapeRow) int {
		return cmp.Or(cmp.Compare(y.Total, x.Total), cmp.Compare(x.Domain, y.Domain))
	})
	return list, nil
}

// column is where an age stands in a ShapeRow: the bounds double, as qshape's do.
func column(age time.Duration) (i int) {
	for bound := 5 * time.Minute; age > bound && i < 9; bound *= 2 {
		i++
	}
	return i
}

// Pauses are the routes that are paused.
func (a *Appliance) Pauses() []admin.RoutePause {
	list := []admin.RoutePause{}
	for _, p := range a.keep.queue.Paused() {
		list = append(list, admin.RoutePause{Route: p.Route, Until: p.Until, Why: p.Why})
	}
	return list
}

// PauseRoute stops a route that there is.
func (a *Appliance) PauseRoute(ctx context.Context, p admin.RoutePause) error {
	if !a.hasRoute(p.Route) {
		return fmt.Errorf("no route is called %q: there are %s", p.Route, strings.Join(a.routeNames(), ", "))
	}
	if !p.Until.IsZero() && !p.Until.After(a.o.Now()) {
		return errors.New("the end of the pause is in the past")
	}
	return a.keep.queue.PauseRoute(ctx, queue.Pause{Route: p.Route, Until: p.Until, Why: p.Why})
}

// ResumeRoute lets a route go on.
func (a *Appliance) ResumeRoute(ctx context.Context, route string) error {
	was, err := a.keep.queue.ResumeRoute(ctx, route)
	if err == nil && !was {
		err = fmt.Errorf("route %s is not paused", route)
	}
	return err
}

func (a *Appliance) hasRoute(name string) bool { return slices.Contains(a.routeNames(), name) }

// routeNames are the routes of the configuration, and those that are always there.
func (a *Appliance) routeNames() []string {
	list := []string{"mx", "store"}
	for _, r := range a.live().settings.Routes {
		list = append(list, r.Name)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
