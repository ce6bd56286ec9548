package mime

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CleanName is a file name without what hides its end from a filter and not from
// a system that opens it: direction marks (gpj.<RLO>exe is shown as exe.jpg),
// controls and NULs, blanks and dots at the end, which Windows drops, and the
// stream of an NTFS name (x.exe::$DATA).
func CleanName(raw string) string {
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

// MaxExtension is how long an extension may be: a sentence with a dot in it has
// none.
const MaxExtension = 12

// Extension is what stands behind the last dot of a name that CleanName gave,
// lower case and without the dot: by it systems open a file. One before it (the
// pdf of invoice.pdf.exe, the com of example.com.pdf) means nothing to them.
func Extension(name string) string {
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	i := strings.LastIndexByte(base, '.')
	if i < 0 {
		return ""
	}
	ext, _, _ := strings.Cut(strings.ToLower(base[i+1:]), ":") // a stream of NTFS
	ext = strings.Trim(ext, " \"'")
	if len(ext) > MaxExtension {
		return ""
	}
	return ext
}
