// Package filtertest runs filters over cases that are written as text: a DNS
// zone, a session, a message, and what is to be found. It is for external test
// packages (package x_test), since it knows all the filters.
package filtertest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/builtin"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/pipeline"
)

// Now is when cases happen that do not say.
var Now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// Case is one text case. In a file it is a txtar archive: first why the case
// exists, then its sections, of which those that are empty are left out.
//
//	A subdomain without a record of its own inherits sp.
//	-- settings --
//	zone = "list.test"
//	-- zone --
//	{"example.test": {"TXT": ["v=spf1 -all"]}}
//	-- session --
//	client 192.0.2.1
//	helo mx.example.test
//	from ann@example.test
//	to bob@example.com
//	-- message --
//	From: ann@example.test
//
//	Hi.
//	-- facts --
//	result = "fail"
//	-- auth --
//	spf=fail smtp.mailfrom=example.test
//	-- error --
//	a piece of the error; where there is no such section there must be no error
type Case struct {
	Name     string
	Why      string
	sections map[string]string
}

var known = []string{"settings", "zone", "session", "message", "facts", "auth", "error"}

// Run runs all cases of the files that match a pattern against the kind of that
// name, with the kinds that it needs.
func Run(t *testing.T, kind, pattern string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases match %s: %v", pattern, err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			c, err := Parse(name, b)
			if err != nil {
				t.Fatal(err)
			}
			c.Run(t, kind)
		})
	}
}

// Parse reads a case.
func Parse(name string, text []byte) (*Case, error) {
	a := txtar.Parse(text)
	c := &Case{Name: name, Why: strings.TrimSpace(string(a.Comment)), sections: map[string]string{}}
	if c.Why == "" {
		return nil, fmt.Errorf("%s does not say why it exists", name)
	}
	for _, f := range a.Files {
		if !strings.Contains(" "+strings.Join(known, " ")+" ", " "+f.Name+" ") {
			return nil, fmt.Errorf("%s: there is no section %q; there are %s", name, f.Name, strings.Join(known, ", "))
		}
		c.sections[f.Name] = string(f.Data)
	}
	return c, nil
}

// Run checks the case against a kind.
func (c *Case) Run(t *testing.T, kind string) {
	t.Helper()
	fd, err := c.Find(t, kind)
	c.checkError(t, err)
	k, _ := Kind(kind)
	for _, bad := range c.compareFacts(k.Facts, fd.Facts) {
		t.Errorf("%s\n%s\n(reason: %s)", c.Why, bad, fd.Reason)
	}
	if want, ok := c.sections["auth"]; ok {
		if got := authText(fd.Auth); got != strings.TrimSpace(want) {
			t.Errorf("%s\nauthentication results:\n%s\nwant:\n%s", c.Why, got, strings.TrimSpace(want))
		}
	}
	CheckSchema(t, k, fd)
}

func (c *Case) checkError(t *testing.T, err error) {
	t.Helper()
	want, expected := c.sections["error"]
	switch {
	case err == nil && expected:
		t.Errorf("%s\nno error, want %q", c.Why, strings.TrimSpace(want))
	case err != nil && (!expected || !strings.Contains(err.Error(), strings.TrimSpace(want))):
		t.Errorf("%s\nerror %v, want %q", c.Why, err, strings.TrimSpace(want))
	}
}

// Find runs the filter over the case.
func (c *Case) Find(t testing.TB, kind string) (pipeline.Finding, error) {
	t.Helper()
	k, ok := Kind(kind)
	if !ok {
		t.Fatalf("there is no kind %q", kind)
	}
	zone, err := c.zone()
	if err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
	d := filters.Deps{Name: kind, Hostname: "gw.test", DNS: zone, Now: func() time.Time { return Now }}
	in, err := instance(k, d, c.sections["settings"])
	if err != nil {
		return pipeline.Finding{}, err
	}
	all := []*pipeline.Instance{in}
	for _, need := range k.Needs {
		nk, _ := Kind(need)
		d.Name = need
		n, err := instance(nk, d, "")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	tx, err := c.transaction()
	if err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
	tx.Use(pipeline.NewSet(all...))
	r := tx.Find(t.Context(), in)
	return r.Finding, r.Err
}

func (c *Case) zone() (dns.Resolver, error) {
	text := c.sections["zone"]
	if text == "" {
		text = "{}"
	}
	return dns.ParseZone("zone.json", []byte(text))
}

// Kind finds a kind by name.
func Kind(name string) (filters.Kind, bool) {
	for _, k := range builtin.Kinds() {
		if k.Name == name {
			return k, true
		}
	}
	return filters.Kind{}, false
}

func instance(k filters.Kind, d filters.Deps, settings string) (*pipeline.Instance, error) {
	var into any
	if k.Settings != nil {
		into = k.Settings()
	}
	if err := Decode(settings, into); err != nil {
		return nil, err
	}
	f, err := k.Build(into, d)
	if err != nil {
		return nil, err
	}
	return &pipeline.Instance{
		Name: d.Name, Kind: k.Name, Filter: f, From: k.From, Scope: k.Scope, Needs: k.Needs, Slow: k.Slow,
	}, nil
}
