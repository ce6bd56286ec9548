package imapd

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/mime"
)

// candidateMessage is a message that is being judged; what it takes to do so is
// read once, when a key asks for it.
type candidateMessage struct {
	srv *Server
	at  int
	e   *imapstore.Entry

	root  *mime.Part
	tried bool
	*scratch
}

// scratch is what one SEARCH reads texts with, message after message.
type scratch struct{ buf, window []byte }

// structure parses the message; false if it cannot be read (it has just been
// expunged: then it matches nothing).
func (c *candidateMessage) structure() (*mime.Part, bool) {
	if !c.tried {
		c.tried = true
		if root, err := c.srv.structure(c.e.Message); err == nil {
			c.root = root
		}
	}
	return c.root, c.root != nil
}

// both is the conjunction of keys, cheap ones first.
func both(all []*key) *key {
	slices.SortStableFunc(all, func(a, b *key) int { return int(a.cost) - int(b.cost) })
	if len(all) == 0 {
		return &key{}
	}
	return &key{all[len(all)-1].cost, func(c *candidateMessage) bool {
		for _, k := range all {
			if !k.match(c) {
				return false
			}
		}
		return true
	}}
}

// inBody looks for needle, which is folded, in the text of a message: its text
// parts, decoded, and what is around embedded messages.
func (c *candidateMessage) inBody(needle string) bool { return c.look(needle, false) }

// inText is inBody, and the header with it.
func (c *candidateMessage) inText(needle string) bool { return c.look(needle, true) }

func (c *candidateMessage) look(needle string, header bool) bool {
	root, ok := c.structure()
	if !ok {
		return false
	}
	if needle == "" {
		return true
	}
	r, err := c.e.Message.Open()
	if err != nil {
		return false
	}
	defer r.Close()
	found := false
	root.Walk(func(p *mime.Part) bool {
		found = (header || p != root) && inFields(p, needle) ||
			strings.HasPrefix(p.Type, "text/") && c.contains(p.UTF8(r), needle)
		return !found
	})
	return found
}

// inFields looks into a part's header: each field as it is shown.
func inFields(p *mime.Part, needle string) bool {
	for _, f := range p.Fields {
		if strings.Contains(fold(f.Name+": "+f.Text()), needle) {
			return true
		}
	}
	return false
}

// contains looks for needle in what r gives, in pieces that overlap by as much
// as needle can have begun.
func (s *scratch) contains(r io.Reader, needle string) bool {
	if s.buf == nil {
		s.buf = make([]byte, 16<<10)
	}
	s.window = s.window[:0]
	want, kept := []byte(needle), 0
	for {
		n, err := r.Read(s.buf[kept:])
		whole := kept + n
		if err == nil {
			whole = fullRunes(s.buf[:whole])
		}
		s.window = appendFold(s.window, s.buf[:whole])
		if bytes.Contains(s.window, want) {
			return true
		}
		if err != nil {
			return false
		}
		kept = copy(s.buf, s.buf[whole:kept+n])
		if over := len(s.window) - len(want); over > 0 {
			s.window = append(s.window[:0], s.window[over:]...)
		}
	}
}
