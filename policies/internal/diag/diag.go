// Package diag is how mistakes in the configuration are told: where, what, and
// what to do. Every mistake has a stable code (codes.go).
package diag

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Severity tells whether a configuration with the mistake can be served.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Pos is a place in a file: lines and columns count from 1, bytes from 0.
type Pos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// Diagnostic is one mistake.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	Code     Code     `json:"code"`
	Summary  string   `json:"summary"`
	Text     string   `json:"text"`          // what is wrong
	Fix      string   `json:"fix,omitempty"` // what to do
	File     string   `json:"file,omitempty"`
	Start    Pos      `json:"start"`
	End      Pos      `json:"end"`
	In       string   `json:"in,omitempty"`     // the block around it: policy "inbound"
	Source   string   `json:"source,omitempty"` // the line as written
}

// String is the diagnostic as people read it.
func (d Diagnostic) String() string {
	var b strings.Builder
	word := "Error"
	if d.Severity == Warning {
		word = "Warning"
	}
	fmt.Fprintf(&b, "%s: %s\n", word, d.Summary)
	if d.File != "" {
		fmt.Fprintf(&b, "\n  on %s line %d", d.File, d.Start.Line)
		if d.In != "" {
			fmt.Fprintf(&b, ", in %s", d.In)
		}
		b.WriteString(":\n")
		fmt.Fprintf(&b, "  %d: %s\n", d.Start.Line, d.Source)
	}
	if d.Text != "" {
		fmt.Fprintf(&b, "\n%s\n", d.Text)
	}
	if d.Fix != "" {
		if d.Text == "" {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s\n", d.Fix)
	}
	return b.String()
}

// Diagnostics is all that is to be said of a configuration.
type Diagnostics []Diagnostic

// HasErrors tells whether the configuration cannot be used.
func (ds Diagnostics) HasErrors() bool {
	for _, d := range ds {
		if d.Severity == Error {
			return true
		}
	}
	return false
}

// String is all of them as people read them.
func (ds Diagnostics) String() string {
	var parts []string
	for _, d := range ds {
		parts = append(parts, d.String())
	}
	return strings.Join(parts, "\n")
}

// Error makes them an error; it gives every one.
func (ds Diagnostics) Error() string { return ds.String() }

// JSON is all of them as an array of objects.
func (ds Diagnostics) JSON() []byte {
	if ds == nil {
		ds = Diagnostics{}
	}
	b, err := json.MarshalIndent(ds, "", "  ")
	if err != nil { // strings and numbers alone: cannot happen
		return []byte("[]")
	}
	return b
}

// Bag collects diagnostics and knows the sources they are about.
type Bag struct {
	files map[string]*source
	list  Diagnostics
	seen  map[string]bool
}

type source struct {
	text []byte
	body *hclsyntax.Body
}

// AddFile makes a source known, so that its lines can be shown. body may be nil.
func (b *Bag) AddFile(name string, text []byte, body *hclsyntax.Body) {
	if b.files == nil {
		b.files = map[string]*source{}
	}
	b.files[name] = &source{text, body}
}

// Error notes an error at rng.
func (b *Bag) Error(c Code, rng hcl.Range, text, fix string) { b.add(Error, c, rng, text, fix) }

// Warn notes a warning at rng.
func (b *Bag) Warn(c Code, rng hcl.Range, text, fix string) { b.add(Warning, c, rng, text, fix) }

// ErrorAs is Error with a headline of its own.
func (b *Bag) ErrorAs(c Code, rng hcl.Range, summary, text, fix string) {
	n := len(b.list)
	b.add(Error, c, rng, text, fix)
	if len(b.list) > n {
		b.list[n].Summary = summary
	}
}

// Syntax notes what the parser said.
func (b *Bag) Syntax(ds hcl.Diagnostics) {
	for _, d := range ds {
		var rng hcl.Range
		if d.Subject != nil {
			rng = *d.Subject
		}
		b.add(Error, BadSyntax, rng, d.Summary+". "+d.Detail, "")
	}
}

// Keep adds diagnostics of another bag.
func (b *Bag) Keep(ds Diagnostics) { b.list = append(b.list, ds...) }

// Errors counts the errors so far.
func (b *Bag) Errors() (n int) {
	for _, d := range b.list {
		if d.Severity == Error {
			n++
		}
	}
	return n
}

// All returns the diagnostics in the order of files and lines.
func (b *Bag) All() Diagnostics {
	sort.SliceStable(b.list, func(i, j int) bool {
		x, y := b.list[i], b.list[j]
		if x.File != y.File {
			return x.File < y.File
		}
		return x.Start.Byte < y.Start.Byte
	})
	return b.list
}

// add keeps one diagnostic of a code for a place: an expression that is
// compiled twice (a rules block that two policies use) is wrong once.
func (b *Bag) add(s Severity, c Code, rng hcl.Range, text, fix string) {
	key := fmt.Sprint(c, rng.Filename, rng.Start.Byte, text)
	if b.seen[key] {
		return
	}
	if b.seen == nil {
		b.seen = map[string]bool{}
	}
	b.seen[key] = true
	d := Diagnostic{Severity: s, Code: c, Summary: c.Summary(), Text: text, Fix: fix, File: rng.Filename,
		Start: Pos{rng.Start.Line, rng.Start.Column, rng.Start.Byte}, End: Pos{rng.End.Line, rng.End.Column, rng.End.Byte}}
	if f := b.files[rng.Filename]; f != nil {
		d.Source = line(f.text, rng.Start.Line)
		d.In = around(f.body, rng)
	}
	b.list = append(b.list, d)
}

func line(text []byte, n int) string {
	lines := strings.SplitN(string(text), "\n", n+1)
	if n < 1 || n > len(lines) {
		return ""
	}
	return strings.TrimRight(lines[n-1], "\r")
}

func around(body *hclsyntax.Body, rng hcl.Range) string {
	if body == nil {
		return ""
	}
	for _, bl := range body.Blocks {
		if rng.Start.Byte < bl.TypeRange.Start.Byte || rng.Start.Byte > bl.CloseBraceRange.End.Byte {
			continue
		}
		s := bl.Type
		for _, l := range bl.Labels {
			s += fmt.Sprintf(" %q", l)
		}
		return s
	}
	return ""
}
