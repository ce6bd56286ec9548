package diag

import (
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Syntax notes what the parser said, once for each line: what it says next of the
// same line comes of the first. To what people write who think of another
// language it adds what they should write.
func (b *Bag) Syntax(ds hcl.Diagnostics) {
	type place struct {
		file string
		line int
	}
	said := map[place]bool{}
	for _, d := range ds {
		var rng hcl.Range
		if d.Subject != nil {
			rng = *d.Subject
		}
		at := place{rng.Filename, rng.Start.Line}
		if said[at] && d.Subject != nil {
			continue
		}
		said[at] = true
		b.add(Error, BadSyntax, rng, d.Summary+". "+d.Detail, b.instead(d.Summary, rng))
	}
}

// instead is what should be written in place of what the parser stopped at.
func (b *Bag) instead(summary string, at hcl.Range) string {
	f := b.files[at.Filename]
	if f == nil {
		return ""
	}
	text := line(f.text, at.Start.Line)
	for _, h := range hints {
		if m := h.written.FindStringSubmatch(text); m != nil && (h.summary == "" || strings.HasPrefix(summary, h.summary)) {
			fix := h.fix
			for i, g := range m {
				fix = strings.ReplaceAll(fix, "$"+string(rune('0'+i)), g)
			}
			return fix
		}
	}
	return ""
}

// hints are the mistakes that people make who know other languages: the line as
// written, what the parser says of it, and what to write.
var hints = []struct {
	written *regexp.Regexp
	summary string
	fix     string
}{
	{regexp.MustCompile(`=\s*not\s`), "Missing newline", "Write ! for not: !auth.ok."},
	{regexp.MustCompile(`\sand\s`), "Missing newline", "Write && for and."},
	{regexp.MustCompile(`\sor\s`), "Missing newline", "Write || for or."},
	{regexp.MustCompile(`(\S+) in (\S+)`), "Missing newline", "Write listed($1, $2), or overlaps() where the first is a list as well."},
	{regexp.MustCompile(`[=!]~|\s~\s`), "", "Write matches(text, \"pattern\"), or !matches()."},
	{regexp.MustCompile(`<>`), "", "Write != for unlike."},
	{regexp.MustCompile(`===`), "", "Write == for equal."},
	{regexp.MustCompile(`\d[KMGkmg]i?[Bb]\b`), "Missing newline", "Write size(\"20MB\") for octets."},
	{regexp.MustCompile(`\d(s|m|h|d|min)\b`), "Missing newline", "Write duration(\"5m\") for a time."},
	{regexp.MustCompile(`\d+\.\d+\.\d+|[0-9a-f]+::?[0-9a-f]`), "Invalid number", "Addresses stand in quotes, and networks are asked by within(client.ip, \"192.0.2.0/24\")."},
	{regexp.MustCompile(`[^=!<>]=[^=].*[^=!<>]=[^=]`), "Missing newline", "Compare with ==; a single = gives a value to an attribute."},
	{regexp.MustCompile(`\([^=]*[^=!<>]=[^=]`), "Missing argument separator", "Compare with ==; a single = gives a value to an attribute."},
	{regexp.MustCompile(``), "Invalid single-argument block", "Give each attribute a line of its own."},
	{regexp.MustCompile(``), "Invalid escape sequence", "Write a backslash of a pattern twice: \"\\\\d+\"."},
	{regexp.MustCompile(`(&&|\|\||==|!=)\s*$`), "Invalid expression", "Something is to follow $1; in round brackets it may stand in the next line."},
}
