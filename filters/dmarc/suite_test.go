package dmarc

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorded is one evaluation of mailauth-recorded.jsonl.
type recorded struct {
	Test  string
	Input struct {
		HeaderFrom  any
		DKIMDomains []any `json:"dkimDomains"`
		SPFDomains  []any `json:"spfDomains"`
	}
	Queries [][]any
	Output  json.RawMessage
}

func TestRecordedEvaluations(t *testing.T) {
	dir := os.Getenv("FOREPOST_SUITES")
	if dir == "" {
		t.Skip("FOREPOST_SUITES is not set")
	}
	f, err := os.Open(filepath.Join(dir, "dmarc", "mailauth-recorded.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for s := bufio.NewScanner(f); s.Scan(); n++ {
		var r recorded
		if err := json.Unmarshal(s.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		t.Run(r.Test, func(t *testing.T) { r.check(t) })
	}
	if n != 53 {
		t.Errorf("%d evaluations, not the 53 that are known", n)
	}
}

func (r recorded) check(t *testing.T) {
	var want struct {
		Status struct{ Result string }
		Policy Policy
	}
	if string(r.Output) == "false" {
		// several authors: the one address rule, which author_test.go covers
		if len(r.Input.HeaderFrom.([]any)) < 2 {
			t.Fatal("an input that this test does not know")
		}
		return
	}
	if err := json.Unmarshal(r.Output, &want); err != nil {
		t.Fatal(err)
	}
	e := evaluator{txt: r.txt, exists: func(context.Context, string) bool { return true }}
	res, err := e.evaluate(t.Context(), r.author(), append(ids("dkim", r.Input.DKIMDomains), ids("spf", r.Input.SPFDomains)...))
	if (err != nil) != (want.Status.Result == "temperror") || res.Result != want.Status.Result {
		t.Errorf("result %s, error %v; want %s", res.Result, err, want.Status.Result)
	}
	if want.Policy != "" && res.Policy != want.Policy {
		t.Errorf("policy %s, want %s", res.Policy, want.Policy)
	}
}

func (r recorded) author() string {
	from, ok := r.Input.HeaderFrom.(string)
	if !ok {
		from = r.Input.HeaderFrom.([]any)[0].(string)
	}
	return from[strings.LastIndexByte(from, '@')+1:]
}

// txt answers what was recorded; a name that was not asked then has nothing.
func (r recorded) txt(_ context.Context, name string) ([]string, error) {
	for _, q := range r.Queries {
		if q[0] != name {
			continue
		}
		records, ok := q[2].([]any)
		if !ok {
			if q[2].(map[string]any)["error"] == "ENOTFOUND" {
				return nil, nil
			}
			return nil, errors.New("the DNS did not answer")
		}
		var out []string
		for _, rec := range records {
			text := ""
			for _, piece := range rec.([]any) {
				text += piece.(string)
			}
			out = append(out, text)
		}
		return out, nil
	}
	return nil, nil
}

func ids(method string, list []any) (out []Identity) {
	for _, v := range list {
		d, ok := v.(string)
		if !ok {
			d = v.(map[string]any)["domain"].(string)
		}
		out = append(out, Identity{method, d})
	}
	return out
}
