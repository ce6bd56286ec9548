package canon

import "io"

// Body brings what is written to it into a canonical form of RFC 6376 section
// 3.4 and passes that on: simple as it is but for empty lines at the end,
// relaxed without white space that means nothing. Only CRLF ends a line.
type Body struct {
	w       io.Writer
	relaxed bool
	out     []byte
	crlfs   int  // line ends not yet passed on: they may be the last
	space   bool // relaxed: white space before whatever comes
	cr      bool // a CR whose LF may follow
	some    bool // something was passed on
}

// NewBody makes a Body that writes to w, a hash as a rule.
func NewBody(w io.Writer, relaxed bool) *Body { return &Body{w: w, relaxed: relaxed} }

// Write takes the next octets of a body.
func (b *Body) Write(p []byte) (int, error) {
	b.out = b.out[:0]
	for i := 0; i < len(p); {
		if n := b.plain(p[i:]); n > 0 {
			b.text(p[i : i+n])
			i += n
			continue
		}
		b.special(p[i])
		i++
	}
	if _, err := b.w.Write(b.out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// The octets that a canonical form may treat in another way than as text.
var (
	ofSimple  = [256]bool{'\r': true}
	ofRelaxed = [256]bool{'\r': true, ' ': true, '\t': true}
)

// plain is how many octets at the beginning of p are passed on as they are: text,
// and one blank or one line end between text, so that ordinary lines go through in
// one piece.
func (b *Body) plain(p []byte) int {
	special := &ofSimple
	if b.relaxed {
		special = &ofRelaxed
	}
	if special[p[0]] || b.cr && p[0] == '\n' {
		return 0
	}
	i := 1
	for i < len(p) {
		switch c := p[i]; {
		case !special[c]:
			i++
		case c == ' ' && i+1 < len(p) && !special[p[i+1]]:
			i += 2
		case c == '\r' && i+2 < len(p) && p[i+1] == '\n' && !special[p[i+2]]:
			i += 3
		default:
			return i
		}
	}
	return i
}

func (b *Body) special(c byte) {
	switch {
	case c == '\n': // behind a CR
		b.cr, b.space = false, false
		b.crlfs++
	case c == '\r':
		if b.cr {
			b.cr = false
			b.text([]byte{'\r'})
		}
		b.cr = true
	default:
		if b.cr {
			b.text(nil)
		}
		b.space = true
	}
}

// text passes on what was held back, and t.
func (b *Body) text(t []byte) {
	for ; b.crlfs > 0; b.crlfs-- {
		b.out = append(b.out, '\r', '\n')
	}
	if b.space {
		b.out = append(b.out, ' ')
	}
	if b.cr {
		b.out = append(b.out, '\r')
	}
	b.space, b.cr, b.some = false, false, true
	b.out = append(b.out, t...)
}

// Close ends the body: one line end behind the last text; for simple one also
// where there is no text (RFC 6376 sections 3.4.3 and 3.4.4).
func (b *Body) Close() error {
	b.out = b.out[:0]
	if b.cr {
		b.text(nil)
	}
	if b.some || !b.relaxed {
		b.out = append(b.out, '\r', '\n')
	}
	_, err := b.w.Write(b.out)
	return err
}
