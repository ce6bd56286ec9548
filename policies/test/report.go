package test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/forepost/forepost/policies"
)

// Result is what came of one case.
type Result struct {
	Name     string   `json:"name"`
	File     string   `json:"file"`
	Line     int      `json:"line"`
	Policy   string   `json:"policy"`
	Failures []string `json:"failures,omitempty"` // what differed
	Why      []string `json:"why,omitempty"`      // which rules did that, or did not

	matched map[string]bool
}

// Passed tells whether all that was expected came.
func (r *Result) Passed() bool { return len(r.Failures) == 0 }

// RuleAt is a rule and where it stands.
type RuleAt struct {
	Rule string `json:"rule"`
	At   string `json:"at"`
}

// Report is what came of all cases.
type Report struct {
	Cases  []*Result `json:"cases"`
	Passed int       `json:"passed"`
	Failed int       `json:"failed"`
	// Rules counts the rules of the configuration's own policies, Matched those
	// that at least one case made act; Never are the others, in order.
	Rules   int      `json:"rules"`
	Matched int      `json:"matched"`
	Never   []RuleAt `json:"never,omitempty"`

	rules   []RuleAt
	matched map[string]bool
}

func (rep *Report) add(r *Result) {
	rep.Cases = append(rep.Cases, r)
	if r.Passed() {
		rep.Passed++
	} else {
		rep.Failed++
	}
	for p := range r.matched {
		rep.matched[p] = true
	}
}

// addRules makes the rules known that could match: those that are written here,
// and are not switched off.
func (rep *Report) addRules(cfg *policies.Config, plans *policies.Policies) {
	if rep.rules != nil {
		return
	}
	names := cfg.Names("policy")
	sort.Strings(names)
	for _, name := range names {
		for _, rule := range plans.Rules(name) {
			if name != "recommended" && rule.On() {
				rep.rules = append(rep.rules, RuleAt{rule.Path, rule.At})
			}
		}
	}
}

// cover counts what the cases reached.
func (rep *Report) cover() {
	rep.Rules = len(rep.rules)
	for _, r := range rep.rules {
		if rep.matched[r.Rule] {
			rep.Matched++
		} else {
			rep.Never = append(rep.Never, r)
		}
	}
}

// maxNever is how many rules without a match the text names unless all are asked.
const maxNever = 3

// Text writes the report for people; cover names every rule that no case made
// act, with its place.
func (rep *Report) Text(w io.Writer, cover bool) error {
	var b strings.Builder
	for _, c := range rep.Cases {
		if c.Passed() {
			fmt.Fprintf(&b, "ok    %s\n", c.Name)
			continue
		}
		fmt.Fprintf(&b, "FAIL  %-58s %s:%d\n", c.Name, c.File, c.Line)
		for _, line := range append(append([]string(nil), c.Failures...), c.Why...) {
			fmt.Fprintf(&b, "      %s\n", line)
		}
	}
	fmt.Fprintf(&b, "%d passed, %d failed; %d of %d rules matched at least once\n", rep.Passed, rep.Failed, rep.Matched, rep.Rules)
	rep.never(&b, cover)
	_, err := io.WriteString(w, b.String())
	return err
}

func (rep *Report) never(b *strings.Builder, cover bool) {
	if len(rep.Never) == 0 {
		return
	}
	if cover {
		b.WriteString("never matched:\n")
		for _, r := range rep.Never {
			fmt.Fprintf(b, "  %-58s %s\n", r.Rule, r.At)
		}
		return
	}
	var names []string
	for _, r := range rep.Never[:min(len(rep.Never), maxNever)] {
		names = append(names, r.Rule)
	}
	if len(rep.Never) > maxNever {
		names = append(names, "...")
	}
	fmt.Fprintf(b, "never matched: %s\n", strings.Join(names, ", "))
}

// JSON writes the report for programs.
func (rep *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(rep)
}

// JUnit writes the report as CI systems read it.
func (rep *Report) JUnit(w io.Writer) error {
	type failure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
	type testcase struct {
		Class   string   `xml:"classname,attr"`
		Name    string   `xml:"name,attr"`
		File    string   `xml:"file,attr"`
		Line    int      `xml:"line,attr"`
		Failure *failure `xml:"failure,omitempty"`
	}
	suite := struct {
		XMLName  xml.Name   `xml:"testsuite"`
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Cases    []testcase `xml:"testcase"`
	}{Name: "forepost policy test", Tests: len(rep.Cases), Failures: rep.Failed}
	for _, c := range rep.Cases {
		t := testcase{Class: c.Policy, Name: c.Name, File: c.File, Line: c.Line}
		if !c.Passed() {
			t.Failure = &failure{c.Failures[0], strings.Join(append(append([]string(nil), c.Failures...), c.Why...), "\n")}
		}
		suite.Cases = append(suite.Cases, t)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(suite); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
