package policies

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestExamplesLoad: what is shown as right must load without a word.
func TestExamplesLoad(t *testing.T) {
	names, _ := filepath.Glob("testdata/good/*.hcl")
	if suites := os.Getenv("FOREPOST_SUITES"); suites != "" {
		names = append(names, filepath.Join(suites, "../bench/relay.hcl"), filepath.Join(suites, "../design/examples/minimal.hcl"))
	}
	if len(names) < 3 {
		t.Fatal("where are the examples?")
	}
	for _, name := range names {
		o := Options{Kinds: newWorld().kinds(), Now: func() time.Time { return noon }, Strict: true, Credentials: []string{"testdata/secrets"}}
		if _, ds := Load(name, o); len(ds) > 0 {
			t.Errorf("%s:\n%s", name, ds)
		}
	}
}

// TestReadmeLoads: the example of the README, too.
func TestReadmeLoads(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var example strings.Builder
	for _, line := range strings.Split(string(text), "\n") {
		if code, ok := strings.CutPrefix(line, "    "); ok || line == "" {
			example.WriteString(code + "\n")
		}
	}
	if !strings.Contains(example.String(), "policy \"inbound\"") {
		t.Fatal("where is the example?")
	}
	if _, ds := Load("/etc/main.hcl", newWorld().memory(map[string]string{"/etc/main.hcl": example.String()})); len(ds) > 0 {
		t.Error(ds)
	}
}
