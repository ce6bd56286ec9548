package test

import (
	"context"
	"fmt"
	"strconv"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/policies/internal/diag"
)

// Console evaluates expressions over a case: text is that of a file of tests and
// name that of one of its cases, or "" for neutral facts alone: a message from
// nobody to the postmaster.
func Console(ctx context.Context, text, name string, o Options) (*policies.Console, policies.Diagnostics) {
	const file = "console.test.hcl"
	r, ds := stageFor(file, o, func(cfg *policies.Config) string {
		if name != "" {
			return text
		}
		name = "neutral"
		return neutral(cfg)
	})
	if r == nil {
		return nil, ds
	}
	cases := r.bindAll()
	if r.f.bag.Errors() > 0 {
		return nil, r.f.bag.All()
	}
	for _, c := range cases {
		if c.name == name {
			r.stage.set(c.scene)
			p := r.rehearse(ctx, c.scene)
			return policies.ConsoleOf(r.cfg, r.run(ctx, p, 0)), r.f.bag.All()
		}
	}
	r.f.bag.Keep(policies.Diagnostics{{Severity: diag.Error, Code: diag.UnknownReference, Summary: diag.UnknownReference.Summary(), Text: "There is no case \"" + name + "\"."}})
	return nil, r.f.bag.All()
}

// neutral is a file with a case that states nothing.
func neutral(cfg *policies.Config) string {
	listener := ""
	if ls := cfg.Settings.Listeners; len(ls) > 0 {
		listener = "listener = listener." + ls[0].Name
	}
	return fmt.Sprintf("case \"neutral\" {\n  %s\n  rcpt = [%s]\n  mail = { from = \"\" }\n\n  expect {\n    verdict = accept\n  }\n}\n", listener, strconv.Quote(cfg.Settings.Postmaster.String()))
}

// stageFor loads the configuration for the cases of a text, which may depend on
// it; nil where there are errors.
func stageFor(name string, o Options, text func(*policies.Config) string) (*runner, policies.Diagnostics) {
	st := &stage{}
	load := o.Load
	load.Rehearsal, load.Strict, load.Now = true, false, st.time
	load.Kinds = st.kinds(o.Load.Kinds)
	cfg, ds := policies.Load(o.Config, load)
	if cfg == nil {
		return nil, ds
	}
	content := text(cfg)
	f, ok := readFile(name, func(string) ([]byte, error) { return []byte(content), nil })
	if !ok {
		return nil, f.bag.All()
	}
	if len(f.lists) > 0 { // the lists of the file, in place of the configuration's
		load.Lists = f.lists
		if cfg, ds = policies.Load(o.Config, load); cfg == nil {
			return nil, ds
		}
	}
	plans, err := cfg.Build(filters.Deps{State: st, Now: st.time})
	if err != nil {
		f.cannotBuild(o.Config, err)
		return nil, f.bag.All()
	}
	return newRunner(cfg, plans, st, f), nil
}
