package reports

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/report"
)

// How long and how much is kept of what was read.
const (
	keepFor  = 400 * day
	keepMost = 512 << 20
)

// note is a record: one of its members is set.
type note struct {
	Done *time.Time `json:"done,omitempty"` // all reports of a day were sent
	Sent *sent      `json:"sent,omitempty"`
	// DoneTLS is Done for TLS reports, and Own a message that is one.
	DoneTLS *time.Time      `json:"done_tls,omitempty"`
	Own     mail.ID         `json:"own,omitempty"`
	Time    time.Time       `json:"time,omitzero"` // of Own
	Read    *report.Summary `json:"read,omitempty"`
}

// sent is the report of a day for a Policy Domain.
type sent struct {
	Day    time.Time `json:"day"`
	Domain string    `json:"domain"`
}

// kept remembers over restarts what was sent and read. Summaries stay on the
// disk; in memory are their IDs.
type kept struct {
	j   *journal.Journal
	now func() time.Time

	mu    sync.Mutex
	days  map[time.Time]bool
	tls   map[time.Time]bool // days of TLS reports
	sents map[sent]bool
	owns  map[mail.ID]bool
	read  map[string]bool
}

func openKept(o Options) (*kept, error) {
	j, err := journal.Open(o.Dir, journal.Options{SegmentSize: 4 << 20, MaxAge: 7 * day, Skim: true, Now: o.Now, Log: o.Log})
	if err != nil {
		return nil, fmt.Errorf("reports: %w", err)
	}
	k := &kept{j: j, now: o.Now, days: map[time.Time]bool{}, tls: map[time.Time]bool{}, sents: map[sent]bool{}, owns: map[mail.ID]bool{}, read: map[string]bool{}}
	if err = j.Recover(context.Background()); err == nil {
		_, err = j.Drop(o.Now().Add(-keepFor), keepMost)
	}
	if err == nil {
		err = k.each(context.Background(), func(n *note) { k.learn(n) })
	}
	if err != nil {
		j.Close()
		return nil, fmt.Errorf("reports: %w", err)
	}
	return k, nil
}

func (k *kept) close() error { return k.j.Close() }

// each reads all notes, oldest first.
func (k *kept) each(ctx context.Context, f func(*note)) error {
	for _, s := range k.j.Segments() {
		err := k.j.Scan(ctx, s.Number, func(_ journal.Kind, p []byte) error {
			var n note
			if err := json.Unmarshal(p, &n); err != nil {
				return fmt.Errorf("reports: a record that cannot be read: %w", err)
			}
			f(&n)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// learn takes a note into memory. What is older than two days is not asked for.
func (k *kept) learn(n *note) {
	k.mu.Lock()
	defer k.mu.Unlock()
	old := k.now().Add(-4 * day)
	switch {
	case n.Done != nil && n.Done.After(old):
		k.days[n.Done.UTC()] = true
	case n.DoneTLS != nil && n.DoneTLS.After(old):
		k.tls[n.DoneTLS.UTC()] = true
	case n.Own != "" && n.Time.After(k.now().Add(-ownOld)):
		k.owns[n.Own] = true
	case n.Sent != nil && n.Sent.Day.After(old):
		k.sents[sent{n.Sent.Day.UTC(), n.Sent.Domain}] = true
	case n.Read != nil:
		k.read[n.Read.ID] = true
	}
}

// write makes a note durable.
func (k *kept) write(ctx context.Context, n *note) error {
	p, err := json.Marshal(n)
	if err != nil {
		return err
	}
	var b journal.Batch
	b.Add(journal.KindReports, p)
	if err := k.j.Commit(ctx, &b); err != nil {
		return fmt.Errorf("reports: %w", err)
	}
	k.learn(n)
	return nil
}

func (k *kept) done(day time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.days[day.UTC()]
}

func (k *kept) doneTLS(day time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.tls[day.UTC()]
}

func (k *kept) markDone(ctx context.Context, day time.Time) error {
	return k.write(ctx, &note{Done: &day})
}

func (k *kept) sent(day time.Time, domain string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.sents[sent{day.UTC(), domain}]
}

func (k *kept) markSent(ctx context.Context, day time.Time, domain string) error {
	return k.write(ctx, &note{Sent: &sent{day, domain}})
}

// add keeps a summary; false where there is one of that ID.
func (k *kept) add(ctx context.Context, s *report.Summary) (bool, error) {
	k.mu.Lock()
	have := k.read[s.ID]
	k.mu.Unlock()
	if have {
		return false, nil
	}
	return true, k.write(ctx, &note{Read: s})
}

// Query chooses summaries; what is empty chooses all.
type Query struct {
	ID     string
	Domain string
	Since  time.Time // by the end of the report's time
}

// maxList is how many summaries one answer has.
const maxList = 1000

// List finds summaries, the latest first; their rows are there only where the
// query names an ID.
func (s *Service) List(ctx context.Context, q Query) (list []report.Summary, err error) {
	err = s.kept.each(ctx, func(n *note) {
		r := n.Read
		if r == nil || q.ID != "" && r.ID != q.ID || q.Domain != "" && r.Domain != q.Domain || r.End.Before(q.Since) {
			return
		}
		if q.ID == "" {
			r.Rows = nil
		}
		if list = append(list, *r); len(list) >= 2*maxList {
			list = latest(list)
		}
	})
	return latest(list), err
}

func latest(list []report.Summary) []report.Summary {
	slices.SortStableFunc(list, func(a, b report.Summary) int { return b.End.Compare(a.End) })
	return list[:min(len(list), maxList)]
}
