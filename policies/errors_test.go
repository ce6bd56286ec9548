package policies

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A bad file carries its complaints: `# ERROR: text` (or WARNING) on the line
// that is wrong. Every complaint must come, and no other.
var complaint = regexp.MustCompile(`# (ERROR|WARNING): (.*)$`)

func TestBadFiles(t *testing.T) {
	names, _ := filepath.Glob("testdata/bad/*.hcl")
	if len(names) == 0 {
		t.Fatal("where are the bad files?")
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) { badFile(t, name) })
	}
}

func badFile(t *testing.T, name string) {
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	type place struct {
		line     int
		severity string
	}
	want := map[place][]string{}
	total := 0
	for i, line := range strings.Split(string(text), "\n") {
		if m := complaint.FindStringSubmatch(line); m != nil {
			for _, c := range strings.Split(m[2], " AND ") {
				at := place{i + 1, strings.ToLower(m[1])}
				want[at] = append(want[at], strings.TrimSpace(c))
				total++
			}
		}
	}
	if total == 0 {
		t.Fatal("the file expects nothing")
	}
	files := map[string]string{"/etc/main.hcl": string(text)}
	_, ds := Load("/etc/main.hcl", newWorld().memory(files))
	for _, d := range ds {
		at := place{d.Start.Line, string(d.Severity)}
		if i := expected(want[at], d); i >= 0 {
			want[at] = append(want[at][:i:i], want[at][i+1:]...)
			continue
		}
		t.Errorf("not expected:\n%s", d)
	}
	for at, texts := range want {
		for _, c := range texts {
			t.Errorf("line %d: the %s %q did not come", at.line, at.severity, c)
		}
	}
}

// expected finds a complaint in all that a diagnostic says.
func expected(texts []string, d Diagnostic) int {
	said := string(d.Code) + " " + d.Summary + " " + d.Text + " " + d.Fix
	for i, c := range texts {
		if strings.Contains(said, c) {
			return i
		}
	}
	return -1
}
