package rules

import (
	"math"
	"strconv"
	"time"

	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// lines are what the trace can say of a rule, made when the policy is loaded: a
// record refers to them, so that a message costs no memory for what is known
// before it comes. What depends on the message (counts, points that a filter
// gives) is made when it is needed.
type lines struct {
	stage, path string
	yes, no     *trail.Rule
	would       *trail.Rule     // of a rule in shadow
	skipped     *trail.Rule     // of one that has a class
	misses      [][]*trail.Rule // by term, then by what expr.Term.Which tells
}

func (r *Rule) makeLines(at pipeline.Stage) {
	l := lines{stage: at.String(), path: r.Path}
	l.yes, l.no = l.line("yes", ""), l.line("no", "")
	if r.Mode == Shadow {
		l.would = l.line("would", r.Trial)
	}
	if r.Class != "" {
		l.skipped = l.line("skipped", "class "+r.Class)
	}
	for i := range r.When {
		whys := r.When[i].Whys()
		of := make([]*trail.Rule, len(whys))
		for j, why := range whys {
			of[j] = l.line("no", why)
		}
		l.misses = append(l.misses, of)
	}
	for i := range r.Symbols {
		s := &r.Symbols[i]
		s.path = r.Path + "." + s.Name
		if s.Points.Const {
			n, _ := s.Points.Num(nil)
			s.always = ToPoints(n)
			s.line = trail.Line(l.stage, s.path, signed(s.always), "")
		}
	}
	r.lines = l
}

// line makes one that is kept.
func (l *lines) line(outcome, why string) *trail.Rule {
	return trail.Line(l.stage, l.path, outcome, why)
}

// now makes one for this message alone.
func (l *lines) now(outcome, why string) *trail.Rule {
	return &trail.Rule{Stage: l.stage, Path: l.path, Outcome: outcome, Why: why}
}

// missed is the line of a rule that a term kept from matching; -1 for none.
func (w *walker) missed(rule *Rule, term int) *trail.Rule {
	if term < 0 {
		return rule.lines.no
	}
	return rule.lines.misses[term][rule.When[term].Which(w.r)]
}

// worth is the line of a symbol.
func (s *Symbol) worth(l *lines, p pipeline.Points) *trail.Rule {
	if s.line != nil && s.always == p {
		return s.line
	}
	return &trail.Rule{Stage: l.stage, Path: s.path, Outcome: signed(p)}
}

// FormatPoints writes points as people do: 7.7.
func FormatPoints(p pipeline.Points) string {
	var b [24]byte
	return string(appendPoints(b[:0], p))
}

func signed(p pipeline.Points) string {
	var b [24]byte
	if p < 0 {
		return string(appendPoints(b[:0], p))
	}
	return string(appendPoints(append(b[:0], '+'), p))
}

// appendPoints writes thousandths as a decimal number without zeros at its end.
func appendPoints(b []byte, p pipeline.Points) []byte {
	if p < 0 {
		b, p = append(b, '-'), -p
	}
	b = strconv.AppendInt(b, int64(p/1000), 10)
	rest := int(p % 1000)
	if rest == 0 {
		return b
	}
	b = append(b, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}

// counted tells the numbers of a limit, or how long a greylist still waits.
func counted(f pipeline.Facts) string {
	if limit, ok := f["limit"].(float64); ok {
		count, _ := f["count"].(float64)
		var b [64]byte
		return string(appendNumber(append(appendNumber(b[:0], count), " of "...), limit))
	}
	if wait, ok := f["wait"].(time.Duration); ok && wait > 0 {
		return "wait " + wait.Round(time.Second).String()
	}
	return ""
}

// appendNumber writes a number as it is; most are whole.
func appendNumber(b []byte, n float64) []byte {
	if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
		return strconv.AppendInt(b, int64(n), 10)
	}
	return strconv.AppendFloat(b, n, 'f', -1, 64)
}
