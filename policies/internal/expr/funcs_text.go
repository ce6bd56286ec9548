package expr

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
)

func textFunctions() []Function {
	return []Function{
		text1("lower", "(text)", "in lower case", strings.ToLower),
		text1("upper", "(text)", "in upper case", strings.ToUpper),
		text1("trim", "(text)", "without white space at both ends", strings.TrimSpace),
		test2("contains", "(text, part)", "the part stands in the text, in any case", func(a, b string) bool { return strings.Contains(strings.ToLower(a), strings.ToLower(b)) }),
		test2("starts_with", "(text, part)", "the text begins with the part, in any case", func(a, b string) bool { return len(a) >= len(b) && strings.EqualFold(a[:len(b)], b) }),
		test2("ends_with", "(text, part)", "the text ends with the part, in any case", func(a, b string) bool { return len(a) >= len(b) && strings.EqualFold(a[len(a)-len(b):], b) }),
		test2("similar", "(a, b)", "the same at a glance: look-alike characters, or one character in six differs", similar),
		text1("sha256", "(text)", "the hash, in hexadecimal", func(t string) string { h := sha256.Sum256([]byte(t)); return hex.EncodeToString(h[:]) }),
		{Name: "coalesce", Result: String, Args: "(a, b, ...)", Doc: "the first text that is not empty", args: []types{isText}, more: true, make: makeCoalesce},
		{Name: "split", Result: Strings, Args: "(separator, text)", Doc: "the pieces of the text", args: []types{isText, isText}, make: makeSplit},
		{Name: "join", Result: String, Args: "(separator, list)", Doc: "the pieces as one text", args: []types{isText, isTexts}, make: makeJoin},
		{Name: "format", Result: String, Args: "(pattern, x...)", Doc: "the pattern with each %s replaced; %% is a percent sign", args: []types{isText}, more: true, make: makeFormat},
	}
}

func makeCoalesce(_ *Scope, _ *hclsyntax.FunctionCallExpr, a []*Value) *Value {
	v := &Value{Type: String, Str: func(r *Run) (string, bool) {
		for _, p := range a {
			if t, known := p.Str(r); !known || t != "" {
				return t, known
			}
		}
		return "", true
	}}
	return v.fold(a...)
}

func makeSplit(_ *Scope, _ *hclsyntax.FunctionCallExpr, a []*Value) *Value {
	v := &Value{Type: Strings, Strs: func(r *Run) ([]string, bool) {
		sep, ok := a[0].Str(r)
		t, known := a[1].Str(r)
		if !ok || !known {
			return nil, false
		}
		if t == "" {
			return nil, true
		}
		return strings.SplitN(t, sep, 10_000), true
	}}
	return v.fold(a...)
}

func makeJoin(_ *Scope, _ *hclsyntax.FunctionCallExpr, a []*Value) *Value {
	v := &Value{Type: String, Str: func(r *Run) (string, bool) {
		sep, ok := a[0].Str(r)
		ss, known := a[1].Strs(r)
		return strings.Join(ss, sep), ok && known
	}}
	return v.fold(a...)
}

// makeFormat knows %s alone: numbers and addresses are texts by then.
func makeFormat(s *Scope, c *hclsyntax.FunctionCallExpr, a []*Value) *Value {
	pattern, ok := s.constant(a[0], c.Args[0], "The pattern")
	if !ok {
		return invalid
	}
	var parts []*Value
	rest, next := pattern, 1
	for {
		i := strings.IndexByte(rest, '%')
		if i < 0 || i+1 == len(rest) {
			break
		}
		parts = append(parts, ConstString(rest[:i]))
		switch verb := rest[i+1]; {
		case verb == '%':
			parts = append(parts, ConstString("%"))
		case (verb == 's' || verb == 'd' || verb == 'v') && next < len(a):
			parts = append(parts, a[next])
			next++
		default:
			s.Bag.Error(diag.BadValue, c.Args[0].Range(), fmt.Sprintf("%%%c has no argument, or is not known.", verb), "Write %s for each argument, and %% for a percent sign.")
			return invalid
		}
		rest = rest[i+2:]
	}
	if next != len(a) {
		s.Bag.Error(diag.WrongArguments, c.Range(), fmt.Sprintf("The pattern has %d places for %d arguments.", next-1, len(a)-1), "Write one %s for each argument; %% is a percent sign.")
		return invalid
	}
	return joinParts(append(parts, ConstString(rest)))
}
