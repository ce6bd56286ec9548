package policies

import (
	"strings"

	"github.com/forepost/forepost/policies/internal/rules"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// verb is something that a rule can do.
type verb struct {
	phases  []pipeline.Stage
	attrs   string // its own, for the reference
	doc     string
	compile func(*ruleCompiler)
}

const (
	connect = pipeline.Connect
	helo    = pipeline.Helo
	mailAt  = pipeline.Mail
	rcpt    = pipeline.Rcpt
	data    = pipeline.Data
	deliver = pipeline.Deliver
)

// verbs is the table of verbs; `use` is not among them, since it is no rule.
var verbs = map[string]verb{
	"reject":     {[]pipeline.Stage{connect, helo, mailAt, rcpt, data}, "text, code, notify", "550, for good; ends the phase", func(c *ruleCompiler) { c.refuse(pipeline.Reject, mail.Permanent, 50) }},
	"defer":      {[]pipeline.Stage{connect, helo, mailAt, rcpt, data, deliver}, "text, code", "451, to come back; ends the phase", func(c *ruleCompiler) { c.refuse(pipeline.Defer, mail.Transient, 51) }},
	"drop":       {[]pipeline.Stage{connect, helo, mailAt}, "text", "421 and closes the connection", func(c *ruleCompiler) { c.refuse(pipeline.Drop, mail.Transient, 21) }},
	"discard":    {[]pipeline.Stage{mailAt, rcpt, data}, "", "250, and it is thrown away; the trail knows", func(c *ruleCompiler) { c.r.End = &rules.End{Action: pipeline.Discard} }},
	"quarantine": {[]pipeline.Stage{data}, "into, notify, without", "250, and it is kept apart", (*ruleCompiler).quarantine},
	"hold":       {[]pipeline.Stage{data}, "notify", "250, and it is queued until a person acts", func(c *ruleCompiler) { c.r.End = &rules.End{Action: pipeline.Hold}; c.tell(c.r.End) }},
	"accept":     {[]pipeline.Stage{connect, helo, mailAt, rcpt, data}, "", "ends the rules of this phase for the recipient; in data the thresholds, too", func(c *ruleCompiler) { c.r.End = &rules.End{Action: pipeline.Accept} }},
	"skip":       {[]pipeline.Stage{connect, helo, mailAt, rcpt, data}, "classes, force", "rules of the classes no longer apply", (*ruleCompiler).skip},
	"score":      {[]pipeline.Stage{data}, "name = points(n, condition), one line a symbol", "adds points", (*ruleCompiler).score},
	"tag":        {[]pipeline.Stage{connect, helo, mailAt, rcpt, data, deliver}, "add", "adds tags", (*ruleCompiler).tag},
	"modify":     {[]pipeline.Stage{data}, "subject_prefix, add_header, remove_header", "changes the header", (*ruleCompiler).modify},
	"strip":      {[]pipeline.Stage{data}, "extensions, replace_with, force", "removes parts by the extensions of their file names; a text says what stood there; what is signed or encrypted only with force = true", (*ruleCompiler).strip},
	"copy":       {[]pipeline.Stage{data}, "to", "sends a copy", (*ruleCompiler).copy},
	"sign":       {[]pipeline.Stage{data}, "key, canonicalization", "signs with the DKIM keys of the author's domain, with key those of a selector or of a list of them; canonicalization is relaxed, simple, relaxed_simple or simple_relaxed (header and body; RFC 6376 section 3.4), relaxed where none is given; the rule sign \"arc\" adds to the ARC chain with those of the recipient's domain", (*ruleCompiler).sign},
	"route":      {[]pipeline.Stage{data, deliver}, "via, tls, source", "takes another route, or the same with better TLS or from another address of this host", (*ruleCompiler).route},
	"greylist":   {[]pipeline.Stage{rcpt, data}, "key, delay, text, on_error", "451 to strangers, until they come back", (*ruleCompiler).greylist},
	"limit":      {[]pipeline.Stage{connect, mailAt, rcpt, data}, "key, rate, burst, count, over, on_error, text", "counts against windows of time, all of which must hold", (*ruleCompiler).limit},
}

func (v verb) at(s pipeline.Stage) bool {
	for _, p := range v.phases {
		if p == s {
			return true
		}
	}
	return false
}

func (v verb) phaseNames() string {
	var names []string
	for _, p := range v.phases {
		names = append(names, p.String())
	}
	return strings.Join(names, ", ")
}
