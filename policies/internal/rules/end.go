package rules

import (
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// spam is the class that thresholds belong to.
const spam = "spam"

// end decides where no rule did: the highest threshold that was reached, and
// before the softer ones what the filters' on_error says.
func (w *walker) end(v *pipeline.Verdict, t Thresholds) {
	points := !w.skipped(spam)
	if points && reached(t.Reject, w.r.Points) {
		v.Rule = w.crossed("reject", *t.Reject, v.To)
		v.Action, v.Reply = pipeline.Reject, mail.Refuse(50, 7, 1, "This message looks like spam")
		return
	}
	onError := w.onError()
	if onError == pipeline.ErrorDefers {
		v.Rule = w.failed(v.To)
		v.Action, v.Reply = pipeline.Defer, mail.Defer(51, 7, 0, "This message cannot be checked now, try again later")
		return
	}
	if points && reached(t.Quarantine, w.r.Points) {
		v.Rule = w.crossed("quarantine", *t.Quarantine, v.To)
		v.Action = pipeline.Quarantine
		return
	}
	if onError == pipeline.ErrorQuarantines {
		v.Rule = w.failed(v.To)
		v.Action = pipeline.Quarantine
		return
	}
	if points && reached(t.Tag, w.r.Points) {
		w.crossed("tag", *t.Tag, v.To)
		w.tag(spamTag)
	}
}

// spamTag is what reaching the threshold tag gives.
var spamTag = []string{spam}

func reached(at *pipeline.Points, have pipeline.Points) bool { return at != nil && have >= *at }

// crossed writes that a threshold was reached, and is its path.
func (w *walker) crossed(name string, at pipeline.Points, to int) string {
	path := w.p.info.Name + ".thresholds." + name
	w.trace.line(w, path, FormatPoints(w.r.Points)+" of "+FormatPoints(at), to)
	return path
}

// failed writes that filters could not tell, and is the path of what follows.
func (w *walker) failed(to int) string {
	path := w.p.info.Name + ".on_error"
	w.trace.line(w, path, whyUnsure(w.unsureNames()), to)
	return path
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
