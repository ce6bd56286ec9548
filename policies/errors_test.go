package policies

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/policies/internal/expr"
)

// A bad file carries its complaints: `# ERROR: text` (or WARNING) on the line
// that is wrong; of a file beside it, `# IN /etc/lists/a.txt 2 ERROR: text`
// anywhere. Every complaint must come, and no other.
var complaint = regexp.MustCompile(`# (?:IN (\S+) (\d+) )?(ERROR|WARNING): (.*)$`)

func TestBadFiles(t *testing.T) {
	names, _ := filepath.Glob("testdata/bad/*.hcl")
	if len(names) < 80 {
		t.Fatalf("where are the bad files? There are %d", len(names))
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
		file     string
		line     int
		severity string
	}
	want := map[place][]string{}
	total := 0
	for i, line := range strings.Split(string(text), "\n") {
		if m := complaint.FindStringSubmatch(line); m != nil {
			for _, c := range strings.Split(m[4], " AND ") {
				at := place{"/etc/main.hcl", i + 1, strings.ToLower(m[3])}
				if m[1] != "" {
					at.file = m[1]
					at.line, _ = strconv.Atoi(m[2])
				}
				want[at] = append(want[at], strings.TrimSpace(c))
				total++
			}
		}
	}
	if total == 0 {
		t.Fatal("the file expects nothing")
	}
	files := map[string]string{"/etc/main.hcl": string(text)}
	o := newWorld().memory(files)
	o.Env = func(name string) (string, bool) { return "word", name == "FOREPOST_VAR_n" }
	beside(t, string(text), files, &o)
	_, ds := Load("/etc/main.hcl", o)
	for _, d := range ds {
		at := place{d.File, d.Start.Line, string(d.Severity)}
		if i := expected(want[at], d); i >= 0 {
			want[at] = append(want[at][:i:i], want[at][i+1:]...)
			continue
		}
		t.Errorf("not expected:\n%s", d)
	}
	for at, texts := range want {
		for _, c := range texts {
			t.Errorf("%s line %d: the %s %q did not come", at.file, at.line, at.severity, c)
		}
	}
}

// besideLine is `# FILE /etc/lists/a.txt 2d: one two`: a file beside the bad one,
// its age and its entries; where lines have white space, a | parts them.
var besideLine = regexp.MustCompile(`(?m)^# FILE (\S+?)(?: (\S+))?(?::(.*))?$`)

// beside puts files beside the bad one. Whose age is not said was written now.
func beside(t *testing.T, text string, files map[string]string, o *Options) {
	ages := map[string]time.Duration{}
	for _, m := range besideLine.FindAllStringSubmatch(text, -1) {
		if m[2] != "" {
			age, err := expr.ParseDuration(m[2])
			if err != nil {
				t.Fatal(err)
			}
			ages[m[1]] = age
		}
		if _, ok := files[m[1]]; !ok {
			files[m[1]] = lines(m[3])
		}
	}
	o.ModTime = func(name string) (time.Time, error) {
		if _, ok := files[name]; !ok {
			return time.Time{}, os.ErrNotExist
		}
		return noon.Add(-ages[name]), nil
	}
}

func lines(s string) string {
	s = strings.ReplaceAll(s, "NUL", "\x00")
	if strings.Contains(s, "|") {
		return strings.ReplaceAll(strings.TrimSpace(s), " | ", "\n")
	}
	return strings.Join(strings.Fields(s), "\n")
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
