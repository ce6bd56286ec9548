// Package rules runs compiled policies: it is the Plan of relay/pipeline. A rule
// is data by now, its condition a row of closures.
package rules

import (
	"math"
	"net/netip"

	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/route"
	"github.com/forepost/forepost/relay/trail"
)

// Mode tells how far a rule is in force.
type Mode uint8

// The modes.
const (
	Enforce Mode = iota
	Shadow       // is evaluated and recorded, and changes nothing
	Off          // is not evaluated
)

// Rule is one verb block.
type Rule struct {
	Path    string // inbound.rcpt.reject.dnsbl
	At      string // where it stands: "policy.d/inbound.hcl:15"
	Written string // as it is written
	Verb    string
	Class   string
	Mode    Mode
	Trial   string      // of a rule in shadow, for the trail: "shadow since 2026-11-01"
	Tags    []string    // given where the rule matches
	When    []expr.Term // all must hold
	PerRcpt bool        // may differ between the recipients of a message
	index   int         // among the rules of its stage
	lines   lines       // that the trace may say of it

	End *End // of verbs that end the phase

	Slot int    // of the filter in place of limit and greylist; -1
	Fact string // of it, that the verb acts on: "over", "early"

	Facts []*expr.Fact // that its condition asks, in order

	Symbols []Symbol       // score
	Skip    []string       // skip
	Add     []string       // tag
	Modify  *Modify        // modify
	Strip   *Strip         // strip
	Copies  []mail.Address // copy
	Sign    bool           // sign
	Seal    bool           // sign "arc"
	Chain   int            // of Seal: the slot of the filter that the seal needs the result of
	Route   string         // route: its name, "" for no change of it
	TLS     route.TLSPolicy
	Source  netip.Addr // route: to connect from; zero for no change
	Keys    []string   // sign: selectors; empty for all keys of the domain
	Canon   string     // sign: "simple/relaxed", "" for relaxed/relaxed
}

// On tells whether the rule is evaluated at all.
func (r *Rule) On() bool { return r.Mode != Off }

// End is what an ending verb answers.
type End struct {
	Action  pipeline.Action
	Class   mail.Class
	Basic   int
	Subject [2]int
	Text    *expr.Value     // of the reply, without its codes
	Into    string          // a quarantine; "" for the recipient's
	Notify  []*expr.Value   // addresses
	Ours    map[string]bool // domains: what a message names is told at these alone, or anybody could have us write to anybody
}

// Symbol is one line of a score.
type Symbol struct {
	Name   string
	Points *expr.Value
	When   *expr.Value
	Facts  []*expr.Fact // that it asks, in order

	path   string // in the record
	always pipeline.Points
	line   *trail.Rule // in the record, of points that are always the same
}

// Modify is what a modify rule changes.
type Modify struct {
	Prefix *expr.Value // of the subject; nil for none
	Add    []Header
	Remove []string
}

// Header is a field to add.
type Header struct {
	Name  string
	Value *expr.Value
}

// Thresholds are points at which something happens; nil where nothing does.
type Thresholds struct{ Tag, Quarantine, Reject *pipeline.Points }

// Over are the thresholds with those of a domain in place of its own.
func (t Thresholds) Over(d Thresholds) Thresholds {
	if d.Tag != nil {
		t.Tag = d.Tag
	}
	if d.Quarantine != nil {
		t.Quarantine = d.Quarantine
	}
	if d.Reject != nil {
		t.Reject = d.Reject
	}
	return t
}

// maxPoints bounds a symbol, so that no filter's answer can overflow a sum.
const maxPoints = 1e6

// ToPoints rounds to thousandths.
func ToPoints(n float64) pipeline.Points {
	if n != n {
		return 0
	}
	return pipeline.Points(math.Round(max(-maxPoints, min(maxPoints, n)) * 1000))
}
