package attachment

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is how many octets of a file name are told.
const maxName = 255

// name notes a file name and its extension.
func (rep *report) name(inside, raw string) {
	n := clean(raw)
	if n == "" {
		return
	}
	if ext := extension(n); ext != "" {
		rep.extensions.add(ext)
	}
	if inside != "" {
		n = inside + "/" + n
	}
	rep.names.add(clip(n))
}

// clean is a file name without what hides its end from a filter and not from
// a system that opens it: direction marks (gpj.<RLO>exe is shown as exe.jpg),
// controls and NULs, blanks and dots at the end, which Windows drops, and the
// stream of an NTFS name (x.exe::$DATA).
func clean(raw string) string {
	s := strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return '?'
		case unicode.Is(unicode.Cf, r) || unicode.IsControl(r):
			return -1
		case unicode.IsSpace(r):
			return ' '
		case r >= '\uff01' && r <= '\uff5e':
			return r - 0xfee0 // full-width letters and dots
		case r == '\u2024' || r == '\ufe52' || r == '\u3002':
			return '.' // signs that look like a dot
		}
		return r
	}, raw)
	if i := strings.Index(s, "::$"); i > 0 {
		s = s[:i]
	}
	return strings.Trim(strings.TrimRight(s, ". "), " ")
}

// maxExtension is how long an extension may be: a sentence with a dot in it has
// none.
const maxExtension = 12

// extension is what stands behind the last dot, lower case: by it systems open
// a file. One before it (the pdf of invoice.pdf.exe, the com of example.com.pdf)
// means nothing to them.
func extension(name string) string {
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	i := strings.LastIndexByte(base, '.')
	if i < 0 {
		return ""
	}
	ext, _, _ := strings.Cut(strings.ToLower(base[i+1:]), ":") // a stream of NTFS
	ext = strings.Trim(ext, " \"'")
	if len(ext) > maxExtension {
		return ""
	}
	return ext
}

func clip(s string) string {
	if len(s) <= maxName {
		return s
	}
	return strings.ToValidUTF8(s[:maxName], "")
}
