package pipeline

import "errors"

// ErrNotRecorded is what a filter says in a replay whose finding the record does
// not have. It is not the same as could-not-tell: the rule that asked would have
// had an answer.
var ErrNotRecorded = errors.New("not recorded")

// Missing stands in Facts for a value that was found and is not kept.
type Missing struct{}

// Past is what is left of a message when it is judged again from its record. It
// is asked by one goroutine.
type Past interface {
	// HasField tells whether the header fields of a name are known, those that the
	// message did not have included.
	HasField(name string) bool
	// Miss notes that something was asked that is not known: the path of a fact, or
	// of a filter.
	Miss(what string)
	// Guess says what a rule (or a line of a score, by its path) comes to, for a
	// recipient, where that follows from what is not known. Who replays asks again
	// with the other answer: if the verdict is the same, it did not matter.
	Guess(path string, to int) bool
}

// Forget drops what was found about the session: another plan asks its own
// filters.
func (s *Session) Forget() {
	s.finds.mu.Lock()
	defer s.finds.mu.Unlock()
	s.finds.few, s.finds.many = nil, nil
}
