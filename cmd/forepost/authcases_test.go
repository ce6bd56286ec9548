package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// authWant is what a line of testdata/auth says must come out; what it leaves out
// does not matter to it.
type authWant struct {
	SPF         string
	DKIM        []string
	DMARC       string
	Policy      string
	Disposition string
	Domain      string
}

// authCase is a line of testdata/auth: a request of --batch that also names
// itself, says what must come out, and brings its message with it.
type authCase struct {
	Name    string
	Want    authWant
	Message string
}

// The files of testdata/auth are what the suites do not ask, decided by the text
// of the RFCs.
func TestAuthBatchOverOddCases(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "auth", "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			cases, batch := oddCases(t, file)
			got := batchLines(t, batch, exitDone)
			if len(got) != len(cases) || len(cases) < 10 {
				t.Fatalf("%d answers to %d cases", len(got), len(cases))
			}
			for i, c := range cases {
				checkAnswer(t, c.Name, got[i], c.Want)
			}
		})
	}
}

// oddCases reads a file and makes the batch of it.
func oddCases(t *testing.T, file string) (cases []authCase, batch string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir, lines, names := t.TempDir(), strings.Builder{}, map[string]bool{}
	for line := range strings.Lines(string(text)) {
		var c authCase
		request := map[string]any{}
		if err := errors.Join(json.Unmarshal([]byte(line), &c), json.Unmarshal([]byte(line), &request)); err != nil {
			t.Fatalf("line %d: %v", len(cases)+1, err)
		}
		if c.Name == "" || names[c.Name] || reflect.DeepEqual(c.Want, authWant{}) {
			t.Errorf("line %d: %q is no name of its own, or the case wants nothing", len(cases)+1, c.Name)
		}
		names[c.Name] = true
		if c.Message != "" {
			eml := fmt.Sprintf("%d.eml", len(cases))
			request["eml"] = eml
			if err := os.WriteFile(filepath.Join(dir, eml), []byte(c.Message), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := json.NewEncoder(&lines).Encode(request); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	batch = filepath.Join(dir, "cases.jsonl")
	if err := os.WriteFile(batch, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return cases, batch
}

func checkAnswer(t *testing.T, name, line string, want authWant) {
	t.Helper()
	a := answerOf(t, line)
	got := authWant{SPF: a.SPF.Result, DMARC: a.DMARC.Result, Policy: a.DMARC.Policy, Disposition: a.DMARC.Disposition, Domain: a.DMARC.Domain}
	for _, s := range a.DKIM {
		got.DKIM = append(got.DKIM, s.Result)
	}
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range w.NumField() {
		if !w.Field(i).IsZero() && !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
			t.Errorf("%s: %s is %v, want %v\n%s", name, w.Type().Field(i).Name, g.Field(i), w.Field(i), line)
		}
	}
}
