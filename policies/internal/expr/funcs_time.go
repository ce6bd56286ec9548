package expr

import (
	"fmt"
	"math"
	"net/mail"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
)

func timeFunctions() []Function {
	return []Function{
		{Name: "between", Result: Bool, Args: "(from, to)", Doc: "the clock is between two times of day, \"22:00\" and \"06:00\" over midnight", args: []types{isText, isText}, make: makeBetween},
		{Name: "weekday", Result: String, Args: "()", Doc: "today: mon tue wed thu fri sat sun", make: makeWeekday},
		{Name: "days_since", Result: Number, Args: "(time)", Doc: "whole days since a time, a date \"2026-11-01\" or a Date field; a great many where there is none", args: []types{of(Time, String)}, make: makeDaysSince},
		{Name: "duration", Result: Duration, Args: "(text)", Doc: "\"90s\", \"5m\", \"4h\", \"30d\"", args: []types{isText}, make: makeDuration},
	}
}

// weekdayFact gives weekday() its closed set of words.
var weekdayFact = &Fact{Path: "weekday()", Type: String, Slot: -1, Words: []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"},
	value: Value{Type: String, Str: func(r *Run) (string, bool) { return strings.ToLower(r.Clock().Weekday().String()[:3]), true }}}

func makeWeekday(s *Scope, c *hclsyntax.FunctionCallExpr, _ []*Value) *Value {
	if !s.dynamic(c) {
		return invalid
	}
	v := weekdayFact.value
	v.fact = weekdayFact
	return &v
}

// dynamic reports a function of the message or the clock in a setting.
func (s *Scope) dynamic(c *hclsyntax.FunctionCallExpr) bool {
	if s.Static {
		s.Bag.Error(diag.NotConstant, c.Range(), c.Name+" is asked for each message, and this setting is read once, when the configuration is loaded.", "")
	}
	return !s.Static
}

func makeBetween(s *Scope, c *hclsyntax.FunctionCallExpr, a []*Value) *Value {
	if !s.dynamic(c) {
		return invalid
	}
	from, ok := s.timeOfDay(a[0], c.Args[0])
	to, ok2 := s.timeOfDay(a[1], c.Args[1])
	if !ok || !ok2 {
		return invalid
	}
	return &Value{Type: Bool, Bool: func(r *Run) Tri {
		now := r.Clock()
		at := now.Hour()*60 + now.Minute()
		if from <= to {
			return truth(from <= at && at < to)
		}
		return truth(at >= from || at < to)
	}}
}

// timeOfDay is a time in minutes after midnight.
func (s *Scope) timeOfDay(v *Value, x hclsyntax.Expression) (int, bool) {
	t, ok := s.constant(v, x, "A time of day")
	if !ok {
		return 0, false
	}
	at, err := time.Parse("15:04", t)
	if err != nil {
		s.Bag.Error(diag.BadValue, x.Range(), fmt.Sprintf("%q is no time of day.", t), "Write \"07:30\".")
		return 0, false
	}
	return at.Hour()*60 + at.Minute(), true
}

func makeDuration(s *Scope, c *hclsyntax.FunctionCallExpr, a []*Value) *Value {
	t, ok := s.constant(a[0], c.Args[0], "A duration")
	if !ok {
		return invalid
	}
	d, err := ParseDuration(t)
	if err != nil {
		s.Bag.Error(diag.BadValue, c.Args[0].Range(), fmt.Sprintf("%q is no duration.", t), "Write \"90s\", \"5m\", \"4h\" or \"30d\".")
		return invalid
	}
	return constDuration(d)
}

// makeDaysSince takes a time, or a text that is one. A fact that was never seen
// is the beginning of all time.
func makeDaysSince(s *Scope, c *hclsyntax.FunctionCallExpr, a []*Value) *Value {
	if !s.dynamic(c) {
		return invalid
	}
	at := a[0].Time
	if a[0].Type == String {
		if t, _ := constText(a[0]); a[0].Const && readTime(t).IsZero() {
			s.Bag.Error(diag.BadValue, c.Args[0].Range(), fmt.Sprintf("%q is no time.", t), "Write \"2026-11-01\" or \"2026-11-01T09:00:00Z\".")
			return invalid
		}
		at = func(r *Run) (time.Time, bool) {
			t, known := a[0].Str(r)
			return readTime(t), known
		}
	}
	return &Value{Type: Number, Num: func(r *Run) (float64, bool) {
		t, known := at(r)
		return math.Floor(float64(r.Clock().Unix()-t.Unix()) / 86400), known
	}}
}

func constText(v *Value) (string, bool) {
	if !v.Const {
		return "", false
	}
	return v.Str(nil)
}

// readTime reads a date, a time of RFC 3339, or a Date field (RFC 5322); the zero
// Time for anything else.
func readTime(s string) time.Time {
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(form, s); err == nil {
			return t
		}
	}
	t, err := mail.ParseDate(s)
	if err != nil {
		return time.Time{}
	}
	return t
}
