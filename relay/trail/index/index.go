// Package index finds entries of a log by tokens: words, addresses and whatever
// else was said of an entry when it was added. It knows nothing of what the
// tokens mean. A Builder holds up to MaxEntries entries in memory; encoded it is
// a Chunk, which is read piece by piece from a file and is never changed.
package index

import (
	"math"
	"math/bits"
)

// MaxEntries is how many entries a chunk can have.
const MaxEntries = 1 << 14

// Token stands for a word: a hash of 48 bits. Two words may share one, so what
// is found must be looked at.
type Token uint64

const tokenBits = 48

// Of makes the token of a word of some kind: 'f' for senders and so on.
func Of(kind byte, word string) Token {
	h := uint64(14695981039346656037) // FNV-1a
	h = (h ^ uint64(kind)) * 1099511628211
	for i := 0; i < len(word); i++ {
		h = (h ^ uint64(word[i])) * 1099511628211
	}
	h ^= h >> 32 // its high bits are poor: mixed as in MurmurHash3's finalizer
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	return Token(h >> (64 - tokenBits))
}

// Set is a set of entries of one chunk by their number.
type Set [MaxEntries / 64]uint64

// Add puts an entry in.
func (s *Set) Add(n int) { s[n/64] |= 1 << (n % 64) }

// Has tells whether an entry is in.
func (s *Set) Has(n int) bool { return s[n/64]&(1<<(n%64)) != 0 }

// Fill puts the entries below n in.
func (s *Set) Fill(n int) {
	for i := range n / 64 {
		s[i] = math.MaxUint64
	}
	if n%64 != 0 {
		s[n/64] |= 1<<(n%64) - 1
	}
}

// And keeps what is in o as well.
func (s *Set) And(o *Set) {
	for i := range s {
		s[i] &= o[i]
	}
}

// Or takes in what is in o.
func (s *Set) Or(o *Set) {
	for i := range s {
		s[i] |= o[i]
	}
}

// Empty tells whether nothing is in.
func (s *Set) Empty() bool {
	for _, w := range s {
		if w != 0 {
			return false
		}
	}
	return true
}

// Len counts.
func (s *Set) Len() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// Any tells whether an entry from first on, of n, is in.
func (s *Set) Any(first, n int) bool {
	for i := first; i < first+n; i++ {
		if s.Has(i) {
			return true
		}
	}
	return false
}

// Batch is a row of entries that stand together in the log.
type Batch struct {
	At     int64 // its place in the log
	Skip   int   // how many entries of it stand in an earlier chunk
	First  int   // the number of its first entry here
	N      int   // how many there are
	Oldest int64 // times of its entries, in milliseconds; 0 where none has any
	Newest int64
}

// Part is what can be asked: a Builder or a Chunk.
type Part interface {
	// Find adds the entries that have a token to a set.
	Find(t Token, to *Set) error
	// Batches are all that there are, in order; not to be changed.
	Batches() []Batch
	// Len is the number of entries.
	Len() int
}
