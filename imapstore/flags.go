package imapstore

import (
	"cmp"
	"slices"
	"strings"
)

// The system flags that are kept (RFC 9051 section 2.3.2); \Recent is a matter
// of sessions and never stored.
const (
	Seen     = "\\Seen"
	Answered = "\\Answered"
	Flagged  = "\\Flagged"
	Deleted  = "\\Deleted"
	Draft    = "\\Draft"
)

// SystemFlags are those flags, in order.
var SystemFlags = []string{Answered, Deleted, Draft, Flagged, Seen}

// SystemFlag finds how RFC 9051 writes a system flag.
func SystemFlag(f string) (string, bool) {
	for _, s := range SystemFlags {
		if strings.EqualFold(s, f) {
			return s, true
		}
	}
	return "", false
}

// HasFlag tells whether flags, as an Entry has them, hold f; case does not count
// (RFC 9051 section 2.3.2).
func HasFlag(flags []string, f string) bool {
	return slices.ContainsFunc(flags, func(g string) bool { return strings.EqualFold(f, g) })
}

// Has tells whether the entry has the flag.
func (e *Entry) Has(flag string) bool { return HasFlag(e.Flags, flag) }

// Find returns the place of the message of that UID in Messages; the sequence
// number is one more. It is false for a message that is not there.
func (s *Snapshot) Find(uid UID) (int, bool) {
	return slices.BinarySearchFunc(s.Messages, uid, func(e *Entry, u UID) int { return cmp.Compare(e.UID, u) })
}
