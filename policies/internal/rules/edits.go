package rules

import (
	"cmp"
	stdmime "mime"
	"slices"
	"strings"

	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

// editor collects what the modify and strip rules of a recipient want and makes edits of
// it at the end, so that no two of them touch the same octets.
type editor struct {
	prefixes []string
	remove   []string
	add      []mail.Field
	cuts     []cut // of strip rules
}

// reset makes an editor ready for another recipient; it keeps memory that holds
// nothing of a message any more.
func (e *editor) reset() {
	clear(e.prefixes)
	*e = editor{prefixes: e.prefixes[:0]}
}

func (e *editor) modify(r *expr.Run, m *Modify) {
	if m.Prefix != nil {
		p, _ := m.Prefix.Str(r)
		e.prefixes = append(e.prefixes, clean(p, 200))
	}
	e.remove = append(e.remove, m.Remove...)
	for _, h := range m.Add {
		v, _ := h.Value.Str(r)
		e.add = append(e.add, mail.Field{Name: h.Name, Value: encode(clean(v, 900))})
	}
}

// finish puts edits and fields into a ledger.
func (e *editor) finish(p *mime.Part, l *pipeline.Ledger) {
	if len(e.prefixes) == 0 && len(e.remove) == 0 && len(e.add) == 0 && len(e.cuts) == 0 {
		return
	}
	l.Edits = append(l.Edits, e.cutting()...)
	l.Fields = append(l.Fields, e.add...)
	var own []mime.Field
	if p != nil {
		own = p.Fields
	}
	subject := -1
	for i, f := range own {
		if e.removes(f.Name) {
			l.Edits = append(l.Edits, mail.Edit{Off: f.Off, End: f.End})
		} else if subject < 0 && strings.EqualFold(f.Name, "Subject") {
			subject = i
		}
	}
	if len(e.prefixes) > 0 {
		e.subject(own, subject, l)
	}
	slices.SortStableFunc(l.Edits, func(a, b mail.Edit) int { return cmp.Compare(a.Off, b.Off) })
}

func (e *editor) removes(name string) bool {
	for _, r := range e.remove {
		if strings.EqualFold(r, name) {
			return true
		}
	}
	return false
}

// subject puts the prefixes in front of the subject, each where it is not there
// yet: an answer to a marked message is marked once.
func (e *editor) subject(own []mime.Field, at int, l *pipeline.Ledger) {
	raw, text := "", ""
	if at >= 0 {
		raw = strings.TrimLeft(own[at].Raw, " \t")
		text = expr.DecodeText(own[at].Raw)
	}
	front := e.front(text)
	if front == "" {
		return
	}
	front = encode(front)
	if at < 0 {
		l.Fields = append(l.Fields, mail.Field{Name: "Subject", Value: strings.TrimSpace(front + " " + raw)})
		return
	}
	f := own[at]
	with := make([]byte, 0, len(f.Name)+len(front)+len(raw)+5)
	with = append(append(append(with, f.Name...), ": "...), front...)
	with = append(append(append(with, ' '), raw...), "\r\n"...)
	l.Edits = append(l.Edits, mail.Edit{Off: f.Off, End: f.End, With: with})
}

// front is the prefixes that a subject has not yet.
func (e *editor) front(subject string) (front string) {
	for _, p := range e.prefixes {
		if p = strings.TrimSpace(p); p == "" || strings.Contains(subject, p) {
			continue
		}
		if front != "" {
			p = front + " " + p
		}
		front = p
	}
	return front
}

// encode makes a text fit for a header field, RFC 2047 where it is not ASCII.
func encode(s string) string { return stdmime.QEncoding.Encode("utf-8", s) }
