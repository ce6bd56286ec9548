package test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/trail"
)

// TestFromRecord: a case of real mail passes against the policy, names nobody of
// the mail, and comes out of the formatter as it went in.
func TestFromRecord(t *testing.T) {
	names, _ := filepath.Glob("testdata/records/*.json")
	if len(names) < 3 {
		t.Fatal("where are the records?")
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var in struct {
			Record  trail.Record
			Gone    []string // must not stand in the case
			Stays   []string // must
			Differs int
		}
		if err := json.Unmarshal(b, &in); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		one, err := FromRecord(t.Context(), &in.Record, options(site))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, s := range in.Gone {
			if strings.Contains(strings.ToLower(one.Text), s) {
				t.Errorf("%s: %q stands in\n%s", name, s, one.Text)
			}
		}
		for _, s := range in.Stays {
			if !strings.Contains(one.Text, s) {
				t.Errorf("%s: %q does not stand in\n%s", name, s, one.Text)
			}
		}
		if len(one.Differs) != in.Differs {
			t.Errorf("%s: differs: %q", name, one.Differs)
		}
		if again, err := policies.Format("x", []byte(one.Text)); err != nil || string(again) != one.Text {
			t.Errorf("%s: the formatter: %v", name, err)
		}
		file := filepath.Join(t.TempDir(), "from-id.test.hcl")
		if err := os.WriteFile(file, []byte(one.Text), 0o600); err != nil {
			t.Fatal(err)
		}
		rep, ds := Run(t.Context(), []string{file}, options(site))
		if rep == nil || rep.Passed != 1 || rep.Failed != 0 {
			t.Errorf("%s: %v %+v\n%s", name, ds, rep, one.Text)
		}
	}
}
