package text

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// hidden are elements whose text no reader sees.
var hidden = map[atom.Atom]bool{atom.Script: true, atom.Style: true, atom.Template: true, atom.Noscript: true}

// inline are elements that do not part words: "vi<b>ag</b>ra" reads as one.
var inline = map[atom.Atom]bool{
	atom.A: true, atom.Abbr: true, atom.B: true, atom.Big: true, atom.Code: true, atom.Del: true, atom.Em: true, atom.Font: true,
	atom.I: true, atom.Ins: true, atom.Kbd: true, atom.Label: true, atom.Mark: true, atom.S: true, atom.Small: true,
	atom.Span: true, atom.Strike: true, atom.Strong: true, atom.Sub: true, atom.Sup: true, atom.Tt: true, atom.U: true, atom.Wbr: true,
}

// links are the attributes that a reader follows or loads.
var links = map[string]bool{"href": true, "src": true, "action": true, "background": true, "formaction": true, "poster": true}

// FromHTML is what a reader sees of HTML, and where its links lead. It never
// builds a tree, so that its work is that of reading, however deep the nesting.
func FromHTML(source string) (seen string, urls []string) {
	z := html.NewTokenizer(strings.NewReader(source))
	var b strings.Builder
	var inside atom.Atom // of a hidden element
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String(), urls
		case html.TextToken:
			if inside == 0 {
				b.Write(z.Text())
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			a := atom.Lookup(name)
			if hidden[a] && inside == 0 {
				inside = a
			}
			if !inline[a] {
				b.WriteByte('\n')
			}
			if more {
				urls = attributes(z, urls)
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			a := atom.Lookup(name)
			if a == inside {
				inside = 0
			}
			if !inline[a] {
				b.WriteByte('\n')
			}
		}
	}
}

// attributes adds the links of a tag.
func attributes(z *html.Tokenizer, urls []string) []string {
	for {
		key, value, more := z.TagAttr()
		if len(urls) < maxLinks && links[string(key)] {
			if u := link(string(value)); u != "" {
				urls = append(urls, u)
			}
		}
		if !more {
			return urls
		}
	}
}

// link makes an attribute a URL that Links finds: browsers drop white space in
// it and take "//host" for the page's own scheme.
func link(v string) string {
	v = strings.Join(strings.Fields(v), "")
	if strings.HasPrefix(v, "//") {
		v = "http:" + v
	}
	if !strings.Contains(v, "://") {
		return ""
	}
	return v[:min(len(v), maxLink)]
}
