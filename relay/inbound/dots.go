package inbound

import "bytes"

// dotDecoder undoes the transparency of DATA, RFC 5321 section 4.5.2, and finds
// the end of the data. Only CRLF.CRLF ends it: every other sequence that looks
// like an end to some server (SMTP smuggling) is content, and is told.
type dotDecoder struct {
	repair  bool // make a bare CR or a bare LF a CRLF
	chunked bool // the octets of BDAT: no dots to be undone, no end
	binary  bool // BODY=BINARYMIME: CR, LF and NUL may stand anywhere

	state dotState
	out   []byte
	bare  bool // a bare CR or a bare LF was seen
	nul   bool // a NUL was seen
}

// dotState is where in a line the decoder stands.
type dotState uint8

const (
	atLineStart dotState = iota // also at the very beginning
	afterDot                    // a dot at the start of a line, not yet put out
	afterDotCR                  // and a CR, not yet put out
	inText
	afterCR // a CR, not yet put out
)

// spoilt tells whether what was seen so far cannot be taken.
func (d *dotDecoder) spoilt() bool { return !d.binary && (d.nul || d.bare && !d.repair) }

// feed decodes some of b, which is not empty. It returns the message's octets
// (good until the next call), how many octets of b it used, and whether the data
// is over; then the rest of b is commands. What stands in b as it goes out is
// returned in place.
func (d *dotDecoder) feed(b []byte) (out []byte, n int, done bool) {
	if n = d.clean(b); n > 0 {
		d.nul = d.nul || bytes.IndexByte(b[:n], 0) >= 0
		return b[:n], n, false
	}
	d.out = d.out[:0]
	for n < len(b) && !done && (n == 0 || d.state != inText && d.state != atLineStart) {
		if d.state == inText {
			n += d.text(b[n:])
			continue
		}
		used := 0
		used, done = d.mark(b[n])
		n += used
	}
	if bytes.IndexByte(b[:n], 0) >= 0 {
		d.nul = true
	}
	return d.out, n, done
}

// clean is how many octets at the start of b go out as they are: up to a dot at
// the start of a line, a CR or LF that may be no line end, or the end of b.
func (d *dotDecoder) clean(b []byte) (n int) {
	if d.state != inText && d.state != atLineStart {
		return 0
	}
	if !d.bare { // or a message full of bare CRs would be looked at again for each of them
		if n = d.lines(b); n > 0 {
			d.state = atLineStart
		}
	}
	return n + d.line(b[n:])
}

// lines is how many octets at the start of b are whole lines that go out as they
// are. As many CRs as LFs, each LF behind a CR, and no CR is bare.
func (d *dotDecoder) lines(b []byte) int {
	rest, count := b, 0
	for dot := d.state == atLineStart; len(rest) > 0 && (!dot || rest[0] != '.' || d.chunked); dot = true {
		end := bytes.IndexByte(rest, '\n')
		if end <= 0 || rest[end-1] != '\r' {
			break
		}
		rest = rest[end+1:]
		count++
	}
	n := len(b) - len(rest)
	if bytes.Count(b[:n], cr) != count {
		return 0
	}
	return n
}

var cr = []byte("\r")

// line is clean line by line. Where one CR or LF was bare and goes on as it is,
// so do others.
func (d *dotDecoder) line(b []byte) (n int) {
	for n < len(b) && (d.state != atLineStart || b[n] != '.' || d.chunked) {
		end := n + lineBreak(b[n:])
		if end > n {
			d.state = inText
		}
		n = end
		switch {
		case n+1 < len(b) && b[n] == '\r' && b[n+1] == '\n':
			n += 2
			d.state = atLineStart
		case d.bare && !d.repair && (n+1 < len(b) || n < len(b) && b[n] == '\n'):
			n++
			d.state = inText
		default:
			return n
		}
	}
	return n
}

// lineBreak is where the first CR or LF is, len(b) where there is none. It looks
// little further than that: of octets that are all line ends, or all of one kind,
// none costs a search through the rest.
func lineBreak(b []byte) int {
	for from, width := 0, 64; ; width *= 2 {
		piece := b[from:min(from+width, len(b))]
		lf := bytes.IndexByte(piece, '\n')
		if lf >= 0 {
			piece = piece[:lf]
		}
		if c := bytes.IndexByte(piece, '\r'); c >= 0 {
			return from + c
		}
		if from += len(piece); lf >= 0 || from == len(b) {
			return from
		}
	}
}

// text takes a run up to and with the next CR or LF.
func (d *dotDecoder) text(b []byte) int {
	i := lineBreak(b)
	d.out = append(d.out, b[:i]...)
	switch {
	case i == len(b):
		return i
	case b[i] == '\n':
		d.stray('\n')
	default:
		d.state = afterCR
	}
	return i + 1
}

// mark takes one octet at a place where it may matter.
func (d *dotDecoder) mark(c byte) (used int, done bool) {
	switch {
	case d.state == atLineStart && c == '.' && !d.chunked:
		d.state = afterDot
		return 1, false
	case d.state == afterDot && c == '\r':
		d.state = afterDotCR
		return 1, false
	case d.state == afterDotCR && c == '\n':
		return 1, true
	case d.state == afterCR && c == '\n':
		d.out = append(d.out, '\r', '\n')
		d.state = atLineStart
		return 1, false
	case d.state == afterCR, d.state == afterDotCR:
		d.stray('\r')
	}
	// The octet is text; a dot before it was stuffed and is gone.
	d.state = inText
	return 0, false
}

// finish is the end of the octets where nothing in them tells it. It returns what
// was kept back.
func (d *dotDecoder) finish() []byte {
	d.out = d.out[:0]
	if d.state == afterCR {
		d.stray('\r')
	}
	return d.out
}

// stray puts out a CR or LF that is no line end.
func (d *dotDecoder) stray(c byte) {
	d.bare = true
	if d.repair {
		d.out = append(d.out, '\r', '\n')
		return
	}
	d.out = append(d.out, c)
}
