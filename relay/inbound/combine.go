package inbound

import "github.com/forepost/forepost/relay/pipeline"

// combine makes one answer of the verdicts for the recipients of a message, since
// SMTP has only one reply to the data. Either the message is refused, for the
// reason of one of them, or each recipient has its fate:
//
//   - a deferral for one defers it for all (nobody gets it twice),
//   - if it is rejected for all of them it is rejected,
//   - else those that accept it get it, and of those that reject it becomes what
//     Verdict.Partial says: quarantine where there is one, discard, or Reject,
//     which is a report to the sender (a bounce).
func combine(vs []pipeline.Verdict) (refused *pipeline.Verdict, fates []pipeline.Action) {
	var deferred, rejected *pipeline.Verdict
	rejections := 0
	for i := range vs {
		switch vs[i].Action {
		case pipeline.Defer, pipeline.Drop:
			if deferred == nil {
				deferred = &vs[i]
			}
		case pipeline.Reject:
			if rejected == nil {
				rejected = &vs[i]
			}
			rejections++
		}
	}
	if deferred != nil {
		return deferred, nil
	}
	if rejected != nil && rejections == len(vs) {
		return rejected, nil
	}
	fates = make([]pipeline.Action, len(vs))
	for i := range vs {
		fates[i] = fate(&vs[i])
	}
	return nil, fates
}

func fate(v *pipeline.Verdict) pipeline.Action {
	switch {
	case v.Action == pipeline.None:
		return pipeline.Accept
	case v.Action == pipeline.Quarantine && v.Into == "":
		return pipeline.Hold // there is none: a person decides, and nothing is lost
	case v.Action != pipeline.Reject:
		return v.Action
	case v.Partial == pipeline.Discard:
		return pipeline.Discard
	case v.Partial == pipeline.Quarantine && v.Into != "":
		return pipeline.Quarantine
	}
	return pipeline.Reject
}
