package lists

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
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
	Text  string
	Value string // of a table: what stands behind the key, on its line
	Line  int
}

// LineError is a mistake in a line of a list file.
type LineError struct {
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap gives the mistake without its line.
func (e *LineError) Unwrap() error { return e.Err }

// Table tells how a list file is read.
type Table struct {
	Format Format
	Type   Type
	// Values are the beginnings of what stands behind the keys that are taken, in any
	// case; none takes all keys.
	Values []string
}

// maxLine is the longest line of a file, in octets.
const maxLine = 1 << 20

// byteOrderMark is what some editors put in front of UTF-8.
var byteOrderMark = []byte("\xef\xbb\xbf")

// Parse splits a list file into its items. Empty lines, and what follows a # at
// the start of a line or behind white space, are left out. Of tables, what stands
// before the white space is the entry: what is to be done about it says the
// policy. The errors are each a *LineError.
func (t Table) Parse(text []byte) (items []Entry, errs []error) {
	text = bytes.TrimPrefix(text, byteOrderMark)
	if err := noText(text); err != nil {
		return nil, []error{err}
	}
	sc := bufio.NewScanner(bytes.NewReader(text))
	sc.Buffer(nil, maxLine)
	n := 1
	for ; sc.Scan(); n++ {
		s := sc.Text()
		if t.Format == Postfix && strings.TrimLeft(s, " \t") != s {
			continue // goes on with what is to be done about the line before
		}
		if s = t.uncommented(s); s == "" {
			continue
		}
		item, value, err := t.entry(s)
		if err == nil && !utf8.ValidString(item) {
			err = fmt.Errorf("%.80q is not in UTF-8, and nothing would ever be found in it; convert the file: iconv -f latin1 -t utf-8", item)
		}
		switch {
		case err != nil:
			errs = append(errs, &LineError{n, err})
		case t.takes(value):
			items = append(items, Entry{item, value, n})
		}
	}
	if err := sc.Err(); err != nil {
		errs = append(errs, &LineError{n, fmt.Errorf("it has over %d octets", maxLine)})
	}
	return items, errs
}

// noText finds files that are no text: a table that postmap made of one, or a
// file in UTF-16. Read as text they would be a list that nothing is ever in.
func noText(text []byte) error {
	i := bytes.IndexByte(text, 0)
	if i < 0 {
		return nil
	}
	line := 1 + bytes.Count(text[:i], []byte("\n"))
	return &LineError{line, errors.New("there is a NUL: this is no text file in UTF-8; of a table that postmap made (.db, .lmdb, .cdb) name the text that it was made of")}
}

// uncommented is a line without its remark and without white space around it.
func (t Table) uncommented(s string) string {
	if t.Type != Regex {
		for i := 1; i < len(s); i++ {
			if s[i] == '#' && (s[i-1] == ' ' || s[i-1] == '\t') {
				s = s[:i]
				break
			}
		}
	}
	if s = strings.TrimSpace(s); s == "" || s[0] == '#' {
		return ""
	}
	return s
}

// entry is the key of a line, and what stands behind it.
func (t Table) entry(s string) (key, value string, err error) {
	switch {
	case t.Format == Lines:
		return s, "", nil
	case t.Type == Regex:
		return expression(t.Format, s)
	case s[0] == '!':
		return "", "", fmt.Errorf("%.80q is what is not in the table, and a list has no such entries; leave it out, and say it in the condition", s)
	case s[0] == '/' && strings.LastIndexByte(s, '/') > 0 && t.Type != Word:
		return "", "", fmt.Errorf("%.80q is a regular expression, and the type of the list is %s; put such lines into a list of type regex", s, t.Type)
	case t.Format == Rspamd && s[0] == '"':
		if end := strings.IndexByte(s[1:], '"'); end > 0 {
			return s[1 : 1+end], strings.TrimSpace(s[2+end:]), nil
		}
	}
	key, value = cut(s)
	if t.Format == Postfix && t.Type == IP {
		key, err = cidr(key)
	}
	return key, value, err
}

// cut parts a line at its first white space.
func cut(s string) (key, value string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimSpace(s[i:])
}

// takes tells whether a key with this behind it is wanted.
func (t Table) takes(value string) bool {
	if len(t.Values) == 0 {
		return true
	}
	for _, v := range t.Values {
		if len(value) >= len(v) && strings.EqualFold(value[:len(v)], v) {
			return true
		}
	}
	return false
}
