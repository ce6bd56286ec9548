package attachment

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is how many octets of a file name are told.
const maxName = 255

// name notes a file name and its extensions.
func (rep *report) name(inside, raw string) {
	n := clean(raw)
	if n == "" {
		return
	}
	for _, ext := range extensions(n) {
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

// maxExtension is how long an extension may be: "workbook" is not one of ours,
// a sentence with dots in it is none.
const maxExtension = 12

// extensions are those of a name: the last, and those before it ("pdf.exe" is
// both, and "setup.exe.txt" a try worth knowing).
func extensions(name string) []string {
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	pieces := strings.Split(strings.ToLower(base), ".")
	var out []string
	for i, p := range pieces[1:] {
		p = strings.Trim(p, " \"'")
		last := i == len(pieces)-2
		if p == "" || len(p) > maxExtension || !last && strings.ContainsAny(p, " ") {
			continue
		}
		if p, _, _ := strings.Cut(p, ":"); last && p != "" {
			out = append(out, p)
		} else if isWord(p) {
			out = append(out, p)
		}
	}
	if len(out) > 8 {
		out = out[len(out)-8:]
	}
	return out
}

// isWord tells whether s can be an extension in the middle of a name: letters
// first, which version numbers (report.1.2.pdf) are not.
func isWord(s string) bool {
	for i := range len(s) {
		if c := s[i]; !('a' <= c && c <= 'z' || i > 0 && '0' <= c && c <= '9') {
			return false
		}
	}
	return s != ""
}

func clip(s string) string {
	if len(s) <= maxName {
		return s
	}
	return strings.ToValidUTF8(s[:maxName], "")
}
