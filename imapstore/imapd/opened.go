package imapd

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
)

// The structures of the messages looked at last are kept, for clients that
// fetch a message part by part: at most cachedParts, none above cachedOctets.
const (
	cachedParts  = 256
	cachedOctets = 64 << 10
)

// opened is a message whose octets are being read.
type opened struct {
	entry *imapstore.Entry
	r     mail.BlobReader
	root  *mime.Part // nil where nobody asked for it
}

// openMessage opens a message for FETCH, and finds its structure if an item
// needs it.
func (s *session) openMessage(f *fetching, e *imapstore.Entry) (*opened, error) {
	m := &opened{entry: e}
	if slices.ContainsFunc(f.items, func(i item) bool { return !i.whole() && plain[i.name] == nil }) {
		root, err := s.srv.structure(e.Message)
		if err != nil {
			return nil, fmt.Errorf("reading message %d of %s: %w", e.UID, s.view.name, err)
		}
		m.root = root
	}
	if !m.decodable(f) {
		return nil, errUnknownCTE
	}
	r, err := e.Message.Open()
	if err != nil {
		return nil, fmt.Errorf("opening message %d of %s: %w", e.UID, s.view.name, err)
	}
	m.r = r
	return m, nil
}

// whole tells whether the item is the message as it is.
func (i *item) whole() bool {
	return i.name == "RFC822" || (i.name == "BODY[" || i.name == "BINARY[" || i.name == "BINARY.SIZE[") &&
		len(i.section.path) == 0 && i.section.text == ""
}

// Close ends the reading.
func (m *opened) Close() { m.r.Close() }

// structure parses a message, or finds what was parsed before.
func (srv *Server) structure(m *mail.Message) (*mime.Part, error) {
	if p, ok := srv.parts.Get(m); ok {
		return p, nil
	}
	p, err := mime.Parse(m, mime.Limits{})
	if err != nil {
		return nil, err
	}
	if kept(p) <= cachedOctets {
		srv.parts.Add(m, p)
	}
	return p, nil
}

// kept is about how much memory a structure takes.
func kept(p *mime.Part) (n int) {
	p.Walk(func(q *mime.Part) bool {
		n += 512
		for _, f := range q.Fields {
			n += 80 + len(f.Name) + len(f.Raw)
		}
		return n <= cachedOctets
	})
	return n
}

// extent is a run of octets: of the message, or text of ours behind it.
type extent struct {
	spans []span
	size  int64
}

type span struct {
	off, len int64
	text     string // in place of octets of the message
}

func (x *extent) add(off, end int64) {
	if end > off {
		x.spans = append(x.spans, span{off: off, len: end - off})
		x.size += end - off
	}
}

func (x *extent) addText(s string) {
	x.spans = append(x.spans, span{len: int64(len(s)), text: s})
	x.size += int64(len(s))
}

// cut is the part of x that a partial asks for.
func (x *extent) cut(p *partial) extent {
	if p == nil {
		return *x
	}
	var out extent
	skip, left := int64(p.off), int64(p.count)
	for _, sp := range x.spans {
		drop := min(skip, sp.len)
		skip -= drop
		n := min(sp.len-drop, left)
		left -= n
		switch {
		case n == 0:
		case sp.text != "":
			out.addText(sp.text[drop : drop+n])
		default:
			out.add(sp.off+drop, sp.off+drop+n)
		}
	}
	return out
}

// reader reads x from the message's octets.
func (x *extent) reader(r io.ReaderAt) io.Reader {
	rs := make([]io.Reader, len(x.spans))
	for i, sp := range x.spans {
		if sp.text != "" {
			rs[i] = strings.NewReader(sp.text)
		} else {
			rs[i] = io.NewSectionReader(r, sp.off, sp.len)
		}
	}
	if len(rs) == 1 {
		return rs[0]
	}
	return io.MultiReader(rs...)
}
