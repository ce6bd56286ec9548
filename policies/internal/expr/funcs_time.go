package expr

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
)

func timeFunctions() []Function {
	return []Function{
		{Name: "between", Args: "(from, to)", Doc: "the clock is between two times of day, \"22:00\" and \"06:00\" over midnight", args: []types{isText, isText}, make: makeBetween},
		{Name: "weekday", Args: "()", Doc: "today: mon tue wed thu fri sat sun", make: makeWeekday},
		{Name: "duration", Args: "(text)", Doc: "\"90s\", \"5m\", \"4h\", \"30d\"", args: []types{isText}, make: makeDuration},
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
