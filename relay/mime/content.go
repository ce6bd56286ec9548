package mime

import (
	"errors"
	"io"
)

// Content reads the body of a leaf part, its transfer encoding undone. At
// damage it goes on as clients do: octets that do not belong into base64 are
// passed over, an equals sign that begins nothing stands for itself.
func (p *Part) Content(r io.ReaderAt) io.Reader {
	body := io.NewSectionReader(r, p.Body, max(p.End-p.Body, 0))
	switch p.Encoding {
	case "base64":
		return &decodingReader{src: body, dec: &base64Decoder{}}
	case "quoted-printable":
		return &decodingReader{src: body, dec: &qpDecoder{}}
	}
	return body
}

// decoder undoes an encoding octet by octet.
type decoder interface {
	decode(dst, src []byte) []byte
	finish(dst []byte) []byte
}

// decodingReader reads through a decoder.
type decodingReader struct {
	src  io.Reader
	dec  decoder
	in   [4096]byte
	out  []byte
	next int
	err  error
}

// Read implements io.Reader.
func (d *decodingReader) Read(b []byte) (int, error) {
	for d.next == len(d.out) {
		if d.err != nil {
			return 0, d.err
		}
		n, err := d.src.Read(d.in[:])
		d.out, d.next = d.dec.decode(d.out[:0], d.in[:n]), 0
		if err != nil {
			d.out, d.err = d.dec.finish(d.out), err
		}
	}
	n := copy(b, d.out[d.next:])
	d.next += n
	return n, nil
}

// base64Decoder is RFC 2045 section 6.8; padding ends a group, not the body,
// since some senders join encoded pieces.
type base64Decoder struct {
	bits uint32
	n    int
}

var base64Values = func() (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	for i, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		t[c] = int8(i)
	}
	return t
}()

func (d *base64Decoder) decode(dst, src []byte) []byte {
	for _, c := range src {
		v := base64Values[c]
		if v < 0 {
			if c == '=' {
				dst = d.finish(dst)
			}
			continue
		}
		d.bits, d.n = d.bits<<6|uint32(v), d.n+1
		if d.n == 4 {
			dst = append(dst, byte(d.bits>>16), byte(d.bits>>8), byte(d.bits))
			d.bits, d.n = 0, 0
		}
	}
	return dst
}

func (d *base64Decoder) finish(dst []byte) []byte {
	switch d.n {
	case 2:
		dst = append(dst, byte(d.bits>>4))
	case 3:
		dst = append(dst, byte(d.bits>>10), byte(d.bits>>2))
	}
	d.bits, d.n = 0, 0
	return dst
}

// qpDecoder is RFC 2045 section 6.7. held are octets whose meaning the next
// one decides: an equals sign and what follows it, or white space that may end
// a line.
type qpDecoder struct{ held []byte }

// maxHeld bounds white space that waits for a line end.
const maxHeld = 1000

func (d *qpDecoder) decode(dst, src []byte) []byte {
	for _, c := range src {
		dst = d.octet(dst, c)
	}
	return dst
}

func (d *qpDecoder) octet(dst []byte, c byte) []byte {
	if len(d.held) > 0 && d.held[0] == '=' {
		return d.escaped(dst, c)
	}
	switch c {
	case '=':
		dst = d.finish(dst)
		d.held = append(d.held, c)
	case ' ', '\t':
		if len(d.held) >= maxHeld {
			dst = d.finish(dst)
		}
		d.held = append(d.held, c)
	case '\r', '\n': // white space at the end of a line was added on the way
		d.held = d.held[:0]
		dst = append(dst, c)
	default:
		dst = append(d.finish(dst), c)
	}
	return dst
}

// escaped takes the octet behind an equals sign: a soft line break (with the
// white space that some relays put before it), a hex pair, or damage.
func (d *qpDecoder) escaped(dst []byte, c byte) []byte {
	last := d.held[len(d.held)-1]
	switch {
	case c == '\n':
		d.held = d.held[:0]
	case last == '\r':
		d.held = d.held[:0]
		return d.octet(dst, c) // a soft break by a lone CR
	case c == '\r' && !isHex(last), (c == ' ' || c == '\t') && !isHex(last) && len(d.held) < maxHeld:
		d.held = append(d.held, c)
	case isHex(c) && last == '=':
		d.held = append(d.held, c)
	case isHex(c) && isHex(last):
		dst = append(dst, unhex(last)<<4|unhex(c))
		d.held = d.held[:0]
	default:
		dst = d.octet(d.finish(dst), c)
	}
	return dst
}

func (d *qpDecoder) finish(dst []byte) []byte {
	dst = append(dst, d.held...)
	d.held = d.held[:0]
	return dst
}

// copyAll feeds a parser.
func copyAll(p *Parser, r io.Reader) error {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		p.write(buf[:n])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
