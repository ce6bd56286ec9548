package expr

import (
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// template is a quoted text, with or without ${...}.
func (s *Scope) template(x *hclsyntax.TemplateExpr) *Value {
	parts := make([]*Value, 0, len(x.Parts))
	bad := false
	for _, p := range x.Parts {
		v := s.Text(p)
		if v == nil {
			bad = true
			continue
		}
		parts = append(parts, v)
	}
	if bad {
		return invalid
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return joinParts(parts)
}

func (s *Scope) wrapped(x *hclsyntax.TemplateWrapExpr) *Value {
	v := s.Text(x.Wrapped)
	if v == nil {
		return invalid
	}
	return v
}

func joinParts(parts []*Value) *Value {
	v := &Value{Type: String, Str: func(r *Run) (string, bool) {
		var b strings.Builder
		all := true
		for _, p := range parts {
			t, known := p.Str(r)
			if !known && t == "" {
				t = "(unknown)"
			}
			all = all && known
			b.WriteString(t)
		}
		return b.String(), all
	}}
	return v.fold(parts...)
}

// toText is a value as it is written in a text.
func toText(v *Value) *Value {
	t := &Value{Type: String, fact: v.fact}
	switch v.Type {
	case String:
		return v
	case Bool:
		t.Str = func(r *Run) (string, bool) {
			b := v.Bool(r)
			return map[Tri]string{Yes: "true", No: "false"}[b], b != Unknown
		}
	case Number:
		t.Str = func(r *Run) (string, bool) {
			n, known := v.Num(r)
			return strconv.FormatFloat(n, 'f', -1, 64), known
		}
	case Strings:
		t.Str = func(r *Run) (string, bool) {
			ss, known := v.Strs(r)
			return strings.Join(ss, ", "), known
		}
	case IP:
		t.Str = func(r *Run) (string, bool) {
			ip, known := v.IP(r)
			if !ip.IsValid() {
				return "", known
			}
			return ip.String(), known
		}
	case Duration:
		t.Str = func(r *Run) (string, bool) {
			d, known := v.Dur(r)
			return d.String(), known
		}
	case Time:
		t.Str = func(r *Run) (string, bool) {
			at, known := v.Time(r)
			return at.UTC().Format(time.RFC3339), known
		}
	default:
		return invalid
	}
	return t.fold(v)
}
