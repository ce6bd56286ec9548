// Command manpages writes the manual pages of the policy language into
// packaging/files, from the tables in the code: go run ./packaging/manpages
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/forepost/forepost/filters/builtin"
	"github.com/forepost/forepost/policies"
)

func main() {
	dir := "packaging/files"
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	for name, text := range pages() {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "manpages:", err)
			os.Exit(1)
		}
	}
}

// page says which topics a manual page has.
type page struct {
	name, section, title, intro string
	topics                      []string
}

var all = []page{
	{"forepost.hcl", "5", "the configuration of Forepost",
		"/etc/forepost/forepost.hcl says what listens, which domains are ours, where mail goes and by which policies it is judged. It is written in HCL: blocks with attributes. Closed sets of words are written bare (tls = require), texts in quotes, references as kind.name (route.inside). forepost check tells every mistake.",
		[]string{"blocks", "filters"}},
	{"forepost-policy", "7", "the policy language of Forepost",
		"A policy has phases, a phase has rules, a rule begins with its verb: reject \"name\" { when = ...  text = \"5.7.1 ...\" }. Rules run from top to bottom; the first that ends the phase decides, points add up. What a filter could not find out makes a condition unknown, and the rule does not match. forepost policy test tries rules out, forepost explain tells what they did.",
		[]string{"phases", "verbs", "facts", "diagnostics"}},
	{"forepost-functions", "7", "the functions of the policy language of Forepost",
		"Functions stand in conditions and texts. All are pure and quick: what asks the network is a filter. An argument of type text takes anything that can be written as a text.",
		[]string{"functions"}},
}

// pages are the pages by the names of their files.
func pages() map[string]string {
	topics := map[string]policies.Topic{}
	for _, t := range policies.Topics(builtin.Kinds()) {
		topics[t.Name] = t
	}
	out := map[string]string{}
	for _, p := range all {
		var b strings.Builder
		fmt.Fprintf(&b, ".TH %s %s \"2026\" \"Forepost\" \"Forepost\"\n.SH NAME\n%s \\- %s\n.SH DESCRIPTION\n%s\n", strings.ToUpper(p.name), p.section, escape(p.name), escape(p.title), escape(p.intro))
		for _, t := range p.topics {
			section(&b, topics[t])
		}
		b.WriteString(".SH SEE ALSO\n.BR forepost (8),\n.BR forepost.hcl (5),\n.BR forepost\\-policy (7),\n.BR forepost\\-functions (7)\n")
		out[p.name+"."+p.section] = b.String()
	}
	return out
}

func section(b *strings.Builder, t policies.Topic) {
	fmt.Fprintf(b, ".SH %s\n%s.\n", strings.ToUpper(t.Name), escape(upper(t.Doc)))
	for _, e := range t.Entries {
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", escape(e.Name), escape(upper(e.Doc)))
		for _, m := range e.More {
			fmt.Fprintf(b, ".br\n%s\n", escape(m))
		}
	}
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// escape makes a text safe for roff: backslashes, hyphens that are minus signs,
// and lines that would begin with a request.
func escape(s string) string {
	s = strings.NewReplacer("\\", "\\e", "-", "\\-", "\n", " ").Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = "\\&" + s
	}
	return s
}
