package lists

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
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
	if _, err := Compile(expr); err != nil {
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

// Compile is regexp.Compile, with errors for people who know other engines.
func Compile(pattern string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(pattern)
	var se *syntax.Error
	if err == nil || !errors.As(err, &se) {
		return re, err
	}
	for _, look := range []string{"(?=", "(?!", "(?<=", "(?<!"} {
		if strings.Contains(pattern, look) {
			return nil, fmt.Errorf("%s looks around, which these patterns (RE2) cannot: match the text itself, and ask for the rest in a condition of its own", look)
		}
	}
	if se.Code == syntax.ErrInvalidEscape && len(se.Expr) == 2 && se.Expr[1] >= '1' && se.Expr[1] <= '9' {
		return nil, fmt.Errorf("%s refers back, which these patterns (RE2) cannot", se.Expr)
	}
	return nil, fmt.Errorf("%s: %s", se.Code, se.Expr)
}

var slashed = regexp.MustCompile(`^/(.+)/([imsux]+)$`)

// Slashed tells whether a pattern is written as other programs have it,
// /pattern/flags, and what it would be here.
func Slashed(pattern string) (here string, is bool) {
	m := slashed.FindStringSubmatch(pattern)
	if m == nil {
		return "", false
	}
	flags := strings.Map(func(c rune) rune {
		if strings.ContainsRune("ims", c) {
			return c
		}
		return -1
	}, m[2])
	if flags != "" {
		flags = "(?" + flags + ")"
	}
	return flags + strings.ReplaceAll(m[1], `\/`, "/"), true
}
