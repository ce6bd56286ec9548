// Package lately remembers what records of the DNS said when they were read last:
// most mail comes from few domains, and reading a key, a list of mechanisms or a
// policy anew for each message costs more than anything else that is done with it.
package lately

import "sync"

// The bounds of a Memory: some 3 MiB of keys. What is longer is read each time.
const (
	maxTexts = 1000
	maxText  = 2048
)

// Memory reads texts by a function whose answer depends on the text alone, and
// remembers its answers and errors. It is safe for concurrent use. What it gives
// is shared and not to be changed.
type Memory[V any] struct {
	read func(text string) (V, error)

	mu    sync.Mutex
	known map[string]answer[V]
}

type answer[V any] struct {
	value V
	err   error
}

// New makes an empty Memory.
func New[V any](read func(text string) (V, error)) *Memory[V] {
	return &Memory[V]{read: read, known: map[string]answer[V]{}}
}

// Get is what the function says of a text.
func (m *Memory[V]) Get(text string) (V, error) {
	m.mu.Lock()
	a, ok := m.known[text]
	m.mu.Unlock()
	if ok {
		return a.value, a.err
	}
	a.value, a.err = m.read(text)
	if len(text) > maxText {
		return a.value, a.err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.known) >= maxTexts {
		clear(m.known) // it fills again with what is in use
	}
	m.known[text] = a
	return a.value, a.err
}
