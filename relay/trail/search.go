package trail

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/trail/index"
)

// Query is what to search for; all that is set must hold. Letters match
// whatever their case.
type Query struct {
	// Text is words of the sender, the recipients, the subject, the Message-ID, the
	// account or the client's names, all of which must be there: whole words
	// ("invoice"), addresses, or domains ("example.com", also for mail.example.com).
	// One that is an ID or an IP address finds that.
	Text    string
	Address string // the sender or a recipient, whole ("bob@example.com") or its domain ("@example.com")
	From    string // the sender, likewise
	To      string // a recipient, likewise
	IP      string // the client's address, or a network ("203.0.113.0/24")
	Action  string // of an outcome: reject, quarantine, ...
	Rule    string // one that did something, or (in shadow) would have: its path, or the end of it ("reject.dnsbl")
	Tag     string
	Since   time.Time
	Until   time.Time
	Limit   int // at most so many, default 100, never more than 10,000
}

const (
	defaultLimit = 100
	maxLimit     = 10000

	// slowest is how long a transaction may take: its time is that of MAIL, and it
	// is written when it is over.
	slowest = time.Hour
)

// Search finds records, newest first. It reads back through the segments until it
// has enough, and of each only what its index names.
func (t *Trail) Search(q Query) ([]Record, error) {
	return t.SearchContext(context.Background(), q)
}

// SearchContext is Search that ends with ctx.
func (t *Trail) SearchContext(ctx context.Context, q Query) ([]Record, error) {
	m := newMatcher(q, t)
	if oldest := t.now().Add(-t.o.Keep); m.q.Since.Before(oldest) {
		m.q.Since = oldest
	}
	w := m.wanted()
	if err := m.entries(t.buf.unwritten()); err != nil { // before the segments: what moves between the two is seen twice, and counted once
		return nil, err
	}
	for _, s := range slices.Backward(t.j.Segments()) {
		if len(m.found) >= m.q.Limit || !s.Sealed.IsZero() && s.Sealed.Before(m.q.Since) {
			break
		}
		if !m.q.Until.IsZero() && s.Created.Add(-slowest).After(m.q.Until) {
			continue
		}
		if err := m.segment(ctx, s, w); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(m.found, func(a, b Record) int { return b.Time.Compare(a.Time) })
	return m.found[:min(len(m.found), m.q.Limit)], nil
}

// matcher is a Query at work.
type matcher struct {
	t     *Trail
	q     Query
	words []string
	net   netip.Prefix
	id    mail.ID
	found []Record
	seen  map[string]bool // entries, whole, that were in memory
}

func newMatcher(q Query, t *Trail) *matcher {
	if q.Limit <= 0 {
		q.Limit = defaultLimit
	}
	q.Limit = min(q.Limit, maxLimit)
	for _, s := range []*string{&q.Address, &q.From, &q.To} {
		*s = strings.ToLower(strings.Trim(*s, "<> "))
	}
	q.IP, q.Action, q.Tag = strings.ToLower(q.IP), strings.ToLower(q.Action), strings.ToLower(q.Tag)
	m := &matcher{t: t, seen: map[string]bool{}}
	m.text(&q)
	m.net, _ = netip.ParsePrefix(q.IP)
	m.net = m.net.Masked()
	if a, err := netip.ParseAddr(q.IP); err == nil {
		q.IP = a.Unmap().String()
	}
	m.q = q
	return m
}

// text finds out what a text as people type it is.
func (m *matcher) text(q *Query) {
	s := strings.Trim(strings.TrimSpace(q.Text), "<>")
	if id := mail.ID(s); id.Valid() {
		m.id = id
		return
	}
	if _, err := netip.ParseAddr(s); err == nil && q.IP == "" {
		q.IP = s
		return
	}
	if _, err := netip.ParsePrefix(s); err == nil && q.IP == "" {
		q.IP = s
		return
	}
	if strings.HasPrefix(s, "@") && q.Address == "" && !strings.ContainsAny(s, " \t") {
		q.Address = strings.ToLower(s)
		return
	}
	m.words = atoms(s)
}

// wanted is what the index is asked for.
func (m *matcher) wanted() *wanted {
	w := &wanted{since: m.q.Since.UnixMilli()}
	if !m.q.Until.IsZero() {
		w.until = m.q.Until.UnixMilli()
	}
	row := func(on bool, ts ...index.Token) {
		if on {
			w.rows = append(w.rows, ts)
		}
	}
	q := &m.q
	row(m.id != "", index.Of(tokSession, string(m.id.Session())))
	for _, word := range m.words {
		row(true, index.Of(tokWord, word))
	}
	row(q.Address != "", index.Of(tokFrom, q.Address), index.Of(tokTo, q.Address))
	row(q.From != "", index.Of(tokFrom, q.From))
	row(q.To != "", index.Of(tokTo, q.To))
	row(q.Action != "", index.Of(tokAction, q.Action))
	row(q.Rule != "", index.Of(tokRule, q.Rule))
	row(q.Tag != "", index.Of(tokTag, q.Tag))
	switch {
	case !m.net.IsValid():
		row(q.IP != "", index.Of(tokIP, q.IP))
	case m.net.Bits() >= network(m.net.Addr()).Bits():
		row(true, index.Of(tokIP, network(m.net.Addr()).String()))
	}
	return w
}

// segment searches one segment.
func (m *matcher) segment(ctx context.Context, s journal.Segment, w *wanted) error {
	first := len(m.found)
	turned := false
	turn := func() { // what came as it stood, oldest first
		if !turned {
			slices.Reverse(m.found[first:])
			turned = true
		}
	}
	err := m.t.visit(ctx, s, w, func(h hit, newest bool) (bool, error) {
		if newest {
			turn()
		}
		r, err := m.entry(h)
		if r == nil {
			return newest && len(m.found) >= m.q.Limit, err
		}
		m.found = append(m.found, *r)
		if n := len(m.found) - first; !newest && n >= 2*m.q.Limit {
			m.found = append(m.found[:first], m.found[len(m.found)-m.q.Limit:]...)
		}
		return newest && len(m.found) >= m.q.Limit, nil
	})
	turn()
	return err
}

// entries searches what is in memory, and notes it as seen, since it may be in
// the last segment by then.
func (m *matcher) entries(memory [][]byte) error {
	for _, p := range slices.Backward(memory) {
		r, err := m.entry(hit{p: p})
		if err != nil {
			return err
		}
		if r != nil {
			m.seen[string(p)] = true
			m.found = append(m.found, *r)
		}
	}
	return nil
}

// entry returns the record of an entry that matches.
func (m *matcher) entry(h hit) (*Record, error) {
	e, err := decode(h.p)
	if err != nil {
		return nil, err
	}
	if !e.isOne() || e.at.Before(m.q.Since) || !m.q.Until.IsZero() && e.at.After(m.q.Until) || m.id != "" && !strings.HasPrefix(string(e.id), string(m.id)) || m.seen[string(h.p)] {
		return nil, nil
	}
	r, err := m.t.read(&e, h.segment)
	if err != nil || !m.matches(r) {
		return nil, err
	}
	return r, nil
}
