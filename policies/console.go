package policies

import (
	"context"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/relay/pipeline"
)

// Console evaluates expressions of the language over a transaction, one after
// the other: what a rule would see. The facts of every phase are known to it.
type Console struct {
	c   *Config
	run *expr.Run
}

// NewConsole begins with a transaction, with what rules have noted about the
// recipient in question.
func NewConsole(ctx context.Context, c *Config, p *Policies, tx *pipeline.Transaction, noted *pipeline.Ledger) *Console {
	return &Console{c, p.Run(ctx, tx, noted)}
}

// ConsoleOf is a Console over an evaluation that is there already.
func ConsoleOf(c *Config, run *expr.Run) *Console { return &Console{c, run} }

// Eval gives the value and the type of an expression; of one that is wrong, what
// is wrong with it.
func (c *Console) Eval(text string) (value, typ string, ds Diagnostics) {
	const name = "console"
	env := *c.c.l.env
	env.Bag, env.Sources = &diag.Bag{}, map[string][]byte{name: []byte(text)}
	env.Bag.AddFile(name, []byte(text), nil)
	x, hds := hclsyntax.ParseExpression([]byte(text), name, hcl.InitialPos)
	if hds.HasErrors() {
		env.Bag.Syntax(hds)
		return "", "", env.Bag.All()
	}
	v := env.Anywhere().Compile(x)
	if v.Type == expr.Invalid || env.Bag.Errors() > 0 {
		return "", "", env.Bag.All()
	}
	return v.Show(c.run), v.Type.String(), nil
}

// Complete are the names that begin with a text: facts, and functions with
// their arguments.
func (c *Console) Complete(text string) (names []string) {
	for _, f := range c.c.l.env.Facts.All() {
		if strings.HasPrefix(f.Path, text) {
			names = append(names, f.Path+"  "+f.Type.String()+"  "+f.Doc)
		}
	}
	for _, f := range expr.Functions() {
		if strings.HasPrefix(f.Name, text) {
			names = append(names, f.Signature()+"  "+f.Doc)
		}
	}
	return names
}
