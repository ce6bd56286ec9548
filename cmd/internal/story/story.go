// Package story tells people what happened to a message: it renders what the
// trail keeps as text for a terminal.
package story

import (
	"fmt"
	"io"
	"sort"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/forepost/forepost/relay/trail"
)

// Write tells one story. Times are in the zone of loc.
func Write(w io.Writer, s trail.Story, loc *time.Location) error {
	p := &printer{w: w, loc: loc}
	if r := s.Record; r != nil {
		p.head(r)
		p.rules(r.Rules)
		p.facts(r.Facts)
		p.end(r)
	} else if len(s.Events) > 0 {
		p.line("%s  (its decision is no longer kept)", s.Events[0].ID)
	}
	p.events(s.Events)
	if len(s.Now) > 0 {
		p.line("")
	}
	for _, now := range s.Now {
		p.line("  %s", Clean(now))
	}
	return p.err
}

type printer struct {
	w   io.Writer
	loc *time.Location
	err error

	bare bool // without the empty line before a table
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *printer) time(t time.Time) string { return t.In(p.loc).Format("2006-01-02 15:04:05") }

func (p *printer) head(r *trail.Record) {
	p.line("%s  %s  %s  %s", r.ID, p.time(r.Time), r.Listener, client(r.Client))
	if r.Auth != "" {
		p.line("logged in as %s", Clean(r.Auth))
	}
	if r.From != nil {
		from := *r.From
		if from == "" {
			from = "<>"
		}
		what := "from " + Clean(from)
		if len(r.To) > 0 {
			what += "  to " + Clean(strings.Join(r.To, ", "))
		}
		if r.Subject != "" {
			what += fmt.Sprintf("  subject %q", Clean(r.Subject))
		}
		if r.Size > 0 {
			what += "  " + Size(r.Size)
		}
		p.line("%s", what)
	}
	if r.Policy != "" {
		line := "policy " + r.Policy
		if r.Hash != "" {
			line += ", sha256 " + short(r.Hash)
		}
		if !r.Loaded.IsZero() {
			line += ", loaded " + p.time(r.Loaded)
		}
		p.line("%s", line)
	}
}

func client(c trail.Client) string {
	s := c.IP
	if c.Name != "" {
		s += " (" + Clean(c.Name) + ")"
	} else if c.IP != "" {
		s += " (no name)"
	}
	if c.Helo != "" {
		s += "  helo " + Clean(c.Helo)
	}
	if c.TLS != "" {
		s += "  " + c.TLS
	}
	return s
}

// rules are a table: stage, verb, name, outcome, why.
func (p *printer) rules(rules []*trail.Rule) {
	if len(rules) == 0 || p.err != nil {
		return
	}
	if !p.bare {
		p.line("")
	}
	t := tabwriter.NewWriter(p.w, 0, 8, 2, ' ', 0)
	last := ""
	for _, r := range rules {
		stage := r.Stage
		if stage == last {
			stage = ""
		}
		last = r.Stage
		verb, name := splitPath(r.Path)
		why := Clean(r.Why)
		if r.To != "" {
			why = strings.TrimSpace(why + " [" + Clean(r.To) + "]")
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\n", stage, verb, name, mark(r.Outcome), why)
	}
	p.err = t.Flush()
}

// splitPath takes policy and phase off a rule's path, which stand before it.
func splitPath(path string) (verb, name string) {
	parts := strings.SplitN(path, ".", 4)
	switch len(parts) {
	case 4:
		return parts[2], parts[3]
	case 3:
		return parts[1], parts[2]
	}
	return path, ""
}

func mark(outcome string) string {
	if outcome == "would" {
		return "WOULD"
	}
	return outcome
}

func (p *printer) facts(facts []trail.Fact) {
	if len(facts) == 0 || p.err != nil {
		return
	}
	p.line("")
	t := tabwriter.NewWriter(p.w, 0, 8, 2, ' ', 0)
	for i, f := range facts {
		head := ""
		if i == 0 {
			head = "found"
		}
		said := values(f.Values)
		if f.Reason != "" {
			said = strings.TrimSpace(said + "  " + Clean(f.Reason))
		}
		if f.Error != "" {
			said = strings.TrimSpace(said + "  could not tell: " + Clean(f.Error))
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", head, f.Filter, took(f.Took), said)
	}
	p.err = t.Flush()
}

func values(m map[string]any) string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var parts []string
	for _, k := range keys {
		if s := Clean(plain(m[k])); s != "" && s != "[]" {
			parts = append(parts, k+"="+s)
		}
	}
	return strings.Join(parts, " ")
}

// plain is a value as people read it: times without the clock's inner state,
// waits in whole seconds.
func plain(v any) string {
	switch v := v.(type) {
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case time.Duration:
		return v.Round(time.Second).String()
	}
	return fmt.Sprint(v)
}

func took(us int64) string {
	d := time.Duration(us) * time.Microsecond
	switch {
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(time.Millisecond).String()
	}
	return d.String()
}

func (p *printer) end(r *trail.Record) {
	p.line("")
	if r.Points != "" {
		p.line("  score %s", r.Points)
	}
	for _, o := range r.Outcomes {
		line := "  " + strings.ToUpper(o.Action)
		if len(o.To) > 0 {
			line += "  " + Clean(strings.Join(o.To, ", "))
		}
		if o.Rule != "" {
			line += "  by " + o.Rule
		}
		if o.Where != "" {
			line += "  into " + Clean(o.Where)
		}
		if len(o.Tags) > 0 {
			line += "  tagged " + Clean(strings.Join(o.Tags, ", "))
		}
		p.line("%s", line)
		if o.Reply != "" {
			p.line("      said: %s", Clean(o.Reply))
		}
	}
}

func (p *printer) events(events []trail.Event) {
	if len(events) == 0 {
		return
	}
	p.line("")
	for _, e := range events {
		line := fmt.Sprintf("  %s  %s", p.time(e.Time), e.What)
		for _, part := range []struct{ word, text string }{
			{"", e.To}, {"at ", e.Host}, {"", e.TLS}, {"said: ", e.Reply}, {"", e.Note},
		} {
			if part.text != "" {
				line += "  " + part.word + Clean(part.text)
			}
		}
		if !e.Next.IsZero() {
			line += "  next try " + p.time(e.Next)
		}
		p.line("%s", line)
	}
}

// Size is octets for people.
func Size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

func short(hash string) string {
	if len(hash) > 12 {
		return hash[:12]
	}
	return hash
}

// Clean makes text from outside harmless on a terminal: no controls, no escape
// sequences, no marks that turn the direction of writing.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r':
			return ' '
		case r < ' ', r == 0x7f, r >= 0x80 && r < 0xa0,
			r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f:
			return '?'
		}
		return r
	}, s)
}
