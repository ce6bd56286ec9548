package policies

import (
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/policies/internal/lists"
	"github.com/forepost/forepost/policies/internal/rules"
)

// Config is a configuration that was read. It holds no connection and no file.
type Config struct {
	// Settings is what it says apart from policies.
	Settings *Settings
	l        *loader
}

// Load reads the configuration in the file at path and those that it includes.
// It reports everything that is wrong. The Config is nil where Diagnostics has
// errors, and usable where it has warnings alone.
func Load(path string, o Options) (*Config, Diagnostics) {
	l := newLoader(path, o.withDefaults())
	if l.readAll(path) {
		l.everything()
	}
	ds := l.bag.All()
	if ds.HasErrors() {
		return nil, ds
	}
	return &Config{Settings: l.set, l: l}, ds
}

// loader is the state of one Load.
type loader struct {
	o     Options
	dir   string // that relative names are relative to
	bag   *diag.Bag
	env   *expr.Env
	set   *Settings
	files []string // that were read, in order
	attrs map[string]*hclsyntax.Attribute
	// blocks are the top-level blocks by type, in the order of files and lines.
	blocks map[string][]*hclsyntax.Block
	// named are the blocks that references can name, by type and first label.
	named map[string]map[string]*hclsyntax.Block
	used  map[string]bool // "route.x"

	classes   map[string]bool
	kinds     map[string]filters.Kind
	instances []*instance    // filters by slot
	slots     map[string]int // by name of instance
	policies  map[string]*policy
	ruleAt    map[*rules.Rule]hcl.Range
	pending   map[string]bool // rules blocks being compiled
	fallback  string          // the quarantine where a domain names none
}

func newLoader(path string, o Options) *loader {
	l := &loader{o: o, dir: filepath.Dir(path), bag: &diag.Bag{}, set: &Settings{},
		attrs: map[string]*hclsyntax.Attribute{}, blocks: map[string][]*hclsyntax.Block{},
		named: map[string]map[string]*hclsyntax.Block{}, used: map[string]bool{},
		classes: map[string]bool{}, kinds: map[string]filters.Kind{}, slots: map[string]int{},
		policies: map[string]*policy{}, ruleAt: map[*rules.Rule]hcl.Range{}, pending: map[string]bool{}}
	l.env = &expr.Env{Bag: l.bag, Facts: expr.NewFacts(), Lists: map[string]*lists.List{}, Vars: map[string]*expr.Value{},
		Locals: map[string]hclsyntax.Expression{}, Domains: map[string]bool{}, Sources: map[string][]byte{}, Now: o.Now,
		ListsUsed: map[string]bool{}, HeadersUsed: map[string]bool{}, File: l.readText, Secret: l.secret}
	for _, k := range o.Kinds {
		l.kinds[k.Name] = k
	}
	return l
}

// everything goes through the blocks: first what others refer to.
func (l *loader) everything() {
	l.index()
	l.variables()
	l.locals()
	l.head()
	l.declareDomains()
	l.each("ldap", l.ldap)
	l.lists()
	l.quarantines()
	l.routes()
	l.filters()
	l.checkLocals()
	l.domains()
	l.mail()
	l.services()
	l.reports()
	l.returns()
	l.logins()
	l.callout()
	l.allPolicies()
	l.listeners()
	l.lint()
}

// readAll reads the main file and its includes; false where the meaning cannot
// be looked at.
func (l *loader) readAll(path string) bool {
	body := l.readConfig(path, hcl.Range{})
	if body == nil {
		return false
	}
	ok := l.include(body)
	return ok && l.bag.Errors() == 0
}

// include reads the files that `include` names. Their patterns are relative to
// the main file.
func (l *loader) include(main *hclsyntax.Body) bool {
	a, ok := main.Attributes["include"]
	if !ok {
		return true
	}
	tuple, ok := a.Expr.(*hclsyntax.TupleConsExpr)
	if !ok {
		l.bag.Error(diag.WrongType, a.Expr.Range(), "include is a list of file names.", "Write include = [\"policy.d/*.hcl\"].")
		return false
	}
	good := true
	for _, x := range tuple.Exprs {
		v := l.env.Settings().Text(x)
		if v == nil {
			good = false
			continue
		}
		pattern, _ := v.Str(nil)
		good = l.includePattern(pattern, x.Range()) && good
	}
	return good
}

func (l *loader) includePattern(pattern string, at hcl.Range) bool {
	names, err := l.o.Glob(l.path(pattern))
	if err != nil {
		l.bag.Error(diag.BadValue, at, pattern+" is no pattern of file names: "+err.Error()+".", "")
		return false
	}
	if names == nil && !strings.ContainsAny(pattern, "*?[") {
		names = []string{l.path(pattern)} // is missing: say so
	}
	good := true
	for _, n := range names {
		if !l.wasRead(n) && l.readConfig(n, at) == nil {
			good = false
		}
	}
	return good
}

func (l *loader) wasRead(name string) bool {
	for _, f := range l.files {
		if f == name {
			return true
		}
	}
	return false
}

// readConfig reads one file; nil where it cannot be read or parsed.
func (l *loader) readConfig(name string, at hcl.Range) *hclsyntax.Body {
	text, err := l.o.ReadFile(name)
	if err != nil {
		l.bag.Error(diag.CannotRead, at, name+": "+err.Error()+".", "See that the file exists and can be read.")
		return nil
	}
	return l.parse(name, text)
}

func (l *loader) parse(name string, text []byte) *hclsyntax.Body {
	l.files = append(l.files, name)
	l.env.Sources[name] = text
	f, ds := hclsyntax.ParseConfig(text, name, hcl.InitialPos)
	body, ok := f.Body.(*hclsyntax.Body)
	if !ok {
		return nil
	}
	l.bag.AddFile(name, text, body)
	l.bag.Syntax(ds)
	if ds.HasErrors() {
		return nil
	}
	l.collect(body, len(l.files) > 1)
	return body
}

// collect sorts what stands at the top of a file.
func (l *loader) collect(body *hclsyntax.Body, included bool) {
	for _, a := range sortedAttributes(body) {
		if included && a.Name == "include" {
			l.bag.Error(diag.UnknownAttribute, a.NameRange, "An included file cannot include others.", "Name the files in the main file.")
			continue
		}
		if _, ok := l.attrs[a.Name]; ok {
			l.bag.Error(diag.Duplicate, a.NameRange, a.Name+" is set in another file already.", "Keep one.")
			continue
		}
		l.attrs[a.Name] = a
	}
	for _, b := range body.Blocks {
		l.blocks[b.Type] = append(l.blocks[b.Type], b)
	}
}

func (l *loader) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(l.dir, name)
}
