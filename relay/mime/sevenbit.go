package mime

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/forepost/forepost/relay/mail"
)

// ErrEightBitHeader is what AsSevenBit says of octets over 127 in a header: no
// transfer encoding is for those.
var ErrEightBitHeader = errors.New("mime: a header field has octets outside ASCII")

// AsSevenBit gives a message with 8-bit bodies (RFC 6152) the form in which it goes
// to a server that takes none, section 3: leaf parts that have octets over 127 in
// quoted-printable or base64, those that hold them labelled 7bit, all else as it is.
// What cannot be converted is an error: a signed part (ErrSigned), a header
// (ErrEightBitHeader), a part that says it is encoded already, or one of a type that
// must not be (RFC 2046 section 5.2). A signature over the whole message, such as
// DKIM's, does not survive. The blob must be good as long as what is returned.
func AsSevenBit(blob mail.Blob) (mail.Blob, error) {
	root, err := Parse(blob, Limits{})
	if err != nil {
		return nil, err
	}
	r, err := blob.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	n := &narrowed{lined: lined{blob: blob}, r: r, root: root}
	if err := n.part(root, false); err != nil {
		return nil, err
	}
	n.copy(blob.Size())
	return &n.lined, nil
}

// narrowed makes the runs of a message in 7 bits.
type narrowed struct {
	lined
	r    io.ReaderAt
	root *Part
}

// inMemory is how much text is kept in quoted-printable, or without its octets over
// 127 where nobody looks; more of it goes in base64, which is encoded while it is read.
const inMemory = 64 << 10

// part takes up a part and those inside of it, in the order of the message.
func (n *narrowed) part(p *Part, signed bool) error {
	wide, err := n.wide(p.Off, p.End)
	if err != nil || !wide {
		return err
	}
	if in, err := n.wide(p.Off, p.Body); err != nil || in {
		return errors.Join(err, ErrEightBitHeader)
	}
	if signed {
		return ErrSigned
	}
	if p.IsLeaf() {
		return n.leaf(p)
	}
	if len(p.Parts) == 0 && p.Message == nil {
		return fmt.Errorf("mime: a part of the type %s has octets outside ASCII, and it is not known what is in it", p.Type)
	}
	n.label(p, "7bit")
	signed = p.Type == "multipart/signed"
	at := p.Body
	for _, in := range p.Parts {
		if err := n.between(at, in.Off); err != nil {
			return err
		}
		if err := n.part(in, signed); err != nil {
			return err
		}
		at = in.End
	}
	if p.Message != nil {
		if err := n.part(p.Message, signed); err != nil {
			return err
		}
		at = p.End
	}
	return n.between(at, p.End)
}

// leaf encodes a body.
func (n *narrowed) leaf(p *Part) error {
	switch p.Encoding {
	case "7bit", "8bit", "binary":
	default:
		return fmt.Errorf("mime: a part says that it is in %s, and has octets outside ASCII", p.Encoding)
	}
	if strings.HasPrefix(p.Type, "message/") {
		return fmt.Errorf("mime: a part of the type %s has octets outside ASCII and must not be encoded", p.Type)
	}
	size := p.End - p.Body
	if strings.HasPrefix(p.Type, "text/") && p.Encoding != "binary" && size <= inMemory {
		body, err := n.read(p.Body, p.End)
		if err != nil {
			return err
		}
		n.label(p, "quoted-printable")
		n.copy(p.Body)
		n.text(quote(body))
		n.at = p.End
		return nil
	}
	n.label(p, "base64")
	n.copy(p.Body)
	n.add(run{off: p.Body, len: size, size: encodedSize(size), base64: true})
	n.at = p.End
	return nil
}

// between takes up what stands around parts: boundaries, and text that is shown to
// nobody.
func (n *narrowed) between(from, to int64) error {
	wide, err := n.wide(from, to)
	if err != nil || !wide {
		return err
	}
	if to-from > inMemory {
		return errors.New("mime: text around parts has octets outside ASCII, and much of it")
	}
	b, err := n.read(from, to)
	if err != nil {
		return err
	}
	for i := range b {
		if b[i] > 127 {
			b[i] = '?'
		}
	}
	n.copy(from)
	n.text(b)
	n.at = to
	return nil
}

func (n *narrowed) text(b []byte) { n.add(run{text: string(b), size: int64(len(b))}) }

// label states an encoding: in place of the fields that are there, else on top of
// the part's header, with what makes a message without it one of MIME.
func (n *narrowed) label(p *Part, encoding string) {
	text := "Content-Transfer-Encoding: " + encoding + "\r\n"
	old := p.All("Content-Transfer-Encoding")
	if len(old) == 0 {
		if encoding == "7bit" {
			return
		}
		if p == n.root && len(p.All("MIME-Version")) == 0 {
			text += "MIME-Version: 1.0\r\n"
		}
		if len(p.All("Content-Type")) == 0 {
			text += "Content-Type: text/plain; charset=" + n.charset(p) + "\r\n"
		}
		n.copy(p.Off)
		n.text([]byte(text))
		return
	}
	for _, f := range old {
		n.copy(f.Off)
		n.text([]byte(text))
		n.at, text = f.End, ""
	}
}

// charset is the name for 8-bit text that states none, RFC 1428 section 3 where it is
// not UTF-8.
func (n *narrowed) charset(p *Part) string {
	b, err := n.read(p.Body, min(p.End, p.Body+inMemory))
	if err == nil && utf8.Valid(b) {
		return "utf-8"
	}
	return "unknown-8bit"
}

func (n *narrowed) read(from, to int64) ([]byte, error) {
	b := make([]byte, to-from)
	if m, err := n.r.ReadAt(b, from); m < len(b) {
		return nil, shorter(err)
	}
	return b, nil
}

// wide tells whether there are octets over 127 in a run of the original.
func (n *narrowed) wide(from, to int64) (bool, error) {
	src := io.NewSectionReader(n.r, from, max(0, to-from))
	var b [16 << 10]byte
	for {
		m, err := src.Read(b[:])
		for _, c := range b[:m] {
			if c > 127 {
				return true, nil
			}
		}
		switch {
		case err == io.EOF:
			return false, nil
		case err != nil:
			return false, err
		}
	}
}

// quote is text in quoted-printable, RFC 2045 section 6.7: its line ends stay.
func quote(text []byte) []byte {
	out := make([]byte, 0, len(text)*5/4)
	for len(text) > 0 {
		line, rest, found := bytes.Cut(text, []byte("\r\n"))
		out = quoteLine(out, line)
		if found {
			out = append(out, "\r\n"...)
		}
		text = rest
	}
	return out
}

func quoteLine(out, line []byte) []byte {
	const longest = 76
	const hex = "0123456789ABCDEF"
	width := 0
	for i, c := range line {
		plain := c >= ' ' && c <= '~' && c != '=' || c == '\t'
		if plain && (c == ' ' || c == '\t') && i == len(line)-1 {
			plain = false // white space at the end of a line would be taken off
		}
		need := 3
		if plain {
			need = 1
		}
		if last := i == len(line)-1; width+need > longest || !last && width+need > longest-1 {
			out, width = append(out, "=\r\n"...), 0
		}
		if plain {
			out = append(out, c)
		} else {
			out = append(out, '=', hex[c>>4], hex[c&15])
		}
		width += need
	}
	return out
}
