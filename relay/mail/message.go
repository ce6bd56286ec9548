package mail

import (
	"bytes"
	"errors"
	"io"
	"sort"
	"strings"
)

// Blob is a run of octets that does not change: a message as it was received.
// A Blob may be opened often and by many at once.
type Blob interface {
	Size() int64
	// Open returns a reader at the first octet. The caller closes it.
	Open() (BlobReader, error)
}

// BlobReader reads a Blob.
type BlobReader interface {
	io.ReadSeekCloser
	io.ReaderAt
}

// Field is a header field that is put on top of a message. Value may be folded
// (CRLF and white space) and has no line end of its own.
type Field struct{ Name, Value string }

// String is the field as it stands in a message, with its CRLF.
func (f Field) String() string { return f.Name + ": " + f.Value + "\r\n" }

// Edit replaces the octets [Off, End) of the original by With.
type Edit struct {
	Off, End int64
	With     []byte
}

// Message is a message that has been taken: the octets as they were received,
// so that a DKIM signature still verifies, the fields that were put on top, and
// the edits that a policy made, as spans over the original. A Message is
// immutable; With makes a new one.
type Message struct {
	Prefix []Field // first is topmost
	Edits  []Edit  // in order, without overlap: NewMessage sees to it
	Blob   Blob
}

// ErrEditOverlap is what NewMessage says of edits that cannot both be done.
var ErrEditOverlap = errors.New("two edits of the message touch the same octets")

// NewMessage puts edits in order and checks them.
func NewMessage(prefix []Field, edits []Edit, blob Blob) (*Message, error) {
	es := append([]Edit(nil), edits...)
	if len(es) > 1 {
		sort.SliceStable(es, func(i, j int) bool { return es[i].Off < es[j].Off })
	}
	var end int64
	for _, e := range es {
		if e.Off < end || e.End < e.Off || e.End > blob.Size() {
			return nil, ErrEditOverlap
		}
		end = e.End
	}
	return &Message{Prefix: prefix, Edits: es, Blob: blob}, nil
}

// With returns m with fields put above those that it has.
func (m *Message) With(fields ...Field) *Message {
	n := *m
	n.Prefix = append(append([]Field(nil), fields...), m.Prefix...)
	return &n
}

// PrefixText is the fields on top as they go out.
func (m *Message) PrefixText() []byte {
	var b strings.Builder
	for _, f := range m.Prefix {
		b.WriteString(f.Name)
		b.WriteString(": ")
		b.WriteString(f.Value)
		b.WriteString("\r\n")
	}
	return []byte(b.String())
}

// Size is how many octets Open will give.
func (m *Message) Size() int64 {
	n := m.Blob.Size()
	for _, e := range m.Edits {
		n += int64(len(e.With)) - (e.End - e.Off)
	}
	for _, f := range m.Prefix {
		n += int64(len(f.Name) + len(f.Value) + 4)
	}
	return n
}

// Open returns the message as it goes out: prefix, then the original with its
// edits. The caller closes it.
func (m *Message) Open() (BlobReader, error) {
	prefix := m.PrefixText()
	r, err := m.Blob.Open()
	if err != nil || len(prefix) == 0 && len(m.Edits) == 0 {
		return r, err
	}
	spans := []span{{text: prefix, len: int64(len(prefix))}}
	var at int64
	for _, e := range m.Edits {
		spans = append(spans, span{off: at, len: e.Off - at}, span{text: e.With, len: int64(len(e.With))})
		at = e.End
	}
	spans = append(spans, span{off: at, len: m.Blob.Size() - at})
	return newSpanReader(r, spans), nil
}

// Bytes is a Blob in memory.
type Bytes []byte

// Size is len(b).
func (b Bytes) Size() int64 { return int64(len(b)) }

// Open returns a reader of b.
func (b Bytes) Open() (BlobReader, error) { return nopCloser{bytes.NewReader(b)}, nil }

type nopCloser struct{ *bytes.Reader }

func (nopCloser) Close() error { return nil }
