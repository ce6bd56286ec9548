package lists

import (
	"fmt"
	"regexp"
	"strings"
)

// patterns holds globs or regular expressions as one alternation, which RE2
// looks for in one pass; a glob without wildcards is a word.
type patterns struct {
	glob  bool
	words words
	parts []string
	all   *regexp.Regexp
}

func (p *patterns) add(s string) error {
	if p.glob && !strings.ContainsAny(s, "*?") {
		if p.words == nil {
			p.words = words{}
		}
		return p.words.add(s)
	}
	expr := s
	if p.glob {
		expr = GlobPattern(s)
	}
	if _, err := regexp.Compile(expr); err != nil {
		return err
	}
	p.parts = append(p.parts, "(?:"+expr+")")
	return nil
}

func (p *patterns) done() error {
	if len(p.parts) == 0 {
		return nil
	}
	re, err := regexp.Compile(strings.Join(p.parts, "|"))
	if err != nil {
		return fmt.Errorf("the patterns together: %w", err)
	}
	p.all = re
	return nil
}

func (p *patterns) has(s string) bool {
	return p.words != nil && p.words.has(s) || p.all != nil && p.all.MatchString(s)
}

// GlobPattern is a glob as a regular expression: * is any run of characters, ?
// one, everything else itself in any case.
func GlobPattern(glob string) string {
	var b strings.Builder
	b.WriteString("(?is)^")
	for _, r := range glob {
		switch r {
		case '*':
			b.WriteString(".*")
		case '?':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	b.WriteString("$")
	return b.String()
}
