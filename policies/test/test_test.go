package test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/forepost/forepost/filters/builtin"
	"github.com/forepost/forepost/policies"
)

const site = "testdata/site/site.hcl"

func options(config string) Options {
	return Options{Config: config, Load: policies.Options{Kinds: builtin.Kinds()}}
}

func run(t *testing.T, file string, o Options) *Report {
	t.Helper()
	rep, ds := Run(t.Context(), []string{file}, o)
	if rep == nil {
		t.Fatalf("%s does not load:\n%s", file, ds)
	}
	return rep
}

// TestCases: everything that a case can state, and that it comes out as said.
func TestCases(t *testing.T) {
	files, err := Files(site)
	if err != nil || len(files) != 1 {
		t.Fatalf("found %v, %v", files, err)
	}
	rep := run(t, files[0], options(site))
	var text bytes.Buffer
	if err := rep.Text(&text, true); err != nil || rep.Failed > 0 || rep.Passed != 23 {
		t.Errorf("%v\n%s", err, text.String())
	}
	if rep.Rules != 15 || rep.Matched != 14 || len(rep.Never) != 1 || rep.Never[0].Rule != "inbound.rcpt.reject.dnsbl" {
		t.Errorf("%d of %d rules, never %v", rep.Matched, rep.Rules, rep.Never)
	}
}

// TestCompany: the example of a company, as it was written before there was a
// program, with all its cases.
func TestCompany(t *testing.T) {
	suites := os.Getenv("FOREPOST_SUITES")
	if suites == "" {
		t.Skip("FOREPOST_SUITES is not set")
	}
	dir := filepath.Join(suites, "../design/examples")
	rep := run(t, filepath.Join(dir, "company.test.hcl"), options(filepath.Join(dir, "company.hcl")))
	var text bytes.Buffer
	if err := rep.Text(&text, false); err != nil || rep.Failed > 0 || rep.Passed != 13 {
		t.Errorf("%v\n%s", err, text.String())
	}
}

// TestOnly: --run.
func TestOnly(t *testing.T) {
	o := options(site)
	o.Only = regexp.MustCompile("^programs")
	if rep := run(t, "testdata/site/site.test.hcl", o); rep.Passed != 2 {
		t.Errorf("%d cases ran", rep.Passed)
	}
}

// TestFailuresTell: what differed, and which rule did or did not.
func TestFailuresTell(t *testing.T) {
	rep := run(t, "testdata/wrong/fails.hcl", options(site))
	var text bytes.Buffer
	if err := rep.Text(&text, false); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("FOREPOST_WRITE") != "" {
		if err := os.WriteFile("testdata/wrong/fails.txt", text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/wrong/fails.txt")
	if err != nil {
		t.Fatal(err)
	}
	if text.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", text.String(), want)
	}
	if rep.Passed != 0 || rep.Failed != 6 {
		t.Errorf("%d passed", rep.Passed)
	}
}

// TestForms: what programs read says the same.
func TestForms(t *testing.T) {
	rep := run(t, "testdata/wrong/fails.hcl", options(site))
	var j, x bytes.Buffer
	if rep.JSON(&j) != nil || rep.JUnit(&x) != nil {
		t.Fatal("not written")
	}
	var back Report
	if err := json.Unmarshal(j.Bytes(), &back); err != nil || back.Failed != 6 || len(back.Cases[0].Failures) == 0 || back.Cases[0].Line != 14 {
		t.Errorf("%v\n%s", err, j.String())
	}
	var suite struct {
		Failures int `xml:"failures,attr"`
		Cases    []struct {
			Line    int    `xml:"line,attr"`
			Failure string `xml:"failure"`
		} `xml:"testcase"`
	}
	if err := xml.Unmarshal(x.Bytes(), &suite); err != nil || suite.Failures != 6 || len(suite.Cases) != 6 || suite.Cases[0].Line != 14 || !strings.Contains(suite.Cases[0].Failure, "want quarantine") {
		t.Errorf("%v\n%s", err, x.String())
	}
}

var complaint = regexp.MustCompile(`# ERROR: (.*)$`)

// TestBadFiles: a bad file carries its complaints on the lines that are wrong.
// Every complaint must come, and no other.
func TestBadFiles(t *testing.T) {
	names, _ := filepath.Glob("testdata/bad/*.hcl")
	if len(names) == 0 {
		t.Fatal("where are the bad files?")
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want := map[int][]string{}
		for i, line := range strings.Split(string(text), "\n") {
			if m := complaint.FindStringSubmatch(line); m != nil {
				want[i+1] = strings.Split(m[1], " AND ")
			}
		}
		rep, ds := Run(t.Context(), []string{name}, options(site))
		if rep != nil {
			t.Errorf("%s runs", name)
		}
		for _, d := range ds {
			if d.Severity == policies.SeverityError && (d.File != name || !take(want, d)) {
				t.Errorf("not expected:\n%s", d)
			}
		}
		for line, texts := range want {
			for _, c := range texts {
				t.Errorf("%s:%d: %q was not said", name, line, c)
			}
		}
	}
}

// take strikes out the complaint that a diagnostic makes.
func take(want map[int][]string, d policies.Diagnostic) bool {
	said := string(d.Code) + " " + d.Summary + " " + d.Text + " " + d.Fix
	texts := want[d.Start.Line]
	for i, c := range texts {
		if strings.Contains(said, strings.TrimSpace(c)) {
			want[d.Start.Line] = append(texts[:i:i], texts[i+1:]...)
			return true
		}
	}
	return false
}

// TestBrokenFiles: what cannot be read at all.
func TestBrokenFiles(t *testing.T) {
	for _, c := range []struct{ file, config, code string }{
		{"testdata/none.hcl", site, "FP0002"},
		{"testdata/site/phish.eml", site, "FP0001"},
		{"testdata/site/site.test.hcl", "testdata/none.hcl", "FP0002"},
	} {
		rep, ds := Run(t.Context(), []string{c.file}, options(c.config))
		if rep != nil || len(ds) == 0 || string(ds[0].Code) != c.code {
			t.Errorf("%s: %v", c.file, ds)
		}
	}
}
