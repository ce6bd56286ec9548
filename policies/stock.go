package policies

import (
	"embed"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
)

//go:embed stock/*.hcl
var stockFiles embed.FS

// StockNames are the names of the built-in policies.
func StockNames() []string {
	entries, err := stockFiles.ReadDir("stock")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".hcl"))
	}
	sort.Strings(names)
	return names
}

// Stock is the text of a built-in policy, to be printed and owned.
func Stock(name string) (string, bool) {
	text, err := stockFiles.ReadFile("stock/" + name + ".hcl")
	return string(text), err == nil
}

// stock is a block of the built-in file: policy or rules "recommended".
func (l *loader) stock(typ string, at hcl.Range) *hclsyntax.Block {
	const file = "built-in recommended.hcl"
	text, _ := Stock("recommended")
	f, ds := hclsyntax.ParseConfig([]byte(text), file, hcl.InitialPos)
	body, ok := f.Body.(*hclsyntax.Body)
	if !ok || ds.HasErrors() {
		l.bag.Syntax(ds)
		return nil
	}
	l.env.Sources[file] = []byte(text)
	l.bag.AddFile(file, []byte(text), body)
	for _, kind := range []string{"spf", "dkim", "dmarc", "attachment", "iprev", "ratelimit"} {
		if _, ok := l.kinds[kind]; !ok {
			l.bag.Error(diag.UnknownKind, at, "policy.recommended needs filters of the kind "+kind+", which this build has not.", "Name a policy of your own.")
			return nil
		}
	}
	for _, b := range body.Blocks {
		if b.Type == typ {
			return b
		}
	}
	return nil
}
