package inbound

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDotDecoder(t *testing.T) {
	cases := []struct {
		why, in, out, rest string
		bare, nul, open    bool
	}{
		{"empty data", ".\r\nREST", "", "REST", false, false, false},
		{"a line", "a\r\n.\r\nREST", "a\r\n", "REST", false, false, false},
		{"a stuffed dot", "..\r\n.\r\n", ".\r\n", "", false, false, false},
		{"a dot that should have been stuffed", ".a\r\n.\r\n", "a\r\n", "", false, false, false},
		{"a dot within a line", "a.\r\n.\r\n", "a.\r\n", "", false, false, false},
		{"LF . LF", "a\n.\n", "a\n.\n", "", true, false, true},
		{"LF . CRLF", "a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n", "", true, false, false},
		{"CRLF . LF", "a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n", "", true, false, false},
		{"CR . CR", "a\r.\rb\r\n.\r\n", "a\r.\rb\r\n", "", true, false, false},
		{"CRLF . CR loses nothing (C2)", "\r\n.\rX\r\n.\r\n", "\r\n\rX\r\n", "", true, false, false},
		{"CR CR LF . CR LF ends (C1)", "a\r\r\n.\r\nREST", "a\r\r\n", "REST", true, false, false},
		{"CRLF . CR CR LF does not (C1)", "a\r\n.\r\r\nb\r\n.\r\n", "a\r\n\r\r\nb\r\n", "", true, false, false},
		{"a NUL before the dot", "a\r\n\x00.\r\n.\r\n", "a\r\n\x00.\r\n", "", false, true, false},
		{"a NUL behind the end is not ours", "a\r\n.\r\n\x00", "a\r\n", "\x00", false, false, false},
		{"no end", "a\r\n.\r", "a\r\n", "", false, false, true},
	}
	for _, c := range cases {
		for size := 1; size <= len(c.in); size++ {
			var d dotDecoder
			out, rest, done := decodeIn(&d, c.in, size)
			if out != c.out || rest != c.rest || done == c.open || d.bare != c.bare || d.nul != c.nul {
				t.Errorf("%s, in pieces of %d: %q, rest %q, done %v, bare %v, nul %v", c.why, size, out, rest, done, d.bare, d.nul)
			}
		}
	}
}

func decodeIn(d *dotDecoder, in string, size int) (out, rest string, done bool) {
	for len(in) > 0 && !done {
		for piece := []byte(in[:min(size, len(in))]); len(piece) > 0 && !done; {
			o, n, over := d.feed(piece)
			if n == 0 {
				return out, "nothing was used", false
			}
			out += string(o)
			in, piece, done = in[n:], piece[n:], over
		}
	}
	return out, in, done
}

// TestDotPieces: what comes of the data does not depend on the pieces in which
// they are read, of one octet up to whole buffers.
func TestDotPieces(t *testing.T) {
	words := []string{"\r\n", "\r\n", "\r\n", "a", "text and more", ".", "..", "\r", "\n", "\x00", "\r\n.", "\r\n.\r", "\r\n.\r\n"}
	rapid.Check(t, func(t *rapid.T) {
		in := strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 60).Draw(t, "in"), "")
		mode := dotDecoder{repair: rapid.Bool().Draw(t, "repair"), chunked: rapid.Bool().Draw(t, "chunked")}
		one, many := mode, mode
		size := rapid.IntRange(2, 100).Draw(t, "size")
		out, rest, done := decodeIn(&one, in, 1)
		got, left, over := decodeIn(&many, in, size)
		if got != out || left != rest || over != done || one.bare != many.bare || one.nul != many.nul || one.state != many.state {
			t.Fatalf("%q in pieces of %d: %q, rest %q, done %v, %+v; octet by octet %q, rest %q, done %v, %+v", in, size, got, left, over, many, out, rest, done, one)
		}
	})
}

// TestDotRepair: repaired, there is no bare CR or LF left, and still no end but
// the right one.
func TestDotRepair(t *testing.T) {
	in := "a\n.\r\nb\r.\rc\r\r\n\n\r\n..\r\n.\r\nREST"
	d := dotDecoder{repair: true}
	out, rest, done := decodeIn(&d, in, 3)
	want := "a\r\n.\r\nb\r\n.\r\nc\r\n\r\n\r\n\r\n.\r\n"
	if out != want || rest != "REST" || !done || !d.bare {
		t.Errorf("got %q, rest %q", out, rest)
	}
	if s := strings.ReplaceAll(out, "\r\n", ""); strings.ContainsAny(s, "\r\n") {
		t.Errorf("stray line ends in %q", out)
	}
}
