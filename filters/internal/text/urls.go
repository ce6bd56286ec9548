package text

import "strings"

// The bounds of what Links gives: how many, and the octets of one.
const (
	maxLinks = 1000
	maxLink  = 2048
)

// Links finds the URLs of texts: what has "://" behind a scheme, and what begins
// with "www.". Each stands once, in the order of finding. Its work is linear in
// the length of the texts.
func Links(texts ...string) []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range texts {
		f := finder{s: s, scheme: -1, www: -1}
		for len(out) < maxLinks && f.next() {
			if u := f.found; u != "" && !seen[u] {
				seen[u] = true
				out = append(out, u)
			}
		}
	}
	return out
}

// finder goes through a text once. It remembers where the next mark of each
// sort stands, so that neither is looked for twice in the same octets.
type finder struct {
	s           string
	at          int
	scheme, www int // where the next "://" and "www." stand; below at: to be looked for
	found       string
}

// next goes to the next mark. found is "" where there is no URL around it.
func (f *finder) next() bool {
	if f.scheme < f.at {
		f.scheme = indexFrom(f.s, f.at, "://")
	}
	if f.www < f.at {
		f.www = indexWWW(f.s, f.at)
	}
	if f.scheme == len(f.s) && f.www == len(f.s) {
		return false
	}
	start := f.scheme
	for start > f.at && f.scheme-start < maxScheme && schemeChar(f.s[start-1]) {
		start--
	}
	switch {
	case f.www < start:
		f.take(f.www)
	case start == f.scheme:
		f.found, f.at = "", f.scheme+len("://")
	default:
		f.take(start)
	}
	return true
}

// maxScheme is how long a scheme may be: "https".
const maxScheme = 8

func schemeChar(c byte) bool { return letterOrDigit(c) || c == '+' || c == '-' }

func letterOrDigit(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// indexFrom is where what stands from at on; the end of s where it does not.
func indexFrom(s string, at int, what string) int {
	if i := strings.Index(s[at:], what); i >= 0 {
		return at + i
	}
	return len(s)
}

// indexWWW finds "www." in any case, at the beginning of a word.
func indexWWW(s string, at int) int {
	for i := at; i+4 <= len(s); i++ {
		if s[i]|0x20 == 'w' && s[i+3] == '.' && strings.EqualFold(s[i:i+3], "www") && (i == 0 || begins(s[i-1])) {
			return i
		}
	}
	return len(s)
}

// begins tells whether a host may begin behind c.
func begins(c byte) bool { return !letterOrDigit(c) && c != '.' && c != '/' && c != '@' && c != '-' }

// take takes the URL that begins at start: to the first octet that no URL has,
// without the punctuation of the sentence around it.
func (f *finder) take(start int) {
	end := start
	for end < len(f.s) && f.s[end] > ' ' && f.s[end] != 0x7f && strings.IndexByte("<>\"`{}|\\^", f.s[end]) < 0 {
		end++
	}
	f.at = end
	f.found = strings.ToValidUTF8(trim(bound(f.s[start:end])), "")
	if strings.HasSuffix(f.found, "://") {
		f.found = "" // nothing behind the scheme
	}
}

// bound cuts a long URL, and where the user before its host is what is long, that.
func bound(u string) string {
	if len(u) <= maxLink {
		return u
	}
	host := authority(u)
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		at := strings.Index(u, host)
		u = u[:at] + u[at+i+1:]
	}
	return u[:min(len(u), maxLink)]
}

// trim takes off what closes the sentence or the bracket around a URL.
func trim(u string) string {
	open := strings.Count(u, ")") - strings.Count(u, "(") // more closed than opened
	for u != "" {
		switch c := u[len(u)-1]; {
		case c == ')' && open > 0:
			open--
		case strings.IndexByte(".,;:!?'*_]", c) < 0:
			return u
		}
		u = u[:len(u)-1]
	}
	return u
}
