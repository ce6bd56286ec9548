package rules

import (
	"bytes"
	"fmt"
	"mime/quotedprintable"
	"slices"
	"strings"

	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
)

// Strip is what a strip rule removes.
type Strip struct {
	Extensions map[string]bool // of file names, lower case, without the dot
	Text       *expr.Value     // that stands in place of a part; nil for stock words
	Force      bool            // also where a signature breaks, or readers may see other parts
}

// cut is a part that goes, and the text that takes its place.
type cut struct {
	part  *mime.Part
	whole bool // the part is a message, not a part of a multipart
	text  string
}

// strips does what a strip rule says, and tells whether anything was removed.
func (w *walker) strips(rule *Rule, to int) bool {
	outcome, why := w.strip(rule)
	line := rule.lines.now(outcome, why)
	if outcome == "no" {
		w.trace.miss(w, rule, line, to)
	} else {
		w.trace.rule(w, rule, line, to)
	}
	return outcome == "yes"
}

// strip finds the parts that a rule removes, and tells what came of it: yes with
// their names, no where there are none, unknown where they cannot be removed.
func (w *walker) strip(rule *Rule) (outcome, why string) {
	s := rule.Strip
	var found []cut
	closed := ""
	if w.tx.Part != nil {
		found, closed = s.find(w.tx.Part, true, "")
	}
	switch {
	case len(found) == 0:
		return "no", "no part has a name that ends so"
	case closed != "" && !s.Force:
		return "unknown", "could not remove " + names(found) + ": " + closed
	}
	text := stockCut
	if s.Text != nil {
		text, _ = s.Text.Str(w.r)
	}
	for _, c := range found {
		c.text = text
		w.edits.cut(c)
	}
	return "yes", "removed " + names(found)
}

// stockCut is said where an attachment was.
const stockCut = "An attachment was removed here, because the rules of this site do not let its kind through."

// find walks down to the parts whose names end in an extension; nothing is
// looked for inside of one. closed is why they should not be touched, "" where
// nothing stands against it.
func (s *Strip) find(p *mime.Part, whole bool, around string) (found []cut, closed string) {
	if reason := closes(p); reason != "" {
		around = reason
	}
	if s.matches(p) {
		return []cut{{part: p, whole: whole}}, around
	}
	look := func(q *mime.Part, whole bool) {
		more, reason := s.find(q, whole, around)
		found = append(found, more...)
		if closed == "" {
			closed = reason
		}
	}
	for _, q := range p.Parts {
		look(q, false)
	}
	if p.Message != nil {
		look(p.Message, true)
	}
	return found, closed
}

// closes is why what is in a part is not to be touched.
func closes(p *mime.Part) string {
	switch p.Type {
	case "multipart/signed":
		return "the message is signed (multipart/signed), and the signature would break"
	case "multipart/encrypted":
		return "the message is encrypted (multipart/encrypted), and it could not be read any more"
	}
	for _, d := range p.Defects {
		switch d {
		case mime.DefectAmbiguousBoundary, mime.DefectNoHeaderEnd, mime.DefectLimit:
			return "readers may take it apart in another way (" + string(d) + ")"
		}
	}
	return ""
}

func (s *Strip) matches(p *mime.Part) bool {
	for _, n := range p.Names {
		if s.Extensions[mime.Extension(mime.CleanName(n))] {
			return true
		}
	}
	return false
}

// name is what a part is called, for people.
func name(p *mime.Part) string {
	if len(p.Names) == 0 {
		return p.Type
	}
	return clean(mime.CleanName(p.Names[0]), 200)
}

// names are those of a few parts.
func names(cuts []cut) string {
	var list []string
	for i, c := range cuts {
		if i == 5 {
			list = append(list, fmt.Sprintf("%d more", len(cuts)-i))
			break
		}
		list = append(list, name(c.part))
	}
	return strings.Join(list, ", ")
}

// cut notes a part once: the first rule that removes it says what stands there.
func (e *editor) cut(n cut) {
	kept := e.cuts[:0:0]
	for _, c := range e.cuts {
		if c.part.Off <= n.part.Off && n.part.End <= c.part.End {
			return
		}
		if c.part.Off < n.part.Off || c.part.End > n.part.End { // not inside of what goes now
			kept = append(kept, c)
		}
	}
	e.cuts = append(kept, n)
}

// cutting puts a text part in the place of each that goes. The octets around it
// stay as they are. Of a message whose content is what goes, the header stays,
// but for what it says of that.
func (e *editor) cutting() (list []mail.Edit) {
	for _, c := range e.cuts {
		head, body := instead(c)
		if !c.whole {
			list = append(list, mail.Edit{Off: c.part.Off, End: c.part.End, With: []byte(head + "\r\n" + body)})
			continue
		}
		for _, f := range c.part.Fields {
			if len(f.Name) > 8 && strings.EqualFold(f.Name[:8], "Content-") && (c.part.Off > 0 || !e.removes(f.Name)) {
				list = append(list, mail.Edit{Off: f.Off, End: f.End})
			}
		}
		list = append(list, mail.Edit{Off: blankLine(c.part), End: c.part.End, With: []byte(head + "\r\n" + body)})
	}
	return list
}

// blankLine is where the empty line behind a header begins; where there is none,
// the end of the header.
func blankLine(p *mime.Part) int64 {
	if slices.Contains(p.Defects, mime.DefectNoHeaderEnd) {
		return p.Body
	}
	return p.Body - 2
}

// instead is the header and the body of the part that takes another's place.
func instead(c cut) (head, body string) {
	text := cleanLines(c.text, 2000) + "\r\n\r\nRemoved: " + name(c.part) + fmt.Sprintf(" (%s, %d octets)\r\n", clean(c.part.Type, 100), c.part.End-c.part.Body)
	var b bytes.Buffer
	q := quotedprintable.NewWriter(&b)
	q.Write([]byte(text)) // into memory: it cannot fail
	q.Close()
	head = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
	if c.whole && len(c.part.All("MIME-Version")) == 0 {
		head = "MIME-Version: 1.0\r\n" + head
	}
	return head, b.String()
}

// cleanLines is clean for a text of several lines.
func cleanLines(s string, most int) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = clean(l, most)
		if most -= len(lines[i]); most <= 0 {
			lines = lines[:i+1]
			break
		}
	}
	return strings.Trim(strings.Join(lines, "\r\n"), "\r\n")
}
