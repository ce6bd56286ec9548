package expr

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Show is a fact as it is for a message, as the language writes it: for people.
func (f *Fact) Show(r *Run) string { return f.value.Show(r) }

// Show is what the expression gives for a message, as the language writes it;
// "unknown" where a filter could not tell, and "(secret)" for a secret.
func (v *Value) Show(r *Run) string {
	if v.Secret {
		return "(secret)"
	}
	switch v.Type {
	case Bool:
		switch v.Bool(r) {
		case Yes:
			return "true"
		case No:
			return "false"
		}
	case String:
		if s, known := v.Str(r); known || s != "" {
			return quoted(s)
		}
	case Number:
		if n, known := v.Num(r); known {
			return strconv.FormatFloat(n, 'f', -1, 64)
		}
	case Strings:
		if ss, known := v.Strs(r); known {
			return list(ss)
		}
	case IP:
		if ip, known := v.IP(r); known {
			return ip.String()
		}
	case Duration:
		if d, known := v.Dur(r); known {
			return quoted(d.String())
		}
	case Time:
		if t, known := v.Time(r); known {
			return quoted(t.UTC().Format(time.RFC3339))
		}
	}
	if v.Type == ListRef {
		return fmt.Sprintf("a list of %d entries", v.List.Len())
	}
	return "unknown"
}

// maxShown is how much of a text or a list is shown.
const maxShown = 5

func list(ss []string) string {
	out := make([]string, 0, maxShown)
	for _, s := range ss[:min(len(ss), maxShown)] {
		out = append(out, quoted(s))
	}
	if more := len(ss) - maxShown; more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func quoted(s string) string {
	if len(s) > 80 {
		s = s[:80] + "..."
	}
	return strconv.Quote(s)
}
