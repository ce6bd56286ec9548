package lists

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
)

// Format is how a list file is written.
type Format string

// The formats.
const (
	Lines   Format = "lines"   // an entry a line
	Postfix Format = "postfix" // the text of a Postfix table: hash, cidr, regexp, pcre
	Rspamd  Format = "rspamd"  // a map of Rspamd
)

// Formats are the words of `format`.
func Formats() []string { return []string{string(Lines), string(Postfix), string(Rspamd)} }

// Entry is an item with the line that it stands in.
type Entry struct {
	Text string
	Line int
}

// maxLine is the longest line of a file, in octets.
const maxLine = 1 << 20

// Parse splits a list file into its items. Empty lines, and what follows a # at
// the start of a line or behind white space, are left out. Of tables, what stands
// before the white space is the entry: what is to be done about it says the
// policy. The errors name lines.
func Parse(f Format, t Type, text []byte) (items []Entry, errs []error) {
	sc := bufio.NewScanner(bytes.NewReader(text))
	sc.Buffer(nil, maxLine)
	for n := 1; sc.Scan(); n++ {
		s := sc.Text()
		if f == Postfix && strings.TrimLeft(s, " \t") != s {
			continue // goes on with what is to be done about the line before
		}
		if i := strings.Index(s, " #"); i >= 0 && t != Regex {
			s = s[:i]
		}
		if s = strings.TrimSpace(s); s == "" || s[0] == '#' {
			continue
		}
		item, err := entry(f, t, s)
		if err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", n, err))
			continue
		}
		items = append(items, Entry{item, n})
	}
	if err := sc.Err(); err != nil {
		errs = append(errs, err)
	}
	return items, errs
}

func entry(f Format, t Type, s string) (string, error) {
	switch {
	case f == Lines:
		return s, nil
	case t == Regex:
		return expression(f, s)
	}
	if s[0] == '!' {
		return "", fmt.Errorf("%q is what is not in the table, and a list has no such entries", s)
	}
	key, _, _ := strings.Cut(strings.ReplaceAll(s, "\t", " "), " ")
	return key, nil
}

// expression reads /pattern/flags. Postfix's have no case unless the flag i
// turns that round (regexp_table(5)); Rspamd's have it unless i is there.
func expression(f Format, s string) (string, error) {
	if s[0] != '/' {
		if f == Rspamd {
			key, _, _ := strings.Cut(s, " ")
			return key, nil
		}
		return "", fmt.Errorf("%q is no /pattern/; if, endif and !/pattern/ have no meaning in a list", s)
	}
	end := 1
	for ; end < len(s) && s[end] != '/'; end++ {
		if s[end] == '\\' {
			end++
		}
	}
	if end >= len(s) {
		return "", fmt.Errorf("%q has no / at its end", s)
	}
	pattern := strings.ReplaceAll(s[1:end], `\/`, "/")
	if pattern == "" {
		return "", fmt.Errorf("%q is an empty pattern: it would match everything", s)
	}
	flags, _, _ := strings.Cut(strings.ReplaceAll(s[end+1:], "\t", " "), " ")
	fold := f == Postfix
	for _, c := range flags {
		switch c {
		case 'i':
			fold = !fold
		case 'm', 's', 'u':
		default:
			return "", fmt.Errorf("the flag %q of %q is not known", c, s)
		}
	}
	if fold {
		pattern = "(?i)" + pattern
	}
	return pattern, nil
}
