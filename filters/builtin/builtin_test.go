package builtin_test

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/builtin"
	"github.com/forepost/forepost/filters/filtertest"
	"github.com/forepost/forepost/relay/pipeline"
)

// TestKindsAreWellFormed: what the configuration, the reference and the console
// rely on.
func TestKindsAreWellFormed(t *testing.T) {
	word := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	facts, stages := map[string]string{}, map[string]pipeline.Stage{}
	for _, k := range builtin.Kinds() {
		if !word.MatchString(k.Name) || k.Doc == "" || k.Build == nil || len(k.Facts) == 0 {
			t.Errorf("%q: a kind has a name of small letters, a line of doc, facts and Build", k.Name)
		}
		if _, twice := stages[k.Name]; twice {
			t.Errorf("there are two kinds %q", k.Name)
		}
		root := k.Root
		if root == "" {
			root = k.Name
		}
		for _, f := range k.Facts {
			if !word.MatchString(f.Name) || f.Doc == "" || strings.Contains(f.Doc, "\n") || f.Words != nil && f.Type != pipeline.String {
				t.Errorf("%s.%s: a fact has a name of small letters, a line of doc, and words only if it is a string", k.Name, f.Name)
			}
			if other := facts[root+"."+f.Name]; other != "" {
				t.Errorf("%s and %s both find %s.%s", other, k.Name, root, f.Name)
			}
			facts[root+"."+f.Name] = k.Name
		}
		checkFactNeeds(t, k)
		for _, need := range k.Needs {
			at, known := stages[need]
			if !known || at > k.From {
				t.Errorf("%s needs %s, which must stand before it and be known by then", k.Name, need)
			}
		}
		stages[k.Name] = k.From
	}
}

// checkFactNeeds: they are of facts that there are, and show settings that there
// are.
func checkFactNeeds(t *testing.T, k filters.Kind) {
	for fact, line := range k.FactNeeds {
		if !slices.ContainsFunc(k.Facts, func(s pipeline.Spec) bool { return s.Name == fact }) {
			t.Errorf("%s: FactNeeds names %q, which is no fact of it", k.Name, fact)
		}
		if err := filtertest.Decode(line, k.Settings()); err != nil {
			t.Errorf("%s: %v", k.Name, err)
		}
	}
}

// TestSettings: they are pointers to structs with tags that policies decodes,
// and a new one each time.
func TestSettings(t *testing.T) {
	types := []any{"", true, int64(0), 0.0, time.Duration(0), []string(nil), filters.Key(nil), 0}
	for _, k := range builtin.Kinds() {
		if k.Settings == nil {
			continue
		}
		v := reflect.ValueOf(k.Settings())
		if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct || v.Pointer() == reflect.ValueOf(k.Settings()).Pointer() {
			t.Errorf("%s: Settings is not a pointer to a new struct", k.Name)
			continue
		}
		for i := range v.Elem().NumField() {
			f := v.Elem().Type().Field(i)
			if f.Tag.Get("hcl") == "" {
				t.Errorf("%s: the setting %s has no hcl tag", k.Name, f.Name)
			}
			if !slices.ContainsFunc(types, func(x any) bool { return reflect.TypeOf(x) == f.Type }) {
				t.Errorf("%s: the setting %s is a %s, which is not decoded", k.Name, f.Name, f.Type)
			}
			words := strings.Split(f.Tag.Get("words"), "|")
			for _, def := range strs(v.Elem().Field(i)) {
				if words[0] != "" && !slices.Contains(words, def) {
					t.Errorf("%s: the default %q of %s is none of its words", k.Name, def, f.Name)
				}
			}
		}
	}
}

func strs(v reflect.Value) []string {
	switch x := v.Interface().(type) {
	case string:
		return []string{x}
	case []string:
		return x
	}
	return nil
}

// TestREADMEs: each filter has one that names its facts and settings, so that
// none is added or renamed without it.
func TestREADMEs(t *testing.T) {
	for _, k := range builtin.Kinds() {
		b, err := os.ReadFile(filepath.Join("..", k.Name, "README.md"))
		if err != nil {
			t.Error(err)
			continue
		}
		names := []string{}
		for _, f := range k.Facts {
			names = append(names, f.Name)
			names = append(names, f.Words...)
		}
		if k.Settings != nil {
			s := reflect.TypeOf(k.Settings()).Elem()
			for i := range s.NumField() {
				name, _, _ := strings.Cut(s.Field(i).Tag.Get("hcl"), ",")
				names = append(names, name)
			}
		}
		for _, n := range names {
			if !regexp.MustCompile(`\b` + regexp.QuoteMeta(n) + `\b`).Match(b) {
				t.Errorf("%s/README.md does not say what %q is", k.Name, n)
			}
		}
		if !strings.Contains(string(b), "```hcl") {
			t.Errorf("%s/README.md has no example", k.Name)
		}
	}
}

// TestEmptyTransactions: a filter that is asked too early, or of a message with
// nothing in it, says that it could not tell or finds nothing; it does not
// panic.
func TestEmptyTransactions(t *testing.T) {
	for _, k := range builtin.Kinds() {
		if k.Named {
			continue // they need settings
		}
		c, err := filtertest.Parse("empty", []byte("why\n-- session --\nto bob@example.com\n-- message --\n\n"))
		if err != nil {
			t.Fatal(err)
		}
		fd, err := c.Find(t, k.Name)
		if err != nil && strings.Contains(err.Error(), "panic") {
			t.Errorf("%s: %v", k.Name, err)
		}
		filtertest.CheckSchema(t, k, fd)
	}
}
