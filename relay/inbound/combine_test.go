package inbound

import (
	"fmt"
	"testing"

	"github.com/forepost/forepost/relay/pipeline"
)

func TestCombine(t *testing.T) {
	const (
		none, accept, reject, deferred  = pipeline.None, pipeline.Accept, pipeline.Reject, pipeline.Defer
		discard, quarantine, hold, drop = pipeline.Discard, pipeline.Quarantine, pipeline.Hold, pipeline.Drop
	)
	cases := []struct {
		why     string
		actions []pipeline.Action
		partial pipeline.Action
		refused string // the action of the verdict that refuses, and whose
		fates   string
	}{
		{"nobody is left", nil, none, "", "[]"},
		{"no verdict lets pass", []pipeline.Action{none}, none, "", "[accept]"},
		{"each its own", []pipeline.Action{accept, quarantine, hold, discard}, none, "", "[accept quarantine hold discard]"},
		{"all reject", []pipeline.Action{reject, reject}, quarantine, "reject 0", ""},
		{"one defers", []pipeline.Action{accept, deferred, reject}, none, "defer 1", ""},
		{"a late drop is a deferral", []pipeline.Action{accept, drop}, none, "drop 1", ""},
		{"a mix", []pipeline.Action{accept, reject}, quarantine, "", "[accept quarantine]"},
		{"a mix whose plan does not say", []pipeline.Action{accept, reject}, none, "", "[accept reject]"},
		{"a mix, discarding", []pipeline.Action{reject, accept}, discard, "", "[discard accept]"},
		{"a mix, bouncing", []pipeline.Action{reject, accept}, reject, "", "[reject accept]"},
		{"discard is a taking", []pipeline.Action{reject, discard}, quarantine, "", "[quarantine discard]"},
	}
	if _, fates := combine([]pipeline.Verdict{{Action: quarantine}}); fmt.Sprint(fates) != "[hold]" {
		t.Errorf("without a quarantine to go to: %v, want it held", fates)
	}
	for _, c := range cases {
		var vs []pipeline.Verdict
		for i, a := range c.actions {
			vs = append(vs, pipeline.Verdict{To: i, Action: a, Partial: c.partial, Into: "q"})
		}
		refused, fates := combine(vs)
		got, gotFates := "", ""
		if refused != nil {
			got = fmt.Sprintf("%s %d", refused.Action, refused.To)
		} else {
			gotFates = fmt.Sprint(fates)
		}
		if got != c.refused || gotFates != c.fates {
			t.Errorf("%s: %q %s, want %q %s", c.why, got, gotFates, c.refused, c.fates)
		}
	}
}
