package index

import "slices"

// Builder takes entries, in the order of the log. It is used by one goroutine at
// a time.
type Builder struct {
	pairs   []uint64 // token and entry: sorted, they are the lists of a chunk
	batches []Batch
	n       int
}

var _ Part = (*Builder)(nil)

// Len is the number of entries.
func (b *Builder) Len() int { return b.n }

// Batches are all that there are, in order.
func (b *Builder) Batches() []Batch { return b.batches }

// Full tells whether no entry has room any more.
func (b *Builder) Full() bool { return b.n == MaxEntries }

// Add takes an entry of the batch at a place, after skip others of it; millis is
// its time, 0 where it has none. It must not be full.
func (b *Builder) Add(at int64, skip int, millis int64, tokens []Token) {
	if last := len(b.batches) - 1; last < 0 || b.batches[last].At != at {
		b.batches = append(b.batches, Batch{At: at, Skip: skip, First: b.n, Oldest: millis, Newest: millis})
	}
	batch := &b.batches[len(b.batches)-1]
	batch.N++
	switch {
	case millis == 0:
	case batch.Newest == 0:
		batch.Oldest, batch.Newest = millis, millis
	default:
		batch.Oldest, batch.Newest = min(batch.Oldest, millis), max(batch.Newest, millis)
	}
	for _, t := range tokens {
		b.pairs = append(b.pairs, uint64(t)<<(64-tokenBits)|uint64(b.n))
	}
	b.n++
}

// Find looks through all: a chunk's worth takes some 0.3 ms.
func (b *Builder) Find(t Token, to *Set) error {
	for _, p := range b.pairs {
		if Token(p>>(64-tokenBits)) == t {
			to.Add(int(p & (MaxEntries - 1)))
		}
	}
	return nil
}

// Reset forgets everything, and keeps the memory.
func (b *Builder) Reset() { b.pairs, b.batches, b.n = b.pairs[:0], b.batches[:0], 0 }

// lists hands the entries of each token to f, in the order of tokens. b stays as it
// is: others may look through it meanwhile.
func (b *Builder) lists(f func(t Token, entries []uint16)) {
	pairs := slices.Clone(b.pairs)
	slices.Sort(pairs)
	var entries []uint16
	for i := 0; i < len(pairs); {
		t := pairs[i] >> (64 - tokenBits)
		entries = entries[:0]
		for ; i < len(pairs) && pairs[i]>>(64-tokenBits) == t; i++ {
			if n := uint16(pairs[i] & (MaxEntries - 1)); len(entries) == 0 || entries[len(entries)-1] != n {
				entries = append(entries, n)
			}
		}
		f(Token(t), entries)
	}
}
