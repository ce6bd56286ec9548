package journal

import "sync"

// Buffers of blobs are used again: a message of any size would otherwise be garbage
// twice over, once for each time that its buffer grew. They come in few sizes, so that
// a client that has sent little, and waits, does not hold much.
var bufferSizes = [...]int{4 << 10, 20 << 10, 72 << 10, headLen + chunkLen} // headLen octets and what is read from a client at once

// buffer is the memory of a blobWriter; size is which of bufferSizes it is.
type buffer struct {
	b    []byte
	size int
}

// buffers are those that nobody uses.
type buffers [len(bufferSizes)]sync.Pool

// get gives a buffer of at least n octets, which may be anything.
func (p *buffers) get(n int) *buffer {
	for i, size := range bufferSizes {
		if size < n {
			continue
		}
		if b, _ := p[i].Get().(*buffer); b != nil {
			return b
		}
		return &buffer{make([]byte, size), i}
	}
	return &buffer{make([]byte, n), -1} // not reached: chunkLen bounds them
}

// put takes a buffer back that nobody looks at any more.
func (p *buffers) put(b *buffer) {
	if b != nil && b.size >= 0 {
		p[b.size].Put(b)
	}
}
