package policies

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/relay/pipeline"
)

// TestFunctionExamples: every function has examples, and they are true.
func TestFunctionExamples(t *testing.T) {
	w := newWorld()
	files := map[string]string{"/etc/note.txt": "read at load", "/secrets/word": "hidden", "/etc/main.hcl": head + `
list "vips" {
  type  = address
  items = ["eve@example.com", "@partner.test"]
}

policy "p" {
  mail {
    tag "uses-the-list" {
      when = listed(mail.from, list.vips)
      add  = ["x"]
    }
  }
}
`}
	c, ds := Load("/etc/main.hcl", w.memory(files))
	if c == nil {
		t.Fatal(ds)
	}
	tx := transaction(t, "bob@example.com")
	for _, f := range expr.Functions() {
		examples := expr.Examples(f.Name)
		if len(examples) == 0 {
			t.Errorf("%s has no example", f.Name)
		}
		if f.Doc == "" || !strings.HasSuffix(f.Signature(), ")"+" "+resultOf(f.Signature())) || resultOf(f.Signature()) == "" {
			t.Errorf("%s: doc %q, signature %q", f.Name, f.Doc, f.Signature())
		}
		for _, e := range examples {
			if f.Name == "points" {
				continue // a line of a score, no expression
			}
			if got := gives(c, tx, e.Call); got != e.Gives {
				t.Errorf("%s gives %s, the example says %s", e.Call, got, e.Gives)
			}
		}
	}
}

func resultOf(signature string) string {
	return signature[strings.LastIndexByte(signature, ' ')+1:]
}

// gives evaluates an expression, or says what is wrong with it.
func gives(c *Config, tx *pipeline.Transaction, text string) string {
	env := *c.Env()
	env.Bag, env.Sources = &diag.Bag{}, map[string][]byte{"x": []byte(text)}
	x, ds := hclsyntax.ParseExpression([]byte(text), "x", hcl.InitialPos)
	if ds.HasErrors() {
		return ds.Error()
	}
	v := env.Anywhere().Compile(x)
	if env.Bag.Errors() > 0 {
		return env.Bag.All().String()
	}
	r := &expr.Run{}
	r.Reset(context.Background(), tx, nil, func() time.Time { return noon })
	return v.Show(r)
}
