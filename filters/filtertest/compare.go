package filtertest

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/pipeline"
)

// compareFacts checks the facts that the case names. A missing fact has the
// zero value of its type.
func (c *Case) compareFacts(schema pipeline.Schema, facts pipeline.Facts) (bad []string) {
	for _, line := range strings.Split(strings.TrimSpace(c.sections["facts"]), "\n") {
		if line == "" {
			continue
		}
		name, value, _ := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		i := slices.IndexFunc(schema, func(s pipeline.Spec) bool { return s.Name == name })
		if i < 0 {
			bad = append(bad, "there is no fact "+name)
			continue
		}
		v, ok := facts[name]
		if !ok {
			v = zeros[schema[i].Type]
		}
		if got := factText(v); got != squeeze(value) {
			bad = append(bad, fmt.Sprintf("%s is %s, want %s", name, got, value))
		}
	}
	return bad
}

var zeros = map[pipeline.Type]any{
	pipeline.Bool: false, pipeline.String: "", pipeline.Number: 0.0, pipeline.Strings: []string(nil),
	pipeline.IP: netip.Addr{}, pipeline.Duration: time.Duration(0), pipeline.Time: time.Time{},
}

// factText is a fact as a case writes it: JSON, durations as Go has them.
func factText(v any) string {
	switch x := v.(type) {
	case time.Duration:
		v = x.String()
	case []string:
		if x == nil {
			return "[]"
		}
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

// squeeze brings a value of a case into the form that factText gives.
func squeeze(value string) string {
	var v any
	if json.Unmarshal([]byte(value), &v) != nil {
		return value
	}
	return factText(v)
}

func authText(results []pipeline.AuthResult) string {
	var lines []string
	for _, r := range results {
		line := r.Method + "=" + r.Result
		for _, p := range r.Props {
			line += " " + p.Name + "=" + p.Value
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// CheckSchema checks that a finding keeps to what its kind declares: names,
// types, closed sets of words, a reason of one line.
func CheckSchema(t testing.TB, k filters.Kind, fd pipeline.Finding) {
	t.Helper()
	for name, v := range fd.Facts {
		i := slices.IndexFunc(k.Facts, func(s pipeline.Spec) bool { return s.Name == name })
		if i < 0 {
			t.Errorf("%s finds a fact %q that it does not declare", k.Name, name)
			continue
		}
		s := k.Facts[i]
		if want := zeros[s.Type]; fmt.Sprintf("%T", v) != fmt.Sprintf("%T", want) {
			t.Errorf("%s.%s is a %T, declared as %s", k.Name, name, v, s.Type)
		}
		if word, ok := v.(string); ok && s.Words != nil && !slices.Contains(s.Words, word) {
			t.Errorf("%s.%s is %q, which is none of %v", k.Name, name, word, s.Words)
		}
	}
	if strings.ContainsAny(fd.Reason, "\r\n") {
		t.Errorf("%s gives a reason of several lines: %q", k.Name, fd.Reason)
	}
}
