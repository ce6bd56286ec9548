package rules

import "github.com/forepost/forepost/policies/internal/expr"

// guess says what is taken for the answer where a condition could not be told in
// a replay since the record lacks something; on live mail it is Unknown.
func (w *walker) guess(rule *Rule, path string) expr.Tri {
	if w.tx.Past == nil || !w.r.Missed() {
		return expr.Unknown
	}
	to := -1
	if rule.PerRcpt {
		to = w.r.Tx.Current
	}
	if w.tx.Past.Guess(path, to) {
		return expr.Yes
	}
	return expr.No
}
