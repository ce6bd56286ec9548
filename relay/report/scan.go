package report

import (
	"bytes"
	"strconv"
	"strings"
)

// The bounds of reading XML.
const (
	maxDepth = 32   // elements inside each other
	maxText  = 1024 // octets of one element's text; the rest is cut off
)

// scanXML calls leaf with the path and the text of each element, in the order
// of their ends, and open with each that begins. It is lenient, since reporters
// are not careful: a tag that nobody closed ends with the one around it, a close
// without an open is passed over. It knows no entities but the five of XML and
// numbers, whatever a DTD declares, so that nothing can grow; time and memory are
// those of the input. ok is false where elements stand too deep.
func scanXML(in []byte, open func(path []string), leaf func(path []string, text string)) (ok bool) {
	var path []string
	var text []byte
	for len(in) > 0 {
		if in[0] != '<' {
			n := bytes.IndexByte(in, '<')
			if n < 0 {
				n = len(in)
			}
			text = append(text, in[:min(n, maxText-min(len(text), maxText))]...)
			in = in[n:]
			continue
		}
		token, rest := cutToken(in)
		in = rest
		switch {
		case strings.HasPrefix(token, "<![CDATA["):
			text = append(text, strings.ReplaceAll(strings.TrimSuffix(token[9:], "]]>"), "&", "&amp;")...)
			text = text[:min(len(text), maxText)]
		case strings.HasPrefix(token, "<!"), strings.HasPrefix(token, "<?"):
		case strings.HasPrefix(token, "</"):
			path = closeTag(path, nameOf(token[2:]), string(text), leaf)
			text = text[:0]
		default:
			if len(path) >= maxDepth {
				return false
			}
			path = append(path, nameOf(token[1:]))
			open(path)
			text = text[:0]
			if strings.HasSuffix(token, "/>") {
				leaf(path, "")
				path = path[:len(path)-1]
			}
		}
	}
	return true
}

// cutToken takes the tag, comment or section that in begins with.
func cutToken(in []byte) (token string, rest []byte) {
	end := ">"
	switch {
	case bytes.HasPrefix(in, []byte("<!--")):
		end = "-->"
	case bytes.HasPrefix(in, []byte("<![CDATA[")):
		end = "]]>"
	case bytes.HasPrefix(in, []byte("<?")):
		end = "?>"
	}
	n := bytes.Index(in, []byte(end))
	if n < 0 {
		return string(in[:min(len(in), maxText)]), nil
	}
	n += len(end)
	return string(in[:n]), in[n:]
}

// nameOf is the local name of a tag, without its namespace.
func nameOf(tag string) string {
	if i := strings.IndexAny(tag, " \t\r\n/>"); i >= 0 {
		tag = tag[:i]
	}
	return strings.ToLower(tag[strings.LastIndexByte(tag, ':')+1:])
}

// closeTag ends the innermost element of that name, and those inside it that
// nobody ended; only the one that was written last has the text.
func closeTag(path []string, name, text string, leaf func([]string, string)) []string {
	at := len(path) - 1
	for at >= 0 && path[at] != name {
		at--
	}
	if at < 0 {
		return path
	}
	for len(path) > at {
		leaf(path, clean(text))
		text, path = "", path[:len(path)-1]
	}
	return path
}

// clean is an element's text for keeping: references undone, valid UTF-8, no
// controls, no white space around it.
func clean(s string) string {
	if strings.IndexByte(s, '&') >= 0 {
		s = dereference(s)
	}
	s = strings.Map(func(r rune) rune {
		if r < ' ' || 0x7f <= r && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.TrimSpace(s)
}

var named = map[string]string{"lt": "<", "gt": ">", "amp": "&", "quot": `"`, "apos": "'"}

// dereference undoes the references of XML; others stay as they are.
func dereference(s string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "&")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, _, ended := strings.Cut(after[:min(len(after), 12)], ";")
		text, known := named[name]
		if n, ok := strings.CutPrefix(name, "#"); ok {
			text, known = character(n)
		}
		if !ended || !known {
			b.WriteByte('&')
			s = after
			continue
		}
		b.WriteString(text)
		s = after[len(name)+1:]
	}
}

func character(n string) (string, bool) {
	base := 10
	if h, ok := strings.CutPrefix(n, "x"); ok {
		n, base = h, 16
	}
	v, err := strconv.ParseUint(n, base, 21)
	return string(rune(v)), err == nil
}
