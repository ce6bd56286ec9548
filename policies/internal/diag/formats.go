package diag

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
)

// GitHub is all of them as workflow commands, one a line: a run on GitHub shows
// them beside the lines they are about.
func (ds Diagnostics) GitHub() string {
	var b strings.Builder
	for _, d := range ds {
		fmt.Fprintf(&b, "::%s file=%s,line=%d,endLine=%d,col=%d,endColumn=%d,title=%s::%s\n", d.Severity,
			property(d.File), d.Start.Line, d.End.Line, d.Start.Column, d.End.Column,
			property(string(d.Code)+" "+d.Summary), data(strings.TrimSpace(d.Text+"\n"+d.Fix)))
	}
	return b.String()
}

// data escapes the text of a workflow command, property one of its properties.
func data(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func property(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}

// The parts of SARIF 2.1.0 (OASIS) that we fill. What the standard requires is
// never left out.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID    string    `json:"id"`
		Short sarifText `json:"shortDescription"`
		Full  sarifText `json:"fullDescription"`
		Help  sarifText `json:"help"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region *sarifRegion `json:"region,omitempty"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"`
	}
)

const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// SARIF is all of them as a log of SARIF 2.1.0. version is the program's.
func (ds Diagnostics) SARIF(version string) []byte {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "forepost", Version: version, Rules: []sarifRule{}}}, Results: []sarifResult{}}
	index := map[Code]int{}
	for _, d := range ds {
		i, known := index[d.Code]
		if !known {
			i = len(run.Tool.Driver.Rules)
			index[d.Code] = i
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRuleOf(d.Code))
		}
		run.Results = append(run.Results, d.sarif(i))
	}
	b, err := json.MarshalIndent(sarifLog{sarifSchema, "2.1.0", []sarifRun{run}}, "", "  ")
	if err != nil { // strings and numbers alone: cannot happen
		return nil
	}
	return b
}

func sarifRuleOf(c Code) sarifRule {
	p := pages[c]
	return sarifRule{string(c), sarifText{p.Summary}, sarifText{p.Why}, sarifText{p.Why + "\n\nforepost policy why " + string(c)}}
}

// sarif is one result. Its columns count characters, as the diagnostic's do;
// lines and columns begin with 1, and a place without a line is a whole file.
func (d Diagnostic) sarif(rule int) sarifResult {
	r := sarifResult{RuleID: string(d.Code), RuleIndex: rule, Level: string(d.Severity), Message: sarifText{strings.TrimSpace(d.Text + "\n" + d.Fix)}}
	if r.Message.Text == "" {
		r.Message.Text = d.Summary
	}
	if d.File == "" {
		return r
	}
	var at sarifLocation
	at.Physical.Artifact.URI = uri(d.File)
	if d.Start.Line > 0 && d.Start.Column > 0 {
		at.Physical.Region = &sarifRegion{d.Start.Line, d.Start.Column, max(d.End.Line, d.Start.Line), max(d.End.Column, 1)}
	}
	r.Locations = []sarifLocation{at}
	return r
}

// uri is a file's name as a reference of RFC 3986: relative where it is.
func uri(name string) string {
	name = filepath.ToSlash(name)
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("/-._~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	if strings.HasPrefix(name, "/") {
		return "file://" + b.String()
	}
	return b.String()
}
