package content

import (
	"regexp/syntax"
	"strings"
)

// The bounds of what required gives: octets of a literal that is worth looking
// for, and how many may stand for one pattern.
const (
	minLiteral  = 3
	maxLiterals = 16
)

// required gives literals, one of which stands in every text that the pattern
// matches, in lower case: a text without them need not be matched at all. nil
// where there is no such set. Literals are of ASCII, compared without case.
func required(pattern string) []string {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil
	}
	return needs(re.Simplify())
}

func needs(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		if l := longest(re); len(l) >= minLiteral {
			return []string{l}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return needs(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return needs(re.Sub[0])
		}
	case syntax.OpConcat:
		return best(re.Sub)
	case syntax.OpAlternate:
		return union(re.Sub)
	}
	return nil
}

// longest is the longest run of a literal that lower case of ASCII makes
// comparable: where case does not matter, k and s match signs outside of ASCII
// too (the Kelvin sign, the long s).
func longest(re *syntax.Regexp) string {
	fold := re.Flags&syntax.FoldCase != 0
	run, best := "", ""
	for _, r := range re.Rune {
		c := strings.ToLower(string(r))
		if r >= 0x80 || fold && (c == "k" || c == "s") {
			run = ""
			continue
		}
		if run += c; len(run) > len(best) {
			best = run
		}
	}
	return best
}

// best is, of what the pieces of a sequence need, the set whose shortest literal
// is longest.
func best(subs []*syntax.Regexp) []string {
	var out []string
	for _, sub := range subs {
		if n := needs(sub); n != nil && (out == nil || shortest(n) > shortest(out)) {
			out = n
		}
	}
	return out
}

func shortest(list []string) int {
	n := len(list[0])
	for _, s := range list {
		n = min(n, len(s))
	}
	return n
}

// union is what alternatives need: something of each.
func union(subs []*syntax.Regexp) []string {
	var out []string
	for _, sub := range subs {
		n := needs(sub)
		if n == nil {
			return nil
		}
		out = append(out, n...)
	}
	if len(out) > maxLiterals {
		return nil
	}
	return out
}
