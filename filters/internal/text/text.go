// Package text has what a message says, decoded: for all filters that read it,
// so that it is decoded once however many they are.
package text

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"
	"weak"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
)

// The bounds of what is read: octets of text over all parts, and the parts.
const (
	maxText  = 1 << 20
	maxParts = 200
)

// Text is what a message says. It is immutable.
type Text struct {
	Subject Area
	Body    Area     // the plain parts, and what a reader sees of the HTML ones
	HTML    Area     // the source of the HTML parts
	Headers Area     // the fields, decoded, one a line: "Subject: Hello"
	URLs    Area     // those of Body, and where HTML links lead, one a line
	Links   []string // the same as a list
	Cut     bool     // there was more than the bounds allow

	memo sync.Map
}

// Area is one kind of text.
type Area struct {
	Raw    string        // as decoded, UTF-8
	folded func() string // see Folded
	lower  func() string
}

// Folded is the text for comparing words: see Fold. It is made once.
func (a Area) Folded() string { return a.folded() }

// Lower is Raw with A to Z in lower case, octet for octet. It is made once.
func (a Area) Lower() string { return a.lower() }

// NewArea makes an Area.
func NewArea(raw string) Area {
	return Area{raw, sync.OnceValue(func() string { return Fold(raw) }), sync.OnceValue(func() string { return lowerASCII(raw) })}
}

// Memo returns what f made for key, calling it once at most.
func (t *Text) Memo(key any, f func() any) any {
	once, _ := t.memo.LoadOrStore(key, sync.OnceValue(f))
	return once.(func() any)()
}

// entry is one message's text.
type entry struct {
	once sync.Once
	text *Text
	err  error
}

// texts has the text of each message whose structure is still in use. It holds
// the structures weakly: an entry goes with its message.
var texts sync.Map // weak.Pointer[mime.Part] to *entry

// Of is the text of a message, decoded at the first call for its structure.
func Of(part *mime.Part, msg *mail.Message) (*Text, error) {
	if part == nil || msg == nil {
		return nil, errors.New("there is no message yet")
	}
	key := weak.Make(part)
	v, known := texts.LoadOrStore(key, &entry{})
	if !known {
		runtime.AddCleanup(part, func(k weak.Pointer[mime.Part]) { texts.Delete(k) }, key)
	}
	e := v.(*entry)
	e.once.Do(func() {
		e.err = errors.New("the text of the message could not be decoded") // stands if read panics
		e.text, e.err = read(part, msg)
	})
	return e.text, e.err
}

func read(root *mime.Part, msg *mail.Message) (*Text, error) {
	r, err := msg.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	c := collector{left: maxText, parts: maxParts, r: r}
	root.Walk(c.part)
	if c.err != nil {
		return nil, c.err
	}
	links := Links(c.body.String(), c.hrefs.String())
	return &Text{
		Subject: NewArea(subject(root)),
		Body:    NewArea(c.body.String()),
		HTML:    NewArea(c.html.String()),
		Headers: NewArea(headers(root)),
		URLs:    NewArea(strings.Join(links, "\n")),
		Links:   links,
		Cut:     c.cut,
	}, nil
}

// collector reads the text parts of a message.
type collector struct {
	r                 io.ReaderAt
	left, parts       int
	body, html, hrefs strings.Builder
	cut               bool
	err               error
}

func (c *collector) part(p *mime.Part) bool {
	if len(p.Parts) > 0 || p.Message != nil || p.Type != "text/plain" && p.Type != "text/html" {
		return true
	}
	if c.parts--; c.parts < 0 || c.left <= 0 {
		c.cut = true
		return false
	}
	b, err := io.ReadAll(io.LimitReader(p.UTF8(c.r), int64(c.left)+1))
	if err != nil {
		c.err = err
		return false
	}
	if len(b) > c.left {
		b, c.cut = b[:c.left], true
	}
	c.left -= len(b)
	s := strings.ToValidUTF8(string(b), "\ufffd")
	if p.Type == "text/html" {
		c.html.WriteString(s)
		c.html.WriteByte('\n')
		seen, links := FromHTML(s)
		s = seen
		c.hrefs.WriteString(strings.Join(links, "\n"))
		c.hrefs.WriteByte('\n')
	}
	c.body.WriteString(s)
	c.body.WriteByte('\n')
	return true
}

func subject(p *mime.Part) string {
	var all []string
	for _, f := range p.All("Subject") {
		all = append(all, f.Text())
	}
	return bounded(strings.Join(all, "\n"))
}

func headers(p *mime.Part) string {
	var b strings.Builder
	for _, f := range p.Fields {
		if b.Len() > maxText {
			break
		}
		b.WriteString(f.Name)
		b.WriteString(": ")
		b.WriteString(f.Text())
		b.WriteByte('\n')
	}
	return bounded(b.String())
}

func bounded(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxText)], "\ufffd") }
