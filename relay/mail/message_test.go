package mail

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// A message with any edits reads as if they had been done by hand, whole, in
// pieces, from any offset, and is as long as it says.
func TestEditedMessageReadsAsEdited(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		original := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "original")
		var edits []Edit
		var want bytes.Buffer
		at := 0
		for range rapid.IntRange(0, 4).Draw(t, "edits") {
			off := rapid.IntRange(at, len(original)).Draw(t, "off")
			end := rapid.IntRange(off, len(original)).Draw(t, "end")
			with := rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "with")
			want.Write(original[at:off])
			want.Write(with)
			edits = append(edits, Edit{int64(off), int64(end), with})
			at = end
		}
		want.Write(original[at:])
		prefix := []Field{{"Received", "from a\r\n\tby b"}}
		m, err := NewMessage(prefix, edits, Bytes(original))
		if err != nil {
			t.Fatal(err)
		}
		m = m.With(Field{"X-On-Top", "1"})
		all := append([]byte("X-On-Top: 1\r\nReceived: from a\r\n\tby b\r\n"), want.Bytes()...)
		if m.Size() != int64(len(all)) {
			t.Fatalf("Size says %d of %d octets", m.Size(), len(all))
		}
		r, err := m.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if err := iotest.TestReader(r, all); err != nil {
			t.Fatal(err)
		}
		off := rapid.IntRange(0, len(all)).Draw(t, "from")
		got, err := io.ReadAll(io.NewSectionReader(r, int64(off), int64(len(all)-off)))
		if err != nil || !bytes.Equal(got, all[off:]) {
			t.Fatalf("from %d on: %q, %v; want %q", off, got, err, all[off:])
		}
	})
}

func TestEditsThatCannotBothBeDone(t *testing.T) {
	for _, edits := range [][]Edit{
		{{0, 3, nil}, {2, 4, nil}},
		{{3, 2, nil}},
		{{0, 99, nil}},
	} {
		if _, err := NewMessage(nil, edits, Bytes("0123456789")); err == nil {
			t.Errorf("%v were taken", edits)
		}
	}
}

// An original that is shorter than it said is an error, never a short message.
func TestShortOriginal(t *testing.T) {
	m := &Message{Prefix: []Field{{"A", "b"}}, Blob: lying{}}
	r, err := m.Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); err != io.ErrUnexpectedEOF {
		t.Errorf("reading ends with %v", err)
	}
}

type lying struct{}

func (lying) Size() int64               { return 10 }
func (lying) Open() (BlobReader, error) { return nopCloser{bytes.NewReader([]byte("12345"))}, nil }

func TestReplies(t *testing.T) {
	r := Refuse(50, 7, 1, "not\nhere")
	if got := r.String(); got != "550 5.7.1 not here" {
		t.Errorf("%q", got)
	}
	if d := Defer(51, 4, 3, "later"); d.Code() != 451 || d.Enhanced() != "4.4.3" || !strings.HasPrefix(d.Error(), "451 4.4.3") {
		t.Errorf("%v", d)
	}
	if !(Reply{}).IsZero() || (Reply{}).String() != "" {
		t.Error("the zero reply says something")
	}
}
