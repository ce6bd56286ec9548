// Package test runs tests of policies: cases written in HCL beside the policy
// that say who sends what to whom, what the filters find, and what must come of
// it. A case sees no DNS, no clock and no network: what it does not state is
// neutral. Sessions are played by relay/inbound itself (inbound.Rehearse), so
// that a test and the SMTP port cannot differ in what is asked when.
package test

import (
	"context"
	"path/filepath"
	"regexp"
	"sort"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/policies"
)

// Options is what Run needs besides the files.
type Options struct {
	Config string           // the configuration
	Load   policies.Options // Kinds are those of the build; Rehearsal and Lists are set here
	Only   *regexp.Regexp   // cases whose name matches; nil for all
}

// Files are the tests that stand beside a configuration: *.test.hcl in its
// folder, and in the folder tests beside it.
func Files(config string) ([]string, error) {
	var all []string
	for _, pattern := range []string{"*.test.hcl", "tests/*.hcl"} {
		names, err := filepath.Glob(filepath.Join(filepath.Dir(config), pattern))
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
	}
	sort.Strings(all)
	return all, nil
}

// Run runs the cases of the files. Where the configuration or a file has errors
// the Report is nil and Diagnostics says them all; it may hold warnings beside a
// Report.
func Run(ctx context.Context, files []string, o Options) (*Report, policies.Diagnostics) {
	rep := &Report{matched: map[string]bool{}}
	var said policies.Diagnostics
	for _, name := range files {
		ds := runFile(ctx, name, o, rep)
		said = addNew(said, ds)
	}
	if said.HasErrors() {
		return nil, said
	}
	rep.cover()
	return rep, said
}

// addNew keeps what every file's configuration is told of once.
func addNew(said, more policies.Diagnostics) policies.Diagnostics {
	seen := map[policies.Diagnostic]bool{}
	for _, d := range said {
		seen[d] = true
	}
	for _, d := range more {
		if !seen[d] {
			said = append(said, d)
		}
	}
	return said
}

// runFile reads one file, loads the configuration with the file's lists, and
// runs its cases.
func runFile(ctx context.Context, name string, o Options, rep *Report) policies.Diagnostics {
	f, ok := readFile(name, o.Load.ReadFile)
	if !ok {
		return f.bag.All()
	}
	st := &stage{}
	load := o.Load
	load.Rehearsal, load.Strict, load.Lists, load.Now = true, false, f.lists, st.time
	load.Kinds = st.kinds(o.Load.Kinds)
	cfg, ds := policies.Load(o.Config, load)
	f.bag.Keep(ds)
	if cfg == nil {
		return f.bag.All()
	}
	plans, err := cfg.Build(filters.Deps{State: st, Now: st.time})
	if err != nil {
		f.cannotBuild(o.Config, err)
		return f.bag.All()
	}
	r := newRunner(cfg, plans, st, f)
	cases := r.bindAll()
	if f.bag.Errors() > 0 {
		return f.bag.All()
	}
	for _, c := range cases {
		if o.Only == nil || o.Only.MatchString(c.name) {
			rep.add(r.play(ctx, c))
		}
	}
	rep.addRules(cfg, plans)
	return f.bag.All()
}

// clock is when cases happen that do not say: a Monday.
var clock = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
