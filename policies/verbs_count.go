package policies

import (
	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/policies/internal/rules"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// limit is a filter of kind ratelimit in place, and a rule on its fact.
func (c *ruleCompiler) limit() {
	in := c.inPlace("ratelimit", "limit")
	if in == nil {
		c.b.known = append(c.b.known, "key", "rate", "burst", "count", "over", "on_error", "text")
		return
	}
	c.r.Fact = "over"
	switch c.b.word("over", "defer", "defer", "reject", "hold") {
	case "reject":
		c.counted(pipeline.Reject, mail.Permanent, 50, "Too many messages")
	case "hold":
		c.r.End = &rules.End{Action: pipeline.Hold}
		c.b.attr("text")
	default:
		c.counted(pipeline.Defer, mail.Transient, 51, "Too many messages, try again later")
	}
}

// greylist is a filter of kind greylist in place, and a rule on its fact.
func (c *ruleCompiler) greylist() {
	in := c.inPlace("greylist", "greylist")
	if in == nil {
		c.b.known = append(c.b.known, "key", "delay", "text", "on_error")
		return
	}
	c.r.Fact = "early"
	c.counted(pipeline.Defer, mail.Transient, 51, "You are new here, please try again in a few minutes")
}

func (c *ruleCompiler) counted(a pipeline.Action, class mail.Class, basic int, text string) {
	e := &rules.End{Action: a, Class: class, Basic: basic, Subject: [2]int{7, 1}}
	c.r.End = e
	if c.b.has("text") {
		c.reply(e)
		return
	}
	c.b.attr("text")
	e.Text = expr.ConstString(text)
}

// inPlace makes the filter of a verb; nil where this build has not the kind.
func (c *ruleCompiler) inPlace(kind, verb string) *instance {
	k, ok := c.l.kinds[kind]
	if !ok {
		c.l.bag.Error(diag.NotThisVersion, c.b.at, "This build has no filter of the kind "+kind+", which "+verb+" is short for.", "Leave the rule out.")
		return nil
	}
	k.From, k.Scope, k.Slow = c.stage, scopeAt(c.stage), false
	in := c.l.declare(k, verb+":"+c.r.Path, "")
	in.inPlace, in.at, in.block = true, c.b.at, nil
	if k.Settings != nil {
		in.settings = k.Settings()
	}
	in.onError = c.l.onError(c.b, c.r.Path)
	c.l.decode(c.b, in, func() *expr.Scope { return c.l.env.In(c.stage) })
	in.from, in.scope = max(in.from, c.stage), max(in.scope, k.Scope)
	c.r.Slot = in.slot
	return in
}

// scopeAt is how long a count holds that is made at a stage.
func scopeAt(s pipeline.Stage) pipeline.Scope {
	switch s {
	case pipeline.Connect:
		return pipeline.PerSession
	case pipeline.Rcpt:
		return pipeline.PerRecipient
	}
	return pipeline.PerMessage
}
