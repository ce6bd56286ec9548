package index

import (
	"encoding/binary"
	"hash/crc32"
)

// A chunk is: a head of fixed length; the directory (batches, and the first
// token and place of each block); blocks of tokens with their entries. Head and
// directory are checked when a chunk is opened, a block when it is read.
//
// In the file, integers of fixed length are little-endian:
//
//	magic 4, version 1, 3 unused, checksum of what follows and the directory 4, length of the
//	directory 4, of the whole 8, first place in the log 8, place behind the last
//	8, entries 4, blocks 4
const (
	magic   = 0x49507046
	version = 1
	headLen = 48

	blockLen  = 2 << 10 // a block ends with the token that makes it longer
	blockHead = 12      // in the directory: the first token, the place
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Encode makes the chunk, which covers the log up to (not including) a place.
func (b *Builder) Encode(to int64) []byte {
	var blocks, heads []byte
	start, count := -1, 0
	var last Token
	end := func() {
		if start >= 0 {
			binary.LittleEndian.PutUint32(blocks[start:], crc32.Checksum(blocks[start+4:], castagnoli))
		}
		start = -1
	}
	b.lists(func(t Token, entries []uint16) {
		if start < 0 {
			start, last = len(blocks), t
			count++
			heads = binary.LittleEndian.AppendUint64(heads, uint64(t))
			heads = binary.LittleEndian.AppendUint32(heads, uint32(start))
			blocks = append(blocks, 0, 0, 0, 0)
		}
		blocks = binary.AppendUvarint(blocks, uint64(t-last))
		blocks = appendEntries(blocks, entries, b.n)
		last = t
		if len(blocks)-start >= blockLen {
			end()
		}
	})
	end()
	dir := append(b.appendBatches(nil), heads...)
	p := make([]byte, headLen, headLen+len(dir)+len(blocks))
	le := binary.LittleEndian
	le.PutUint32(p, magic)
	p[4] = version
	le.PutUint32(p[12:], uint32(len(dir)))
	le.PutUint64(p[16:], uint64(headLen+len(dir)+len(blocks)))
	if len(b.batches) > 0 {
		le.PutUint64(p[24:], uint64(b.batches[0].At))
	}
	le.PutUint64(p[32:], uint64(to))
	le.PutUint32(p[40:], uint32(b.n))
	le.PutUint32(p[44:], uint32(count))
	le.PutUint32(p[8:], headSum(p, dir))
	return append(append(p, dir...), blocks...)
}

// headSum is the checksum of a head from behind the sum on, and of the directory.
func headSum(head, dir []byte) uint32 {
	return crc32.Update(crc32.Checksum(head[12:headLen], castagnoli), castagnoli, dir)
}

// appendEntries writes a list: their number, then the distances between them,
// or, where that is longer, a bit for each entry of the chunk.
func appendEntries(p []byte, entries []uint16, n int) []byte {
	p = binary.AppendUvarint(p, uint64(len(entries)))
	if dense(len(entries), n) {
		at := len(p)
		p = append(p, make([]byte, (n+7)/8)...)
		for _, e := range entries {
			p[at+int(e)/8] |= 1 << (e % 8)
		}
		return p
	}
	last := uint16(0)
	for _, e := range entries {
		p = binary.AppendUvarint(p, uint64(e-last))
		last = e
	}
	return p
}

func dense(len, n int) bool { return len > (n+7)/8 }

func (b *Builder) appendBatches(p []byte) []byte {
	p = binary.AppendUvarint(p, uint64(len(b.batches)))
	var at, millis int64
	for _, x := range b.batches {
		p = binary.AppendUvarint(p, uint64(x.At-at))
		p = binary.AppendUvarint(p, uint64(x.Skip))
		p = binary.AppendUvarint(p, uint64(x.N))
		p = binary.AppendVarint(p, x.Oldest-millis)
		p = binary.AppendVarint(p, x.Newest-x.Oldest)
		at, millis = x.At, x.Oldest
	}
	return p
}
