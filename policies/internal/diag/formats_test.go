package diag

import (
	"encoding/json"
	"strings"
	"testing"
)

var some = Diagnostics{
	{Severity: Error, Code: NotYetKnown, Summary: "\"msg\" is not known yet", Text: "100% wrong: a, b.\nSecond line.", Fix: "Move it.", File: "policy.d/a b.hcl", Start: Pos{15, 14, 200}, End: Pos{15, 28, 214}},
	{Severity: Warning, Code: Unused, Summary: "Declared and not used", Text: "Nothing refers to it.", File: "/etc/forepost/forepost.hcl", Start: Pos{3, 1, 20}, End: Pos{3, 9, 28}},
	{Severity: Error, Code: NotYetKnown, Summary: "x", Text: "y"},
	{Severity: Error, Code: CannotRead, Summary: "Cannot read a file"},
}

func TestGitHub(t *testing.T) {
	want := "::error file=policy.d/a b.hcl,line=15,endLine=15,col=14,endColumn=28,title=FP0107 \"msg\" is not known yet::100%25 wrong: a, b.%0ASecond line.%0AMove it.\n" +
		"::warning file=/etc/forepost/forepost.hcl,line=3,endLine=3,col=1,endColumn=9,title=FP0302 Declared and not used::Nothing refers to it.\n"
	if got := some[:2].GitHub(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestSARIF: what SARIF 2.1.0 requires of each object is there and of its type
// (sections 3.13, 3.14, 3.18, 3.19, 3.27, 3.11, 3.29, 3.30).
func TestSARIF(t *testing.T) {
	for _, ds := range []Diagnostics{some, nil} {
		var log map[string]any
		if err := json.Unmarshal(ds.SARIF("1.0"), &log); err != nil {
			t.Fatal(err)
		}
		if log["version"] != "2.1.0" || !strings.HasSuffix(log["$schema"].(string), "sarif-schema-2.1.0.json") {
			t.Errorf("a log has a version and a schema: %v", log)
		}
		runs := log["runs"].([]any)
		if len(runs) != 1 {
			t.Fatalf("%d runs", len(runs))
		}
		run := runs[0].(map[string]any)
		driver := run["tool"].(map[string]any)["driver"].(map[string]any)
		if driver["name"] != "forepost" {
			t.Errorf("the tool has a name: %v", driver)
		}
		rules := driver["rules"].([]any)
		for _, r := range rules {
			r := r.(map[string]any)
			if r["id"] == "" || r["shortDescription"].(map[string]any)["text"] == "" || r["help"].(map[string]any)["text"] == "" {
				t.Errorf("a rule has an id and texts: %v", r)
			}
		}
		results := run["results"].([]any)
		if len(results) != len(ds) {
			t.Errorf("%d results for %d", len(results), len(ds))
		}
		for _, r := range results {
			checkResult(t, r.(map[string]any), rules)
		}
	}
}

func checkResult(t *testing.T, r map[string]any, rules []any) {
	t.Helper()
	if text, _ := r["message"].(map[string]any)["text"].(string); text == "" {
		t.Errorf("a result has a message: %v", r)
	}
	if l := r["level"]; l != "error" && l != "warning" {
		t.Errorf("level %v is none of SARIF's", l)
	}
	i := int(r["ruleIndex"].(float64))
	if i >= len(rules) || rules[i].(map[string]any)["id"] != r["ruleId"] {
		t.Errorf("ruleIndex and ruleId differ: %v", r)
	}
	places, _ := r["locations"].([]any)
	for _, p := range places {
		at := p.(map[string]any)["physicalLocation"].(map[string]any)
		uri := at["artifactLocation"].(map[string]any)["uri"].(string)
		if uri != "policy.d/a%20b.hcl" && uri != "file:///etc/forepost/forepost.hcl" {
			t.Errorf("uri %q", uri)
		}
		region := at["region"].(map[string]any)
		for _, k := range []string{"startLine", "startColumn", "endLine", "endColumn"} {
			if n, _ := region[k].(float64); n < 1 {
				t.Errorf("%s is at least 1: %v", k, region)
			}
		}
	}
}
