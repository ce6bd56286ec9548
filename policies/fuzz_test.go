package policies

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/pipeline"
)

// FuzzLoad: whatever the file, Load answers, every mistake has a code that is
// explained, and what loads can run. Filters run beside it, so coverage differs
// from run to run: fuzz with -fuzzminimizetime 1x.
func FuzzLoad(f *testing.F) {
	seeds := []string{"testdata/good/*.hcl", "testdata/good/company.d/*.hcl", "testdata/bad/*.hcl", "stock/*.hcl"}
	if suites := os.Getenv("FOREPOST_SUITES"); suites != "" {
		seeds = append(seeds, filepath.Join(suites, "../design/examples/*.hcl"), filepath.Join(suites, "fuzz-seeds/*.hcl"))
	}
	for _, pattern := range seeds {
		names, _ := filepath.Glob(pattern)
		for _, n := range names {
			text, err := os.ReadFile(n)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		w := newWorld()
		c, ds := Load("/etc/main.hcl", w.memory(map[string]string{"/etc/main.hcl": text}))
		for _, d := range ds {
			if _, _, ok := Explain(string(d.Code)); !ok || d.Summary == "" {
				t.Fatalf("a mistake without a page: %+v", d)
			}
			_ = d.String()
		}
		if c == nil {
			return
		}
		ps, err := c.Build(filters.Deps{})
		if err != nil {
			return
		}
		for name := range c.l.policies {
			p, _ := ps.Plan(name)
			tx := transaction(t, "bob@example.com", "eve@lab.example.net")
			for at := pipeline.Connect; at <= pipeline.Deliver; at++ {
				p.Run(context.Background(), at, tx)
			}
		}
	})
}
