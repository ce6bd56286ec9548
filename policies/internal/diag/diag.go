// Package diag is how mistakes in the configuration are told: where, what, and
// what to do. Every mistake has a stable code (codes.go).
package diag

import (
	"encoding/json"
	"fmt"
	"strings"
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
	fmt.Fprintf(&b, "%s: %s (%s)\n", word, d.Summary, d.Code)
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
