package rules

import (
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// spam is the class that thresholds belong to.
const spam = "spam"

// end decides where no rule did: the highest threshold that was reached, and
// before the softer ones what the filters' on_error says.
func (w *walker) end(to int, t Thresholds) pipeline.Verdict {
	v := pipeline.Verdict{To: to}
	points := !w.skipped(spam)
	if points && reached(t.Reject, w.r.Points) {
		w.crossed(&v, "reject", *t.Reject, to)
		v.Action, v.Reply = pipeline.Reject, mail.Refuse(50, 7, 1, "This message looks like spam")
		return v
	}
	onError := w.onError()
	if onError == pipeline.ErrorDefers {
		w.failed(&v, to)
		v.Action, v.Reply = pipeline.Defer, mail.Defer(51, 7, 0, "This message cannot be checked now, try again later")
		return v
	}
	if points && reached(t.Quarantine, w.r.Points) {
		w.crossed(&v, "quarantine", *t.Quarantine, to)
		v.Action = pipeline.Quarantine
		return v
	}
	if onError == pipeline.ErrorQuarantines {
		w.failed(&v, to)
		v.Action = pipeline.Quarantine
		return v
	}
	if points && reached(t.Tag, w.r.Points) {
		var tagged pipeline.Verdict
		w.crossed(&tagged, "tag", *t.Tag, to)
		w.tag([]string{spam})
	}
	return v
}

func reached(at *pipeline.Points, have pipeline.Points) bool { return at != nil && have >= *at }

func (w *walker) crossed(v *pipeline.Verdict, name string, at pipeline.Points, to int) {
	v.Rule = w.p.info.Name + ".thresholds." + name
	w.trace.line(w, v.Rule, "yes", FormatPoints(w.r.Points)+" of "+FormatPoints(at), to)
}

func (w *walker) failed(v *pipeline.Verdict, to int) {
	v.Rule = w.p.info.Name + ".on_error"
	w.trace.line(w, v.Rule, "yes", whyUnsure(w.unsureNames()), to)
}

// onError is the strictest answer of the filters that a rule asked and that
// could not tell: to defer loses nothing, so it comes first.
func (w *walker) onError() pipeline.OnError {
	worst := pipeline.ErrorIgnored
	for _, n := range w.unsureNames() {
		in, ok := w.p.set.Get(n)
		if !ok {
			continue // of a configuration before a reload
		}
		if in.OnError == pipeline.ErrorDefers {
			return pipeline.ErrorDefers
		}
		if in.OnError == pipeline.ErrorQuarantines {
			worst = pipeline.ErrorQuarantines
		}
	}
	return worst
}
