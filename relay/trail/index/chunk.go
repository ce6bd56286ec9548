package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sort"
)

// ErrDamaged is a chunk that cannot be read: the index must be made anew.
var ErrDamaged = errors.New("index: damaged")

// Bounds of what a head may ask for.
const (
	maxDir   = 16 << 20
	maxBlock = 8 << 10
)

// Chunk is an encoded Builder in a file. Its directory is in memory, some 5 KiB
// for 16,384 entries. It is safe for concurrent use.
type Chunk struct {
	r       io.ReaderAt
	blocks  int64 // where they begin in the file
	end     int64 // where the chunk ends
	n       int
	from    int64
	to      int64
	batches []Batch
	firsts  []Token
	offs    []uint32
}

var _ Part = (*Chunk)(nil)

// Open reads the head of the chunk at off in a file of that size. io.EOF means
// that there is none.
func Open(r io.ReaderAt, off, size int64) (*Chunk, error) {
	if off >= size {
		return nil, io.EOF
	}
	head := make([]byte, headLen)
	if err := readAt(r, head, off); err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	dirLen, length := int64(le.Uint32(head[12:])), int64(le.Uint64(head[16:]))
	if le.Uint32(head) != magic || head[4] != version || dirLen > maxDir || length < headLen+dirLen || off+length > size {
		return nil, ErrDamaged
	}
	c := &Chunk{r: r, blocks: off + headLen + dirLen, end: off + length, n: int(le.Uint32(head[40:])), from: int64(le.Uint64(head[24:])), to: int64(le.Uint64(head[32:]))}
	dir := make([]byte, dirLen)
	if err := readAt(r, dir, off+headLen); err != nil {
		return nil, err
	}
	if headSum(head, dir) != le.Uint32(head[8:]) || c.n > MaxEntries || !c.directory(dir, int(le.Uint32(head[44:]))) {
		return nil, ErrDamaged
	}
	return c, nil
}

func readAt(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || err == io.EOF {
		return ErrDamaged
	}
	return fmt.Errorf("index: %w", err)
}

// directory reads batches and blocks.
func (c *Chunk) directory(p []byte, blocks int) bool {
	d := numbers{p: p}
	n := d.next()
	if n > uint64(len(p)) {
		return false
	}
	c.batches = make([]Batch, 0, n)
	var at, millis int64
	first := 0
	for range n {
		b := Batch{At: at + int64(d.next()), Skip: int(d.next()), First: first, N: int(d.next()), Oldest: millis + d.signed()}
		b.Newest = b.Oldest + d.signed()
		at, millis, first = b.At, b.Oldest, first+b.N
		if b.N > c.n || first > c.n || b.N < 0 || b.Skip < 0 {
			return false
		}
		c.batches = append(c.batches, b)
	}
	if d.bad || len(d.p) != blocks*blockHead || first != c.n {
		return false
	}
	for range blocks {
		c.firsts = append(c.firsts, Token(binary.LittleEndian.Uint64(d.p)))
		c.offs = append(c.offs, binary.LittleEndian.Uint32(d.p[8:]))
		d.p = d.p[blockHead:]
	}
	return true
}

// Len is the number of entries.
func (c *Chunk) Len() int { return c.n }

// Batches are all that there are, in order.
func (c *Chunk) Batches() []Batch { return c.batches }

// Covers tells which part of the log was indexed: from its first batch up to a
// place behind its last.
func (c *Chunk) Covers() (from, to int64) { return c.from, c.to }

// End is where the next chunk of the file begins.
func (c *Chunk) End() int64 { return c.end }

// Find reads the one block that can have the token.
func (c *Chunk) Find(t Token, to *Set) error {
	i := sort.Search(len(c.firsts), func(i int) bool { return c.firsts[i] > t }) - 1
	if i < 0 {
		return nil
	}
	end := c.end
	if i+1 < len(c.offs) {
		end = c.blocks + int64(c.offs[i+1])
	}
	begin := c.blocks + int64(c.offs[i])
	if end-begin < 4 || end-begin > maxBlock {
		return ErrDamaged
	}
	p := make([]byte, end-begin)
	if err := readAt(c.r, p, begin); err != nil {
		return err
	}
	if crc32.Checksum(p[4:], castagnoli) != binary.LittleEndian.Uint32(p) {
		return ErrDamaged
	}
	return c.inBlock(numbers{p: p[4:]}, c.firsts[i], t, to)
}

// inBlock passes over the lists before the one that is looked for.
func (c *Chunk) inBlock(d numbers, have, want Token, to *Set) error {
	for len(d.p) > 0 && !d.bad {
		have += Token(d.next())
		n := int(d.next())
		if have > want {
			return nil
		}
		found := have == want
		if dense(n, c.n) {
			if !d.bits(c.n, found, to) {
				return ErrDamaged
			}
		} else if !d.list(n, c.n, found, to) {
			return ErrDamaged
		}
		if found {
			return nil
		}
	}
	if d.bad {
		return ErrDamaged
	}
	return nil
}

// numbers reads integers one after the other.
type numbers struct {
	p   []byte
	bad bool
}

func (d *numbers) next() uint64 {
	v, n := binary.Uvarint(d.p)
	if n <= 0 {
		d.bad, d.p = true, nil
		return 0
	}
	d.p = d.p[n:]
	return v
}

func (d *numbers) signed() int64 {
	v, n := binary.Varint(d.p)
	if n <= 0 {
		d.bad, d.p = true, nil
		return 0
	}
	d.p = d.p[n:]
	return v
}

func (d *numbers) bits(entries int, take bool, to *Set) bool {
	n := (entries + 7) / 8
	if len(d.p) < n {
		return false
	}
	if take {
		for i, b := range d.p[:n] {
			to[i/8] |= uint64(b) << (i % 8 * 8)
		}
	}
	d.p = d.p[n:]
	return true
}

func (d *numbers) list(n, entries int, take bool, to *Set) bool {
	if n > len(d.p) { // one octet each, at least
		return false
	}
	at := uint64(0)
	for range n {
		if at += d.next(); at >= uint64(entries) {
			return false
		}
		if take {
			to.Add(int(at))
		}
	}
	return !d.bad
}
