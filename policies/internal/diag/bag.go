package diag

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Bag collects diagnostics and knows the sources they are about.
type Bag struct {
	files map[string]*source
	list  Diagnostics
	seen  map[string]bool
}

type source struct {
	text []byte
	body *hclsyntax.Body
	in   string // what the whole file is part of
}

// AddFile makes a source known, so that its lines can be shown. body may be nil.
func (b *Bag) AddFile(name string, text []byte, body *hclsyntax.Body) {
	if b.files == nil {
		b.files = map[string]*source{}
	}
	b.files[name] = &source{text, body, ""}
}

// AddText makes a file known that is no HCL. in tells what it is part of.
func (b *Bag) AddText(name string, text []byte, in string) {
	b.AddFile(name, text, nil)
	b.files[name].in = in
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
	b.list = append(b.list, b.Make(s, c, rng, text, fix))
}

// Make is a diagnostic with its source, which is not kept.
func (b *Bag) Make(s Severity, c Code, rng hcl.Range, text, fix string) Diagnostic {
	d := Diagnostic{Severity: s, Code: c, Summary: c.Summary(), Text: text, Fix: fix, File: rng.Filename,
		Start: Pos{rng.Start.Line, rng.Start.Column, rng.Start.Byte}, End: Pos{rng.End.Line, rng.End.Column, rng.End.Byte}}
	if f := b.files[rng.Filename]; f != nil {
		d.Source = line(f.text, rng.Start.Line)
		if d.In = f.in; f.body != nil {
			d.In = around(f.body, rng)
		}
	}
	return d
}

func line(text []byte, n int) string {
	lines := strings.SplitN(string(text), "\n", n+1)
	if n < 1 || n > len(lines) {
		return ""
	}
	return harmless(strings.TrimRight(lines[n-1], "\r"))
}

// maxSource is how much of a line is shown, in characters.
const maxSource = 300

// harmless is a line as a terminal may show it: files of lists come from anywhere.
func harmless(s string) string {
	s = strings.Map(func(r rune) rune {
		if r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if n := utf8.RuneCountInString(s); n > maxSource {
		return string([]rune(s)[:maxSource]) + "..."
	}
	return s
}

func around(body *hclsyntax.Body, rng hcl.Range) string {
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

// Line is where the nth line of a file stands, without the white space around it.
// Of a file that is not known it is the number alone.
func (b *Bag) Line(file string, n int) hcl.Range {
	at := hcl.Pos{Line: n, Column: 1}
	rng := hcl.Range{Filename: file, Start: at, End: at}
	f := b.files[file]
	if f == nil {
		return rng
	}
	offset := 0
	for i := 1; i < n; i++ {
		end := bytes.IndexByte(f.text[offset:], '\n')
		if end < 0 {
			return rng
		}
		offset += end + 1
	}
	text, _, _ := bytes.Cut(f.text[offset:], []byte("\n"))
	bare := bytes.TrimSpace(text)
	indent := bytes.Index(text, bare)
	rng.Start = hcl.Pos{Line: n, Column: indent + 1, Byte: offset + indent}
	rng.End = hcl.Pos{Line: n, Column: indent + 1 + utf8.RuneCount(bare), Byte: offset + indent + len(bare)}
	return rng
}
