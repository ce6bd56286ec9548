package mime

import (
	"sort"
	"strconv"
	"strings"
)

// paramSet is the parameters of a field with RFC 2231 undone.
type paramSet struct {
	names []string            // in order of appearance
	all   map[string][]string // every value that a reader may see, likeliest first
	times map[string]int      // how often it was given
	ext   map[string]bool     // given by way of RFC 2231
}

// piece is a numbered piece of a parameter, RFC 2231 section 3.
type piece struct {
	n        int
	extended bool // percent-encoded, section 4
	value    string
}

// joinParams gathers parameters by name: plain ones, extended ones (name*) and
// those in pieces (name*0, name*1*).
func joinParams(ps []param) *paramSet {
	set := &paramSet{all: map[string][]string{}, times: map[string]int{}, ext: map[string]bool{}}
	pieces, extended, plain := map[string][]piece{}, map[string][]string{}, map[string][]string{}
	for _, p := range ps {
		base, n, ext := splitName(p.name)
		if !set.knows(base) {
			set.names = append(set.names, base)
		}
		switch {
		case n >= 0:
			set.ext[base] = true
			pieces[base] = append(pieces[base], piece{n, ext, p.value})
			if len(pieces[base]) == 1 {
				set.times[base]++
			}
			continue
		case ext:
			set.ext[base] = true
			extended[base] = append(extended[base], decodeExtended(p.value))
		default:
			plain[base] = append(plain[base], readable(p.value))
			if p.loose != "" {
				plain[base] = append(plain[base], readable(p.loose))
			}
		}
		set.times[base]++
	}
	for _, base := range set.names {
		vs := append(extended[base], joinPieces(pieces[base])...)
		set.all[base] = distinct(append(vs, plain[base]...))
	}
	return set
}

func (s *paramSet) knows(base string) bool { return s.times[base] > 0 || s.ext[base] }

// first are the values as a map, the likeliest of each.
func (s *paramSet) first() map[string]string {
	m := make(map[string]string, len(s.names))
	for _, base := range s.names {
		if vs := s.all[base]; len(vs) > 0 {
			m[base] = vs[0]
		}
	}
	return m
}

// splitName takes "filename*0*" apart; n is -1 where there is no number.
func splitName(name string) (base string, n int, extended bool) {
	base, extended = strings.CutSuffix(name, "*")
	if i := strings.IndexByte(base, '*'); i >= 0 {
		v, err := strconv.Atoi(base[i+1:])
		if err == nil && v >= 0 && v < 10000 {
			return base[:i], v, extended
		}
		return base[:i], -1, extended
	}
	return base, -1, extended
}

// joinPieces joins the pieces of a parameter. Those that are numbered oddly are
// joined as different readers do: by number up to the first gap, by number
// altogether, and in the order in which they stand.
func joinPieces(ps []piece) []string {
	if len(ps) == 0 {
		return nil
	}
	sorted := append([]piece(nil), ps...)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].n < sorted[j].n })
	gap := 0
	for gap < len(sorted) && sorted[gap].n == gap {
		gap++
	}
	var vs []string
	if gap > 0 && gap < len(sorted) {
		vs = append(vs, concat(sorted[:gap]))
	}
	return distinct(append(vs, concat(sorted), concat(ps)))
}

func concat(ps []piece) string {
	var b strings.Builder
	charset := ""
	for i, p := range ps {
		v := p.value
		if p.extended {
			if i == 0 {
				charset, v = cutCharset(v)
			}
			v = percentDecode(v)
		}
		b.WriteString(v)
	}
	if charset == "" {
		return readable(b.String())
	}
	return toUTF8(charset, b.String())
}

// decodeExtended undoes charset'language'percent-encoded, RFC 2231 section 4.
func decodeExtended(v string) string {
	charset, v := cutCharset(v)
	return toUTF8(charset, percentDecode(v))
}

func cutCharset(v string) (charset, rest string) {
	parts := strings.SplitN(v, "'", 3)
	if len(parts) < 3 {
		return "", v
	}
	return parts[0], parts[2]
}

func percentDecode(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			b = append(b, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}

// readable is a plain parameter as clients show it: encoded words do not belong
// there (RFC 2047 section 5) and are undone by everybody.
func readable(v string) string { return decodeWords(v) }

func distinct(vs []string) []string {
	seen := make(map[string]bool, len(vs))
	out := vs[:0]
	for _, v := range vs {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}
