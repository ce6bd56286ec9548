package trail

import (
	"slices"
	"strings"
)

// Bounds of a record, in octets or in number. An ordinary one has a few hundred
// octets.
const (
	maxEntry     = 64 << 10
	maxText      = 255  // of a name, an address, a subject
	maxReplyText = 1024 // of a reply, a reason, an error
	maxHeaderLen = 1024 // of one field
	maxHeader    = 4096 // of all fields
	maxHeads     = 200
	maxValues    = 1000    // of a list
	maxValueLen  = 8 << 10 // of a text in a fact, or of all of a list
	maxDefects   = 64
	maxFacts     = 2000
	maxRules     = 5000
	maxRcpts     = 2000
)

// bounded is a record whose parts each keep to their bounds. What it must change
// it copies first.
func bounded(r *Record) *Record {
	b := *r
	for _, s := range []*string{&b.Listener, &b.Auth, &b.Subject, &b.Message, &b.Policy, &b.Hash, &b.Points, &b.Type,
		&b.Client.IP, &b.Client.Name, &b.Client.Helo, &b.Client.TLS} {
		*s = cut(*s, maxText)
	}
	if b.From != nil && len(*b.From) > maxText*2 {
		s := cut(*b.From, maxText*2)
		b.From = &s
	}
	b.header()
	b.Facts = firstOf(&b, b.Facts, maxFacts, "facts")
	b.Rules = firstOf(&b, b.Rules, maxRules, "rules")
	b.Rcpts = firstOf(&b, b.Rcpts, maxRcpts, "recipients")
	b.To = firstOf(&b, b.To, maxRcpts, "recipients")
	b.Outcomes = firstOf(&b, b.Outcomes, maxRcpts, "recipients")
	b.Defects = firstOf(&b, b.Defects, maxDefects, "header")
	for i := range b.Facts {
		if !b.Facts[i].small() {
			b.Facts = slices.Clone(b.Facts)
			b.Facts[i] = b.Facts[i].bounded()
		}
	}
	b.texts()
	return &b
}

// texts bounds what rules and outcomes say.
func (r *Record) texts() {
	for i := range r.Rules {
		if x := r.Rules[i]; len(x.Why) > maxReplyText || len(x.To) > 2*maxText || len(x.Path) > maxReplyText {
			r.Rules = slices.Clone(r.Rules)
			x = x.For(cut(x.To, 2*maxText))
			x.Why, x.Path = cut(x.Why, maxReplyText), cut(x.Path, maxReplyText)
			r.Rules[i] = x
		}
	}
	for i := range r.Outcomes {
		if o := &r.Outcomes[i]; len(o.Reply) > maxReplyText {
			r.Outcomes = slices.Clone(r.Outcomes)
			r.Outcomes[i].Reply = cut(o.Reply, maxReplyText)
		}
	}
}

// header bounds the fields of the message.
func (r *Record) header() {
	n := 0
	for _, f := range r.Header {
		n += len(f.Name) + len(f.Value)
	}
	if n <= maxHeaderLen {
		return
	}
	fs, left := slices.Clone(firstOf(r, r.Header, maxHeads, "header")), maxHeader
	for i := range fs {
		f := &fs[i]
		f.Name = cut(f.Name, maxText)
		if most := min(maxHeaderLen, max(left, 0)); len(f.Value) > most {
			f.Value, f.Cut = cut(f.Value, most), true
		}
		left -= len(f.Value) + len(f.Name)
	}
	r.Header = fs
}

func (f *Fact) small() bool {
	n := len(f.Values)
	if len(f.Reason) > maxReplyText || len(f.Error) > maxReplyText || len(f.Auth) > maxValues || len(f.Left) > maxValues || n > maxValues {
		return false
	}
	for _, v := range f.Values {
		if !smallValue(v) {
			return false
		}
	}
	return !slices.ContainsFunc(f.Auth, func(s string) bool { return len(s) > maxReplyText })
}

func smallValue(v any) bool {
	switch v := v.(type) {
	case string:
		return len(v) <= maxValueLen
	case []string:
		n := 0
		for _, s := range v {
			n += len(s)
		}
		return len(v) <= maxValues && n <= maxValueLen
	}
	return true
}

// bounded is the fact with what fits.
func (f Fact) bounded() Fact {
	f.Reason, f.Error = cut(f.Reason, maxReplyText), cut(f.Error, maxReplyText)
	f.Auth = slices.Clone(f.Auth[:min(len(f.Auth), maxValues)])
	for i := range f.Auth {
		f.Auth[i] = cut(f.Auth[i], maxReplyText)
	}
	values := make(map[string]any, min(len(f.Values), maxValues))
	f.Left = slices.Clone(f.Left[:min(len(f.Left), maxValues)])
	for k, v := range f.Values {
		if len(values) < maxValues && smallValue(v) {
			values[k] = v
		} else if len(f.Left) < maxValues {
			f.Left = append(f.Left, cut(k, maxText))
		}
	}
	f.Values = values
	return f
}

// sheds are what is left out of a record that is still too large, in order.
var sheds = []string{"why", "header", "rules", "facts", "recipients"}

func shed(r *Record, step int) {
	r.cut(sheds[step])
	switch sheds[step] {
	case "why":
		r.Rules = slices.Clone(r.Rules)
		for i, x := range r.Rules {
			if x.Why != "" {
				r.Rules[i] = x.For(x.To)
				r.Rules[i].Why = ""
			}
		}
	case "header":
		r.Header, r.Read = nil, false
	case "rules":
		r.Rules = r.Rules[:min(len(r.Rules), 200)]
	case "facts":
		r.Facts = nil
	case "recipients":
		r.To, r.Outcomes, r.Rcpts, r.Rules = r.To[:min(len(r.To), 100)], r.Outcomes[:min(len(r.Outcomes), 10)], nil, nil
		r.Outcomes = slices.Clone(r.Outcomes)
		for i := range r.Outcomes {
			r.Outcomes[i].To = r.Outcomes[i].To[:min(len(r.Outcomes[i].To), 10)]
		}
		for _, list := range []*[]string{&r.Own, &r.Added, &r.Asked} {
			*list = nil
		}
	}
}

func (r *Record) cut(what string) {
	if !slices.Contains(r.Cut, what) {
		r.Cut = append(slices.Clip(r.Cut), what)
	}
}

// firstOf is what a record can have of a list.
func firstOf[T any](r *Record, s []T, most int, what string) []T {
	if len(s) <= most {
		return s
	}
	r.cut(what)
	return s[:most]
}

// cut shortens a text, between characters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}
