package trail

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/forepost/forepost/relay/journal"
)

// Query is what to search for; all that is set must hold. Letters match
// whatever their case.
type Query struct {
	Text    string // part of the sender, a recipient, the subject, the Message-ID or the account
	Address string // the sender or a recipient, whole ("bob@example.com") or its domain ("@example.com")
	From    string // the sender, likewise
	To      string // a recipient, likewise
	IP      string // the client's address
	Action  string // of an outcome: reject, quarantine, ...
	Since   time.Time
	Until   time.Time
	Limit   int // at most so many, default 100, never more than 10,000
}

const (
	defaultLimit = 100
	maxLimit     = 10000
)

// Search finds records, newest first. It reads back through the segments until
// it has enough: a search for what is rare reads them all.
func (t *Trail) Search(q Query) ([]Record, error) {
	m := newMatcher(q)
	if oldest := t.now().Add(-t.o.Keep); m.q.Since.Before(oldest) {
		m.q.Since = oldest
	}
	memory := t.buf.unwritten()
	segments := t.j.Segments()
	seen := map[string]bool{}
	found, err := m.entries(memory, seen)
	if err != nil {
		return nil, err
	}
	slices.Reverse(segments)
	for _, s := range segments {
		if len(found) >= m.q.Limit || !s.Sealed.IsZero() && s.Sealed.Before(m.q.Since) {
			break
		}
		if !m.q.Until.IsZero() && s.Created.After(m.q.Until) {
			continue
		}
		more, err := m.segment(t.j, s.Number, seen)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	slices.SortStableFunc(found, func(a, b Record) int { return b.Time.Compare(a.Time) })
	return found[:min(len(found), m.q.Limit)], nil
}

// matcher is a Query made ready.
type matcher struct {
	q      Query
	needle []byte // what the JSON of a match must hold, in lower case
	low    []byte
}

func newMatcher(q Query) *matcher {
	if q.Limit <= 0 {
		q.Limit = defaultLimit
	}
	q.Limit = min(q.Limit, maxLimit)
	for _, s := range []*string{&q.Text, &q.Address, &q.From, &q.To} {
		*s = strings.ToLower(strings.Trim(*s, "<>"))
	}
	m := &matcher{q: q}
	for _, s := range []string{q.Address, q.From, q.To, q.Text, strings.ToLower(q.IP), strings.ToLower(q.Action)} {
		if plain(s) && len(s) > len(m.needle) {
			m.needle = []byte(s)
		}
	}
	return m
}

// plain tells whether s stands in JSON as it is.
func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= 0x7f || strings.IndexByte(`"\<>&`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// segment searches one segment, and returns the newest Limit matches, newest
// first.
func (m *matcher) segment(j *journal.Journal, number uint32, seen map[string]bool) ([]Record, error) {
	var ring []Record
	err := j.Scan(context.Background(), number, func(_ journal.Kind, p []byte) error {
		r, err := m.entry(p, seen)
		if r != nil {
			ring = append(ring, *r)
			if len(ring) >= 2*m.q.Limit {
				ring = append(ring[:0], ring[len(ring)-m.q.Limit:]...)
			}
		}
		return err
	})
	slices.Reverse(ring)
	return ring[:min(len(ring), m.q.Limit)], err
}

// entries searches what is in memory, and notes all of it as seen, since it
// may be in the last segment by then.
func (m *matcher) entries(memory [][]byte, seen map[string]bool) (found []Record, err error) {
	for _, p := range slices.Backward(memory) {
		r, err := m.entry(p, nil)
		if err != nil {
			return nil, err
		}
		if r != nil {
			seen[string(p)] = true
			found = append(found, *r)
		}
	}
	return found, nil
}

// entry returns the record of an entry that matches.
func (m *matcher) entry(p []byte, seen map[string]bool) (*Record, error) {
	e, err := decode(p)
	if err != nil {
		return nil, err
	}
	if e.what != isRecord || e.at.Before(m.q.Since) || !m.q.Until.IsZero() && e.at.After(m.q.Until) || !m.hasNeedle(e.text) || seen[string(p)] {
		return nil, nil
	}
	var r Record
	if err := json.Unmarshal(e.text, &r); err != nil {
		return nil, fmt.Errorf("%w: %w", errEntry, err)
	}
	if !m.q.matches(&r) {
		return nil, nil
	}
	return &r, nil
}

// hasNeedle spares the decoding of what cannot match.
func (m *matcher) hasNeedle(text []byte) bool {
	if len(m.needle) == 0 {
		return true
	}
	m.low = append(m.low[:0], text...)
	for i, c := range m.low {
		if 'A' <= c && c <= 'Z' {
			m.low[i] = c + 'a' - 'A'
		}
	}
	return bytes.Contains(m.low, m.needle)
}
