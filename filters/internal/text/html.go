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

// link makes an attribute a URL that Links finds, as browsers read it: they drop
// white space in it, take "//host" for the page's own scheme and a backslash for a
// slash, and want no two slashes behind http.
func link(v string) string {
	v = strings.Join(strings.Fields(v), "")
	if len(v) > 1 && strings.Trim(v[:2], `/\`) == "" {
		v = "http:" + v
	}
	scheme, rest, _ := strings.Cut(v, ":")
	if strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https") {
		tail := ""
		if i := strings.IndexAny(rest, "?#"); i >= 0 {
			rest, tail = rest[:i], rest[i:]
		}
		return scheme + "://" + strings.TrimLeft(browsers.Replace(rest), "/") + tail
	}
	if !strings.Contains(v, "://") {
		return ""
	}
	return v
}

// browsers is what browsers make of signs at which Links would end a URL.
var browsers = strings.NewReplacer(`\`, "/", `"`, "%22", "<", "%3C", ">", "%3E", "`", "%60", "{", "%7B", "|", "%7C", "}", "%7D", "^", "%5E")
