package dmarc

import (
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
)

// readers are other ways to read the address of a From field: of each the domain,
// or "" where it finds none.
var readers = map[string]func(value string) string{
	"net/mail": func(value string) string {
		list, err := netmail.ParseAddressList(unfolded(value))
		if err != nil || len(list) == 0 {
			return ""
		}
		return domainOf(list[len(list)-1].Address)
	},
	// Mail programs that look for the angle brackets, outside of quotes and comments.
	"the last <...>": func(value string) string {
		s := plain(value)
		i := strings.LastIndexByte(s, '<')
		j := strings.LastIndexByte(s, '>')
		if i < 0 || j < i {
			return ""
		}
		return domainOf(s[i+1 : j])
	},
	// Programs that take the first thing with an @ in it, or the last.
	"the first @": func(value string) string { return word(plain(value), strings.IndexByte) },
	"the last @":  func(value string) string { return word(plain(value), strings.LastIndexByte) },
}

// plain blanks what stands in quotes and comments.
func plain(value string) string {
	var b strings.Builder
	quoted, depth := false, 0
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case c == '\\' && (quoted || depth > 0):
			i++
			continue
		case c == '"' && depth == 0:
			quoted = !quoted
			c = 'q'
		case quoted:
			c = 'q'
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
			continue
		}
		if depth == 0 && c != '\r' && c != '\n' {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// word is the domain behind an @, as far as letters of a domain go.
func word(s string, find func(string, byte) int) string {
	i := find(s, '@')
	if i < 0 {
		return ""
	}
	rest := strings.TrimLeft(s[i:], "@ \t")
	if j := strings.IndexAny(rest, " \t<>,;:"); j >= 0 {
		rest = rest[:j]
	}
	return domainOf("x@" + rest)
}

func domainOf(address string) string {
	d, err := mail.ParseDomain(strings.TrimSpace(address[strings.LastIndexByte(address, '@')+1:]))
	if err != nil {
		return ""
	}
	return d
}

func unfolded(s string) string { return strings.ReplaceAll(s, "\r\n", "") }

// agree checks one value: where we name an author's domain, no other reader
// names another one.
func agree(t *testing.T, value string) {
	t.Helper()
	p, err := mime.Parse(mail.Bytes("From:"+value+"\r\n\r\n"), mime.Limits{})
	if err != nil || len(p.Fields) != 1 {
		return
	}
	ours, err := authorDomain(p)
	if err != nil {
		return
	}
	for name, read := range readers {
		if theirs := read(p.Fields[0].Raw); theirs != "" && theirs != ours {
			t.Errorf("%q: we say %s, %s says %s: that is permerror, not an author", value, ours, name, theirs)
		}
	}
}

// FuzzReadersAgree is threats.md "net/mail disagreement" (CVE-2024-24784: comments
// in display names): whatever stands in From, either all readers name the same
// domain or DMARC has no author to vouch for.
func FuzzReadersAgree(f *testing.F) {
	for _, value := range []string{
		" Ann <ann@example.test>", " (boss@bank.test) x@evil.test (c)", " \"a\" (\"b) <boss@bank.test> (\" <x@evil.test>", " a(<boss@bank.test>)b <x@evil.test>",
		" =?utf-8?q?boss=40bank.test?= <x@evil.test>", " x@evil.test(\\)<boss@bank.test>", " \"x\\\" <boss@bank.test>\" <x@evil.test>", " <x@evil.test> (<boss@bank.test>)",
		" x@(c)evil.test", " x@evil(.bank).test", " x @ evil . test", " \"x@y\"@evil.test", " <@bank.test:x@evil.test>", " g:x@evil.test;", " boss@bank.test <x@evil.test>",
	} {
		f.Add(value)
	}
	if dir := os.Getenv("FOREPOST_SUITES"); dir != "" {
		files, _ := filepath.Glob(filepath.Join(dir, "mime-*", "*", "*"))
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				continue
			}
			if p, err := mime.Parse(mail.Bytes(string(b)), mime.Limits{}); err == nil {
				for _, from := range p.All("From") {
					f.Add(from.Raw)
				}
			}
		}
	}
	f.Fuzz(agree)
}
