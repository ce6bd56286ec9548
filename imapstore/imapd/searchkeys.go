package imapd

import (
	netmail "net/mail"
	"strings"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/mime"
)

// flagKeys are the keys that ask for one flag; "UN" before them asks for its
// absence.
var flagKeys = map[string]string{
	"ANSWERED": `\Answered`, "DELETED": `\Deleted`, "DRAFT": `\Draft`, "FLAGGED": `\Flagged`, "SEEN": `\Seen`,
}

// keyReaders are the other keys of RFC 3501 section 6.4.4 and RFC 9051 section
// 6.4.4. Each reads its arguments.
var keyReaders map[string]func(p *searchParser) *key

func init() { // NOT and OR come back to the table
	keyReaders = map[string]func(p *searchParser) *key{
		"ALL":     func(*searchParser) *key { return entryKey(func(*imapstore.Entry) bool { return true }) },
		"RECENT":  recent,
		"OLD":     func(p *searchParser) *key { return not(recent(p)) },
		"NEW":     func(p *searchParser) *key { return both([]*key{recent(p), not(flagKey(`\Seen`))}) },
		"NOT":     func(p *searchParser) *key { return not(p.one()) },
		"OR":      func(p *searchParser) *key { return either(p.one(), p.one()) },
		"UID":     func(p *searchParser) *key { p.s.dec.SP(); return p.sequence(true) },
		"KEYWORD": func(p *searchParser) *key { p.s.dec.SP(); return flagKey(p.s.dec.Flag()) },
		"UNKEYWORD": func(p *searchParser) *key {
			p.s.dec.SP()
			return not(flagKey(p.s.dec.Flag()))
		},

		"LARGER":  size(func(have, want int64) bool { return have > want }),
		"SMALLER": size(func(have, want int64) bool { return have < want }),
		"MODSEQ":  modseq,
		"EMAILID": func(p *searchParser) *key {
			id := p.text()
			return entryKey(func(e *imapstore.Entry) bool { return e.EmailID == id })
		},

		"BEFORE":     dates(internalDate, before),
		"ON":         dates(internalDate, on),
		"SINCE":      dates(internalDate, since),
		"SENTBEFORE": dates(sentDate, before),
		"SENTON":     dates(sentDate, on),
		"SENTSINCE":  dates(sentDate, since),

		"FROM": addressField("From"), "TO": addressField("To"), "CC": addressField("Cc"), "BCC": addressField("Bcc"),
		"SUBJECT": func(p *searchParser) *key { return headerKey("Subject", p.text(), nil) },
		"HEADER": func(p *searchParser) *key {
			name := p.text()
			return headerKey(name, p.text(), nil)
		},
		"BODY": func(p *searchParser) *key { return textKey(p.text(), (*candidateMessage).inBody) },
		"TEXT": func(p *searchParser) *key { return textKey(p.text(), (*candidateMessage).inText) },
	}
	for word, flag := range flagKeys {
		keyReaders["UN"+word] = func(*searchParser) *key { return not(flagKey(flag)) }
	}
}

func entryKey(f func(e *imapstore.Entry) bool) *key {
	return &key{match: func(c *candidateMessage) bool { return f(c.e) }}
}

func recent(p *searchParser) *key {
	v := p.s.view
	return entryKey(func(e *imapstore.Entry) bool { return v.isRecent(e.UID) })
}

func flagKey(flag string) *key {
	return entryKey(func(e *imapstore.Entry) bool { return e.Has(flag) })
}

func not(k *key) *key {
	return &key{k.cost, func(c *candidateMessage) bool { return !k.match(c) }}
}

func either(a, b *key) *key {
	if b.cost < a.cost {
		a, b = b, a
	}
	return &key{b.cost, func(c *candidateMessage) bool { return a.match(c) || b.match(c) }}
}

func size(ok func(have, want int64) bool) func(*searchParser) *key {
	return func(p *searchParser) *key {
		p.s.dec.SP()
		n := int64(p.s.dec.Number64())
		return entryKey(func(e *imapstore.Entry) bool { return ok(e.Size, n) })
	}
}

// modseq is RFC 7162 section 3.1.5. Mod-sequences are kept for messages, not for
// single flags, so the name of an entry changes nothing.
func modseq(p *searchParser) *key {
	d := p.s.dec
	d.SP()
	if d.Is('"') {
		d.Text() // the entry
		d.SP()
		d.Word()
		d.SP()
	}
	n := d.Number64()
	p.out.modseq = true
	p.s.useCondstore()
	return entryKey(func(e *imapstore.Entry) bool { return e.ModSeq >= n })
}

// A day is compared without time and time zone (RFC 9051 section 6.4.4).
func day(t time.Time) int { return t.Year()*400 + t.YearDay() }

func before(have, want int) bool { return have < want }
func on(have, want int) bool     { return have == want }
func since(have, want int) bool  { return have >= want }

// source is where a key takes its date from.
type source struct {
	cost cost
	of   func(c *candidateMessage) (time.Time, bool)
}

var (
	internalDate = source{costEntry, func(c *candidateMessage) (time.Time, bool) { return c.e.Date, true }}
	sentDate     = source{costHeader, func(c *candidateMessage) (time.Time, bool) {
		root, ok := c.structure()
		if !ok {
			return time.Time{}, false
		}
		t, err := netmail.ParseDate(root.Get("Date"))
		return t, err == nil
	}}
)

func dates(from source, ok func(have, want int) bool) func(*searchParser) *key {
	return func(p *searchParser) *key {
		want := day(p.date())
		return &key{from.cost, func(c *candidateMessage) bool {
			t, known := from.of(c)
			return known && ok(day(t), want)
		}}
	}
}

// addressField looks into a field as it is shown, and into its addresses as
// ENVELOPE has them, which RFC 9051 section 6.4.4 speaks of: without comments
// and folds.
func addressField(name string) func(*searchParser) *key {
	return func(p *searchParser) *key {
		return headerKey(name, p.text(), func(f mime.Field, needle string) bool {
			for _, a := range parseAddresses(f.Raw) {
				if strings.Contains(fold(a.local+"@"+a.domain), needle) {
					return true
				}
			}
			return false
		})
	}
}

// headerKey looks into the fields of that name, decoded, and asks also where it
// is given. The empty string is in every field (RFC 9051 section 6.4.4).
func headerKey(name, want string, also func(f mime.Field, needle string) bool) *key {
	needle := fold(want)
	return &key{costHeader, func(c *candidateMessage) bool {
		root, ok := c.structure()
		if !ok {
			return false
		}
		for _, f := range root.All(name) {
			if strings.Contains(fold(f.Text()), needle) || also != nil && also(f, needle) {
				return true
			}
		}
		return false
	}}
}

func textKey(want string, in func(c *candidateMessage, needle string) bool) *key {
	needle := fold(want)
	return &key{costBody, func(c *candidateMessage) bool { return in(c, needle) }}
}
