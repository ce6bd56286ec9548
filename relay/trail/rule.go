package trail

// Line makes a line that stands in many records. A policy has nearly all of its
// lines made when it is loaded, and a record refers to them: then a message costs
// no memory for them, and the dictionary of a segment knows them at sight.
func Line(stage, path, outcome, why string) *Rule {
	return &Rule{Stage: stage, Path: path, Outcome: outcome, Why: why, standing: true}
}

// For is the line as it is said of one recipient, for one record alone.
func (r *Rule) For(to string) *Rule {
	own := *r
	own.To, own.standing = to, false
	return &own
}

// Acted tells whether a rule did something, or (in shadow) would have.
func (r *Rule) Acted() bool {
	switch r.Outcome {
	case "no", "skipped", "unknown", "under":
		return false
	}
	return true
}

// String is the line for those who test and trace.
func (r *Rule) String() string {
	s := r.Stage + " " + r.Path + " " + r.Outcome
	if r.Why != "" {
		s += " (" + r.Why + ")"
	}
	if r.To != "" {
		s += " [" + r.To + "]"
	}
	return s
}
