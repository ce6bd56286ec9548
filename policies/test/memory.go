package test

import (
	"context"
	"strings"
	"time"

	"github.com/forepost/forepost/relay/state"
)

// memory is the state of one case: what it says was counted and seen before, and
// nothing else. It is a state.Store for one goroutine.
type memory struct {
	counters map[string]map[string]int64 // by rule and key: how much was counted already
	waited   []string                    // greylist rules that know the sender
	now      func() time.Time

	taken  map[string]int64
	seen   map[string]state.Seen
	values map[string]string
}

// Take counts on what the case says was counted before. A window has no memory
// of when that was: the clock of a case stands.
func (m *memory) Take(_ context.Context, n int64, windows ...state.Window) (state.Taken, error) {
	t := state.Taken{OK: true, Over: -1}
	for i, w := range windows {
		used, room := m.before(w.Key)+m.taken[w.Key]+n, w.Max
		if w.Burst > 0 {
			room = min(room, w.Burst)
		}
		if used > room {
			return state.Taken{Over: i, Count: used, Wait: w.Per}, nil
		}
		t.Count = max(t.Count, used)
	}
	if m.taken == nil {
		m.taken = map[string]int64{}
	}
	for _, w := range windows {
		m.taken[w.Key] += n
	}
	return t, nil
}

// before is what the case says of a window. filters/ratelimit names it by the
// instance, the rate and the key; an instance in place of a rule is named by
// that.
func (m *memory) before(key string) int64 {
	name, rest, _ := strings.Cut(key, " ")
	_, who, _ := strings.Cut(rest, " ")
	return m.counters[strings.TrimPrefix(name, "limit:")][who]
}

// Return gives back.
func (m *memory) Return(_ context.Context, n int64, windows ...state.Window) error {
	for _, w := range windows {
		m.taken[w.Key] = max(0, m.taken[w.Key]-n)
	}
	return nil
}

// See knows whom the case says has waited.
func (m *memory) See(_ context.Context, key string, _ time.Duration) (state.Seen, error) {
	s, ok := m.seen[key]
	if rule, _, _ := strings.Cut(key, " "); !ok && has(m.waited, strings.TrimPrefix(rule, "greylist:")) {
		s = state.Seen{First: m.now().Add(-48 * time.Hour), Last: m.now().Add(-24 * time.Hour), Count: 1}
	}
	if s.Count == 0 {
		s.First = m.now()
	}
	s.Count++
	if m.seen == nil {
		m.seen = map[string]state.Seen{}
	}
	m.seen[key] = s
	return s, nil
}

// Get and Put keep values for the case.
func (m *memory) Get(_ context.Context, key string) (string, error) { return m.values[key], nil }

// Put keeps a value.
func (m *memory) Put(_ context.Context, key, value string, _ time.Duration) error {
	if m.values == nil {
		m.values = map[string]string{}
	}
	m.values[key] = value
	return nil
}

// Delete forgets a key.
func (m *memory) Delete(_ context.Context, key string) error {
	delete(m.seen, key)
	delete(m.values, key)
	return nil
}

// Close does nothing: there is nothing to close.
func (m *memory) Close() error { return nil }

var _ state.Store = (*memory)(nil)
