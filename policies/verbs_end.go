package policies

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/policies/internal/rules"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// stockTexts are said by refusals that have no text of their own.
var stockTexts = map[pipeline.Action]string{
	pipeline.Reject: "Not accepted here",
	pipeline.Defer:  "Not accepted now, try again later",
	pipeline.Drop:   "Connection refused",
}

// refuse is reject, defer and drop.
func (c *ruleCompiler) refuse(a pipeline.Action, class mail.Class, basic int) {
	e := &rules.End{Action: a, Class: class, Basic: basic, Subject: [2]int{7, 1}}
	if a == pipeline.Drop {
		e.Subject = [2]int{7, 0}
	}
	c.r.End = e
	if a != pipeline.Drop {
		c.code(e)
	}
	c.reply(e)
	if a == pipeline.Reject {
		c.tell(e)
	}
}

// code reads the basic code, whose class the verb decides.
func (c *ruleCompiler) code(e *rules.End) {
	n := c.b.number("code", int(e.Class)*100+e.Basic)
	if n/100 != int(e.Class) {
		c.l.bag.Error(diag.WrongEnhanced, c.b.rangeOf("code"), fmt.Sprintf("%s gives %dxx codes, and this is %d.", c.r.Verb, e.Class, n), fmt.Sprintf("Write code = %d, or take another verb.", int(e.Class)*100+e.Basic))
		return
	}
	e.Basic = n % 100
}

// reply reads `text`, which begins with an enhanced status code (RFC 3463).
func (c *ruleCompiler) reply(e *rules.End) {
	x, ok := c.b.attr("text")
	if !ok {
		e.Text = expr.ConstString(stockTexts[e.Action])
		return
	}
	x = c.l.env.Deref(x)
	if rest, found := c.enhanced(x, e); found {
		x = rest
	} else if c.r.Verb == "reject" || c.r.Verb == "defer" {
		c.l.bag.Warn(diag.NoEnhanced, x.Range(), "The text does not begin with an enhanced status code.", fmt.Sprintf("Write \"%d.7.1 ...\".", e.Class))
	}
	e.Text = c.scope.Text(x)
}

// enhanced takes the code off the front of a text and puts it into e.
func (c *ruleCompiler) enhanced(x hclsyntax.Expression, e *rules.End) (hclsyntax.Expression, bool) {
	t, ok := x.(*hclsyntax.TemplateExpr)
	if !ok || len(t.Parts) == 0 {
		return x, false
	}
	lit, ok := t.Parts[0].(*hclsyntax.LiteralValueExpr)
	if !ok || lit.Val.IsNull() || lit.Val.Type() != cty.String {
		return x, false
	}
	code, rest, _ := strings.Cut(lit.Val.AsString(), " ")
	var class, subject, detail int
	if n, err := fmt.Sscanf(code, "%d.%d.%d", &class, &subject, &detail); n != 3 || err != nil || code != fmt.Sprintf("%d.%d.%d", class, subject, detail) || subject > 999 || detail > 999 || subject < 0 || detail < 0 {
		return x, false
	}
	if class != int(e.Class) {
		c.l.bag.Error(diag.WrongEnhanced, x.Range(), fmt.Sprintf("%s gives %d.x.x codes, and the text begins with %s.", c.r.Verb, e.Class, code),
			fmt.Sprintf("Write \"%d.%d.%d %s\".", e.Class, subject, detail, strings.TrimSpace(rest)))
	}
	e.Subject = [2]int{subject, detail}
	parts := append([]hclsyntax.Expression{&hclsyntax.LiteralValueExpr{Val: cty.StringVal(rest), SrcRange: lit.SrcRange}}, t.Parts[1:]...)
	return &hclsyntax.TemplateExpr{Parts: parts, SrcRange: t.SrcRange}, true
}

func (c *ruleCompiler) quarantine() {
	e := &rules.End{Action: pipeline.Quarantine, Into: c.b.ref("into", "quarantine")}
	c.tell(e)
	c.r.End = e
	orTag := c.b.word("without", "", "tag") == "tag"
	if e.Into != "" || c.b.has("into") {
		return
	}
	if orTag && c.l.fallback == "" {
		c.r.End = nil // there is nowhere to put it: its tags remain
		return
	}
	c.l.needQuarantine(c.b.at, c.r.Path)
}

// tell reads who is to hear of it.
func (c *ruleCompiler) tell(e *rules.End) { e.Notify, e.Ours = c.notify(), c.l.env.Domains }

// notify is a list of addresses, which may be facts.
func (c *ruleCompiler) notify() []*expr.Value {
	x, ok := c.b.attr("notify")
	if !ok {
		return nil
	}
	elements := []hclsyntax.Expression{x}
	if t, ok := x.(*hclsyntax.TupleConsExpr); ok {
		elements = t.Exprs
	}
	var out []*expr.Value
	for _, e := range elements {
		v := c.scope.Text(e)
		if v == nil {
			continue
		}
		if v.Const {
			s, _ := v.Str(nil)
			c.checkAddress(s, e.Range())
		}
		out = append(out, v)
	}
	return out
}

func (c *ruleCompiler) checkAddress(s string, at hcl.Range) {
	if a, err := mail.ParseAddress(s, true); err != nil || a.IsNull() {
		c.l.bag.Error(diag.BadValue, at, "\""+s+"\" is no mail address.", "Write user@example.com.")
	}
}
