package house

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/forepost/forepost/"

// root is the project's root. The tests read the source files themselves: a
// test that asks `go list` is answered from the test cache and stays green
// while the house is broken.
const root = "../../.."

type file struct {
	pkg     string // folder below the root
	path    string
	test    bool
	imports []string
}

func sources(t *testing.T) []file {
	t.Helper()
	var files []file
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if p != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "tools" || name == "dist") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(p))
		if err != nil {
			return err
		}
		one := file{pkg: filepath.ToSlash(rel), path: p, test: strings.HasSuffix(name, "_test.go")}
		for _, im := range f.Imports {
			s, err := strconv.Unquote(im.Path.Value)
			if err != nil {
				return err
			}
			one.imports = append(one.imports, s)
		}
		files = append(files, one)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("only %d source files found below %s: this test looks in the wrong place", len(files), root)
	}
	return files
}

func TestFloors(t *testing.T) {
	for _, f := range sources(t) {
		if _, ok := floorOf(f.pkg); !ok {
			t.Errorf("%s: the package %s stands on no floor: give it one in floors.go", f.path, f.pkg)
			continue
		}
		if f.test { // tests may climb: they put rooms together
			continue
		}
		for _, im := range f.imports {
			to, ours := strings.CutPrefix(im, module)
			if ours && !mayImport(f.pkg, to) {
				t.Errorf("%s: %s may not import %s, which stands on the same or a higher floor", f.path, f.pkg, to)
			}
		}
	}
}

func TestLibrariesStayInTheirRooms(t *testing.T) {
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		for _, im := range f.imports {
			for _, o := range only {
				if (im == o.library || strings.HasPrefix(im, o.library+"/")) && !within(f.pkg, o.by) {
					t.Errorf("%s: only %v may import %s: %s", f.path, o.by, o.library, o.why)
				}
			}
		}
	}
}

func TestFloorRules(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"relay/queue", "relay/journal", true},
		{"relay/journal", "relay/queue", false},
		{"relay/queue", "relay/route", false}, // neighbours
		{"relay/queue", "relay/queue/dsn", true},
		{"filters/spf", "filters", true},
		{"filters/spf", "filters/dkim", false},
		{"policies", "filters", true},
		{"policies", "filters/spf", true}, // a lower floor, but see TestPoliciesKnowNoFilter
		{"imapstore/imapd", "imapstore", true},
		{"imapstore", "imapstore/imapd", false},
		{"relay/nowhere", "relay/mail", false},
	} {
		if got := mayImport(c.from, c.to); got != c.want {
			t.Errorf("mayImport(%s, %s) = %v, want %v", c.from, c.to, got, c.want)
		}
	}
}

// Policies learn of filters through the list of Kinds that they are given.
func TestPoliciesKnowNoFilter(t *testing.T) {
	for _, f := range sources(t) {
		if f.test || !within(f.pkg, []string{"policies"}) {
			continue
		}
		for _, im := range f.imports {
			if strings.HasPrefix(im, module+"filters/") {
				t.Errorf("%s imports %s: policies take the Kinds as an argument", f.path, im)
			}
		}
	}
}

// The layout of the top level is the user's.
func TestTopLevel(t *testing.T) {
	want := map[string]bool{"cmd": true, "relay": true, "filters": true, "pop3pickup": true, "imapstore": true,
		"policies": true, "packaging": true, "go.mod": true, "go.sum": true, "README.md": true}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || e.Name() == "dist" { // dist is git-ignored
			continue
		}
		if !want[e.Name()] {
			t.Errorf("%s stands at the top level, outside the fixed layout", e.Name())
		}
		delete(want, e.Name())
	}
	for name := range want {
		t.Errorf("%s is missing at the top level", name)
	}
}

// Each folder with code says what it is for.
func TestReadmes(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range sources(t) {
		if seen[f.pkg] || strings.HasPrefix(f.pkg, "packaging") {
			continue
		}
		seen[f.pkg] = true
		b, err := os.ReadFile(filepath.Join(root, f.pkg, "README.md"))
		if err != nil && strings.Contains(f.pkg, "/internal/") { // small rooms behind a door may share its page
			b, err = os.ReadFile(filepath.Join(root, filepath.Dir(f.pkg), "README.md"))
		}
		if err != nil {
			t.Errorf("%s has no README.md", f.pkg)
		} else if len(b) < 200 {
			t.Errorf("%s/README.md says almost nothing", f.pkg)
		}
	}
}
