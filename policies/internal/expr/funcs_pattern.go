package expr

import (
	"regexp"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/lists"
)

func patternFunctions() []Function {
	return []Function{
		{Name: "matches", Result: Bool, Args: "(text, pattern)", Doc: "the regular expression (RE2) is found in the text", args: []types{of(String, Strings), isText}, make: func(s *Scope, c *hclsyntax.FunctionCallExpr, a []*Value) *Value {
			return makeMatch(s, c, a, func(p string) string { return p })
		}},
		{Name: "glob", Result: Bool, Args: "(text, pattern)", Doc: "the whole text has the form, * for anything and ? for one character, in any case", args: []types{of(String, Strings), isText}, make: func(s *Scope, c *hclsyntax.FunctionCallExpr, a []*Value) *Value {
			return makeMatch(s, c, a, lists.GlobPattern)
		}},
		{Name: "replace", Result: String, Args: "(text, pattern, with)", Doc: "the text with each match of the regular expression replaced; $1 is its first group", args: []types{isText, isText, isText}, make: makeReplace},
	}
}

// pattern compiles a regular expression once, when the configuration is loaded.
func (s *Scope) pattern(v *Value, x hclsyntax.Expression, form func(string) string) *regexp.Regexp {
	p, ok := s.constant(v, x, "A pattern")
	if !ok {
		return nil
	}
	re, err := lists.Compile(form(p))
	if here, is := lists.Slashed(p); is && err == nil && form(p) == p {
		s.Bag.Warn(diag.BadPattern, x.Range(), "The slashes and the flags behind them are part of the pattern here.", "Write \""+here+"\".")
	}
	if err != nil {
		s.Bag.Error(diag.BadPattern, x.Range(), err.Error()+".", "Patterns are RE2 (github.com/google/re2/wiki/Syntax); write a backslash as \\\\.")
		return nil
	}
	return re
}

func makeMatch(s *Scope, c *hclsyntax.FunctionCallExpr, a []*Value, form func(string) string) *Value {
	re := s.pattern(a[1], c.Args[1], form)
	if re == nil {
		return invalid
	}
	v := &Value{Type: Bool}
	if a[0].Type == Strings {
		v.Bool = func(r *Run) Tri {
			ss, known := a[0].Strs(r)
			return when(known, func() bool { return anyMatches(re, ss) })
		}
		return v.fold(a[0])
	}
	in := a[0].Str
	v.Bool = func(r *Run) Tri {
		t, known := in(r)
		if !known {
			return Unknown
		}
		return truth(re.MatchString(t))
	}
	return v.fold(a[0])
}

func anyMatches(re *regexp.Regexp, ss []string) bool {
	for _, t := range ss {
		if re.MatchString(t) {
			return true
		}
	}
	return false
}

func makeReplace(s *Scope, c *hclsyntax.FunctionCallExpr, a []*Value) *Value {
	re := s.pattern(a[1], c.Args[1], func(p string) string { return p })
	if re == nil {
		return invalid
	}
	v := &Value{Type: String, Str: func(r *Run) (string, bool) {
		t, ok := a[0].Str(r)
		with, known := a[2].Str(r)
		if !ok || !known {
			return "", false
		}
		return re.ReplaceAllString(t, with), true
	}}
	return v.fold(a...)
}

// lookAlikes are characters that stand in for others in forged names.
var lookAlikes = strings.NewReplacer("0", "o", "1", "l", "i", "l", "rn", "m", "vv", "w", "5", "s", "3", "e",
	"\u0430", "a", "\u0435", "e", "\u043e", "o", "\u0440", "p", "\u0441", "c", "\u0445", "x", "\u0443", "y", "\u0456", "l")

// maxSimilar bounds the work on a text, in characters.
const maxSimilar = 256

// similar folds look-alikes and then allows one edit for each six characters.
func similar(a, b string) bool {
	fold := func(s string) string { return lookAlikes.Replace(strings.ToLower(strings.TrimSpace(s))) }
	a, b = fold(a), fold(b)
	if a == "" || b == "" || len(a) > maxSimilar || len(b) > maxSimilar {
		return false
	}
	return levenshtein.Distance(a, b, nil) <= len([]rune(b))/6
}
