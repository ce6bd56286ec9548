package mail

import (
	"hash/fnv"
	"sync"
	"time"
)

// ID names a session (10 characters, given when the connection is taken) or a
// transaction (its session's ID and 3 more, given at MAIL). IDs are ordered by
// time, as strings too, hold no vowels and are unique over the nodes of a
// site. An ID stands in every reply from MAIL on, in every log line, and is
// what `forepost explain` asks for.
type ID string

// Lengths of the two sorts of ID, in characters.
const (
	SessionIDLen     = 10
	TransactionIDLen = 13
)

// alphabet is in the order of ASCII, so that IDs sort as strings.
const alphabet = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"

// idEpoch is where the time in an ID begins: 41 bits of milliseconds last
// until 2089.
var idEpoch = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// IDs gives session IDs. It is safe for concurrent use.
type IDs struct {
	now  func() time.Time
	node uint64

	mu   sync.Mutex
	last uint64 // the last tick<<8 | count given
}

// NewIDs makes a source of IDs for the node of that name: sites whose nodes
// share a trail give each a name of its own.
func NewIDs(node string, now func() time.Time) *IDs {
	h := fnv.New32a()
	h.Write([]byte(node))
	return &IDs{now: now, node: uint64(h.Sum32()>>24) & 0xff}
}

// Session returns the next session ID. More than 256 in a millisecond borrow
// from the ones to come, so that order and uniqueness hold.
func (s *IDs) Session() ID {
	tick := uint64(s.now().Sub(idEpoch).Milliseconds()) & (1<<41 - 1)
	s.mu.Lock()
	next := tick << 8
	if next <= s.last {
		next = s.last + 1
	}
	s.last = next
	s.mu.Unlock()
	v := next>>8<<16 | s.node<<8 | next&0xff
	return ID(encode(v, SessionIDLen))
}

// Transaction returns the ID of the nth transaction (from 0) of the session
// id. A session has at most MaxTransactions of them.
func (id ID) Transaction(n int) ID {
	return id[:SessionIDLen] + ID(encode(uint64(n), TransactionIDLen-SessionIDLen))
}

// MaxTransactions is how many transactions the IDs of a session reach for.
const MaxTransactions = 52 * 52 * 52

// Session is the ID of the session that id belongs to.
func (id ID) Session() ID {
	if len(id) > SessionIDLen {
		return id[:SessionIDLen]
	}
	return id
}

// Time is when the session of id began, to the millisecond; the zero time for
// what is no ID.
func (id ID) Time() time.Time {
	if !id.Valid() {
		return time.Time{}
	}
	return idEpoch.Add(time.Duration(decode(string(id[:SessionIDLen]))>>16) * time.Millisecond)
}

// Valid tells whether id has the form of a session's or a transaction's ID.
func (id ID) Valid() bool {
	if len(id) != SessionIDLen && len(id) != TransactionIDLen {
		return false
	}
	for i := 0; i < len(id); i++ {
		if digit(id[i]) < 0 {
			return false
		}
	}
	return true
}

func encode(v uint64, n int) string {
	b := make([]byte, n)
	for i := n - 1; i >= 0; i-- {
		b[i] = alphabet[v%52]
		v /= 52
	}
	return string(b)
}

func decode(s string) (v uint64) {
	for i := 0; i < len(s); i++ {
		v = v*52 + uint64(digit(s[i]))
	}
	return v
}

func digit(c byte) int {
	for i := 0; i < len(alphabet); i++ {
		if alphabet[i] == c {
			return i
		}
	}
	return -1
}
