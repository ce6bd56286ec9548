package replay

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/trail"
)

// Report is what a replay of many messages came to. It is filled by one
// goroutine.
type Report struct {
	Since      time.Time       `json:"since,omitzero"`
	Until      time.Time       `json:"until,omitzero"`
	Messages   int             `json:"messages"`
	Recipients int             `json:"recipients"` // and sessions that were turned away
	Rows       []Row           `json:"rows"`
	Changes    []Change        `json:"changes,omitempty"`
	CannotTell []Lack          `json:"cannot_tell,omitempty"`
	Would      []Count         `json:"would,omitempty"` // rules in shadow, and for how many messages they would have acted
	Old        int             `json:"old,omitempty"`   // records that lack what a replay needs
	IDs        []mail.ID       `json:"ids,omitempty"`   // messages with a change, the latest last
	Took       time.Duration   `json:"took,omitempty"`
	Dropped    uint64          `json:"dropped,omitempty"` // of a trial on live mail: messages that it had no time for
	rows       map[string]*Row // by action
	changes    map[key]*Change
	lacks      map[[2]string]int
	would      map[string]int
	domains    map[key]map[string]int
}

// Row is one action: how many recipients had it, and how many would.
type Row struct {
	Action     string `json:"action"`
	Was        int    `json:"was"`
	Now        int    `json:"now"`
	CannotTell int    `json:"cannot_tell,omitempty"` // of those that had it
}

// Change is one way in which verdicts differ, by the rule that makes it.
type Change struct {
	From    string  `json:"from"`
	To      string  `json:"to"`
	Rule    string  `json:"rule,omitempty"`   // that decides now; "" where none does
	Lifted  string  `json:"lifted,omitempty"` // that decided then
	N       int     `json:"n"`
	Domains []Count `json:"domains"`          // of senders, the most first
	Others  int     `json:"others,omitempty"` // of further domains
}

// Count is how often something was.
type Count struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

// Lack is what nobody can tell, and why.
type Lack struct {
	Was   string `json:"was"`
	Needs string `json:"needs"`
	N     int    `json:"n"`
}

type key struct{ from, to, rule, lifted string }

// Bounds of a report.
const (
	maxIDs     = 100_000
	maxDomains = 10_000
	shownOf    = 5 // domains of a change
)

// NewReport begins one.
func NewReport() *Report {
	return &Report{rows: map[string]*Row{}, changes: map[key]*Change{}, lacks: map[[2]string]int{}, would: map[string]int{}, domains: map[key]map[string]int{}}
}

// Add counts a message.
func (r *Report) Add(rec *trail.Record, out Outcome) {
	r.Messages++
	r.span(rec.Time)
	changed := false
	for i := range out.Fates {
		f := &out.Fates[i]
		r.Recipients++
		was, now := r.row(f.Was.Action), r.row(f.Now.Action)
		was.Was++
		if f.Now.Action == CannotTell {
			r.row(f.Was.Action).CannotTell++
			r.lacks[[2]string{f.Was.Action, strings.Join(f.Lacks, ", ")}]++
			continue
		}
		now.Now++
		if f.Changed() {
			changed = true
			r.change(rec, f)
		}
	}
	if changed && len(r.IDs) < maxIDs {
		r.IDs = append(r.IDs, rec.ID)
	}
	for _, path := range slices.Compact(slices.Sorted(slices.Values(out.Would))) {
		r.would[path]++
	}
}

// AddOld counts a record that cannot be judged again.
func (r *Report) AddOld() { r.Old++ }

func (r *Report) span(t time.Time) {
	if r.Since.IsZero() || t.Before(r.Since) {
		r.Since = t
	}
	if t.After(r.Until) {
		r.Until = t
	}
}

func (r *Report) row(action string) *Row {
	if action == CannotTell {
		return &Row{}
	}
	if r.rows[action] == nil {
		r.rows[action] = &Row{Action: action}
	}
	return r.rows[action]
}

func (r *Report) change(rec *trail.Record, f *Fate) {
	k := key{said(f.Was, f.Now), said(f.Now, f.Was), f.Now.Rule, ""}
	if f.Was.Rule != f.Now.Rule {
		k.lifted = f.Was.Rule
	}
	if r.changes[k] == nil {
		r.changes[k] = &Change{From: k.from, To: k.to, Rule: k.rule, Lifted: k.lifted}
		r.domains[k] = map[string]int{}
	}
	r.changes[k].N++
	domain := senderDomain(rec)
	if ds := r.domains[k]; len(ds) < maxDomains || ds[domain] > 0 {
		ds[domain]++
	}
}

// said is a verdict, with its place where that is the difference.
func said(v, other Verdict) string {
	if v.Action == other.Action && v.Where != "" {
		return v.Action + " (" + v.Where + ")"
	}
	return v.Action
}

func senderDomain(rec *trail.Record) string {
	switch {
	case rec.From == nil:
		return rec.Client.IP
	case *rec.From == "":
		return "<>"
	}
	return "*@" + strings.ToLower((*rec.From)[strings.LastIndexByte(*rec.From, '@')+1:])
}

// Snapshot is the report as it is by now, with everything in order.
func (r *Report) Snapshot() *Report {
	s := &Report{Since: r.Since, Until: r.Until, Messages: r.Messages, Recipients: r.Recipients, Old: r.Old, IDs: slices.Clone(r.IDs), Took: r.Took, Dropped: r.Dropped}
	for _, row := range r.rows {
		s.Rows = append(s.Rows, *row)
	}
	slices.SortFunc(s.Rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(order(a.Action), order(b.Action)), cmp.Compare(a.Action, b.Action))
	})
	for k, c := range r.changes {
		one := *c
		one.Domains = counts(r.domains[k])
		shown := 0
		one.Domains = one.Domains[:min(len(one.Domains), shownOf)]
		for _, d := range one.Domains {
			shown += d.N
		}
		one.Others = one.N - shown
		s.Changes = append(s.Changes, one)
	}
	slices.SortFunc(s.Changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.From+a.To+a.Rule+a.Lifted, b.From+b.To+b.Rule+b.Lifted))
	})
	for k, n := range r.lacks {
		s.CannotTell = append(s.CannotTell, Lack{Was: k[0], Needs: k[1], N: n})
	}
	slices.SortFunc(s.CannotTell, func(a, b Lack) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Was+a.Needs, b.Was+b.Needs)) })
	s.Would = counts(r.would)
	return s
}

var actions = []string{"accept", "quarantine", "hold", "discard", "bounce", "reject", "defer", "drop", "abort"}

func order(action string) int {
	if i := slices.Index(actions, action); i >= 0 {
		return i
	}
	return len(actions)
}

func counts(m map[string]int) (list []Count) {
	for name, n := range m {
		list = append(list, Count{name, n})
	}
	slices.SortFunc(list, func(a, b Count) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name)) })
	return list
}
