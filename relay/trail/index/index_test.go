package index

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
)

// filled is a builder of n entries, in batches of various lengths: each has the
// words of what it is divisible by, and one of its own.
func filled(n int) *Builder {
	b := &Builder{}
	at, left := int64(40), 0
	for i := range n {
		if left == 0 {
			at += 100
			left = 1 + i%7
		}
		tokens := []Token{Of('n', fmt.Sprint(i))}
		for _, d := range []int{1, 2, 3, 7, 100, 5000} {
			if i%d == 0 {
				tokens = append(tokens, Of('d', fmt.Sprint(d)), Of('d', fmt.Sprint(d)))
			}
		}
		b.Add(at, 0, int64(1000*i), tokens)
		left--
	}
	return b
}

func open(t testing.TB, p []byte) *Chunk {
	t.Helper()
	c, err := Open(bytes.NewReader(p), 0, int64(len(p)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestFind: a builder and its chunk find the same, from none to all entries.
func TestFind(t *testing.T) {
	for _, n := range []int{1, 8, 63, 64, 1000, MaxEntries} {
		b := filled(n)
		check := func(p Part, what string) {
			t.Helper()
			for _, d := range []int{1, 2, 3, 7, 100, 5000, 9} {
				var s Set
				if err := p.Find(Of('d', fmt.Sprint(d)), &s); err != nil {
					t.Fatal(err)
				}
				want := 0
				for i := range n {
					has := i%d == 0 && d != 9
					if has {
						want++
					}
					if s.Has(i) != has {
						t.Fatalf("%s of %d: entry %d has %d: %v", what, n, i, d, s.Has(i))
					}
				}
				if s.Len() != want {
					t.Errorf("%s of %d: %d entries for %d, want %d", what, n, s.Len(), d, want)
				}
			}
			for range 50 {
				i := rand.IntN(n)
				var s Set
				if err := p.Find(Of('n', fmt.Sprint(i)), &s); err != nil || s.Len() != 1 || !s.Has(i) {
					t.Fatalf("%s of %d: entry %d alone: %d, %v", what, n, i, s.Len(), err)
				}
			}
		}
		check(b, "builder")
		c := open(t, b.Encode(9999))
		check(c, "chunk")
		if from, to := c.Covers(); from != 140 || to != 9999 || c.Len() != n {
			t.Errorf("covers %d to %d, %d entries", from, to, c.Len())
		}
		if got, want := fmt.Sprint(c.Batches()), fmt.Sprint(b.Batches()); got != want {
			t.Errorf("batches %.200s, want %.200s", got, want)
		}
	}
}

// TestTimes: an entry without a time does not make its batch an old one.
func TestTimes(t *testing.T) {
	b := &Builder{}
	for i, millis := range []int64{0, 0, 7000, 0, 5000, 6000} {
		b.Add(40, i, millis, nil)
	}
	b.Add(90, 0, 0, nil)
	b.Add(140, 0, 9000, nil)
	for _, p := range []Part{b, open(t, b.Encode(200))} {
		if got := fmt.Sprint(p.Batches()); got != "[{40 0 0 6 5000 7000} {90 0 6 1 0 0} {140 0 7 1 9000 9000}]" {
			t.Error(got)
		}
	}
}

// TestFile: chunks stand one behind the other.
func TestFile(t *testing.T) {
	a, b := filled(10).Encode(1), filled(20).Encode(2)
	p := append(append([]byte(nil), a...), b...)
	r, size := bytes.NewReader(p), int64(len(p))
	first, err := Open(r, 0, size)
	if err != nil || first.Len() != 10 {
		t.Fatal(err)
	}
	second, err := Open(r, first.End(), size)
	if err != nil || second.Len() != 20 {
		t.Fatal(err)
	}
	if _, err := Open(r, second.End(), size); err != io.EOF {
		t.Errorf("behind the last: %v", err)
	}
}

// TestDamage: an octet that changed, or the end that is missing, is noticed, or
// it changes nothing.
func TestDamage(t *testing.T) {
	good := filled(200).Encode(1)
	var want Set
	if err := open(t, good).Find(Of('d', "3"), &want); err != nil {
		t.Fatal(err)
	}
	noticed := 0
	for i := range len(good) {
		bad := bytes.Clone(good)
		bad[i] ^= 0x41
		c, err := Open(bytes.NewReader(bad), 0, int64(len(bad)))
		var got Set
		if err == nil {
			err = c.Find(Of('d', "3"), &got)
		}
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Fatalf("octet %d: %v", i, err)
		}
		if err != nil {
			noticed++
		} else if got != want {
			t.Fatalf("octet %d: something else is found, and nothing noticed", i)
		}
	}
	if noticed < 100 {
		t.Errorf("%d of %d changes were noticed", noticed, len(good))
	}
	for n := 1; n < len(good); n += 97 {
		if _, err := Open(bytes.NewReader(good[:n]), 0, int64(n)); !errors.Is(err, ErrDamaged) {
			t.Fatalf("%d octets of %d: %v", n, len(good), err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(filled(100).Encode(1))
	f.Fuzz(func(t *testing.T, p []byte) {
		c, err := Open(bytes.NewReader(p), 0, int64(len(p)))
		if err != nil {
			return
		}
		var s Set
		c.Find(Of('d', "3"), &s) // an error is an answer as well
		for _, b := range c.Batches() {
			s.Any(b.First, b.N)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	from := filled(MaxEntries)
	work := &Builder{}
	b.ReportAllocs()
	for b.Loop() {
		work.pairs = append(work.pairs[:0], from.pairs...)
		work.batches, work.n = from.batches, from.n
		work.Encode(1)
	}
}
