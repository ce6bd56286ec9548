package wire

import (
	"slices"
	"strconv"
	"strings"
)

// Star is "*" in a set: the highest number there is.
const Star = 0

// Range is a run of numbers, both ends in it.
type Range struct{ From, To uint32 }

// Set is a sequence-set (RFC 9051 section 9): ranges as written, or Saved for
// "$", the result of the last SEARCH that was saved.
type Set struct {
	Ranges []Range
	Saved  bool
}

// Set reads a sequence-set.
func (d *Decoder) Set() (s Set) {
	if d.Take('$') {
		return Set{Saved: true}
	}
	for d.err == nil {
		r := Range{From: d.setNumber()}
		r.To = r.From
		if d.Take(':') {
			r.To = d.setNumber()
		}
		s.Ranges = append(s.Ranges, r)
		if !d.Take(',') {
			break
		}
	}
	return s
}

func (d *Decoder) setNumber() uint32 {
	if d.Take('*') {
		return Star
	}
	n := d.Number()
	if n == 0 {
		d.Bad("0 is no message number")
	}
	return n
}

// Resolve puts max for "*" and returns the ranges in order and apart. The
// numbers may lie beyond max.
func (s Set) Resolve(max uint32) []Range {
	rs := make([]Range, 0, len(s.Ranges))
	for _, r := range s.Ranges {
		if r.From == Star {
			r.From = max
		}
		if r.To == Star {
			r.To = max
		}
		if r.From > r.To {
			r.From, r.To = r.To, r.From
		}
		rs = append(rs, r)
	}
	slices.SortFunc(rs, func(a, b Range) int { return int(int64(a.From) - int64(b.From)) })
	out := rs[:0]
	for _, r := range rs {
		if n := len(out); n > 0 && uint64(r.From) <= uint64(out[n-1].To)+1 {
			out[n-1].To = max32(out[n-1].To, r.To)
			continue
		}
		out = append(out, r)
	}
	return out
}

func max32(a, b uint32) uint32 {
	if a > b {
		return a
	}
	return b
}

// Contains tells whether n is in ranges that Resolve returned.
func Contains(rs []Range, n uint32) bool {
	_, found := slices.BinarySearchFunc(rs, n, func(r Range, n uint32) int {
		switch {
		case r.To < n:
			return -1
		case r.From > n:
			return 1
		}
		return 0
	})
	return found
}

// FormatSet writes numbers as a set, in the order in which they stand: runs
// that rise by one become ranges.
func FormatSet[N ~uint32](ns []N) string {
	var b strings.Builder
	for i := 0; i < len(ns); {
		j := i
		for j+1 < len(ns) && ns[j+1] == ns[j]+1 {
			j++
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatUint(uint64(ns[i]), 10))
		if j > i {
			b.WriteByte(':')
			b.WriteString(strconv.FormatUint(uint64(ns[j]), 10))
		}
		i = j + 1
	}
	return b.String()
}
