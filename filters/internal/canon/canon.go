// Package canon is what DKIM and ARC share: the canonical forms of RFC 6376
// section 3.4, lists of tags, key records, and the choice of fields to sign.
package canon

import (
	"fmt"
	"io"
	"strings"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
)

// Relaxed is the relaxed form of a header field (RFC 6376 section 3.4.2),
// without the CRLF behind it. value may be folded.
func Relaxed(name, value string) string {
	var b strings.Builder
	b.Grow(len(name) + len(value) + 1)
	b.WriteString(strings.ToLower(strings.Trim(name, " \t")))
	b.WriteByte(':')
	space, some := false, false
	for i := range len(value) {
		c := value[i]
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			space = true
			continue
		}
		if space && some {
			b.WriteByte(' ')
		}
		space, some = false, true
		b.WriteByte(c)
	}
	return b.String()
}

// Header is the header of a message with its octets, for picking fields.
type Header struct {
	fields []mime.Field
	text   []byte
	off    int64
	byName map[string][]int // indexes, the topmost first
}

// ReadHeader reads the header of p, which lies in blob, if it has at most max
// octets.
func ReadHeader(blob mail.Blob, p *mime.Part, max int64) (*Header, error) {
	if p.Body-p.Off > max {
		return nil, fmt.Errorf("the header is larger than %d octets", max)
	}
	r, err := blob.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	h := &Header{fields: p.Fields, text: make([]byte, p.Body-p.Off), off: p.Off, byName: map[string][]int{}}
	if _, err := r.ReadAt(h.text, p.Off); err != nil && err != io.EOF {
		return nil, err
	}
	for i, f := range p.Fields {
		name := strings.ToLower(f.Name)
		h.byName[name] = append(h.byName[name], i)
	}
	return h, nil
}

// Field is a field in a canonical form, without the CRLF behind it.
func (h *Header) Field(f mime.Field, relaxed bool) string {
	if relaxed {
		return Relaxed(f.Name, f.Raw)
	}
	return strings.TrimSuffix(string(h.text[f.Off-h.off:f.End-h.off]), "\r\n")
}

// Signed writes the fields that an h= tag names, from the bottom upwards
// (RFC 6376 section 5.4.2), each with a CRLF. Names of fields that are not there
// add nothing. names are in lower case.
func (h *Header) Signed(w io.Writer, names []string, relaxed bool) error {
	used := map[string]int{}
	for _, name := range names {
		at := h.byName[name]
		n := len(at) - 1 - used[name]
		if n < 0 {
			continue
		}
		used[name]++
		if _, err := io.WriteString(w, h.Field(h.fields[at[n]], relaxed)+"\r\n"); err != nil {
			return err
		}
	}
	return nil
}

// WithoutB takes the value of the b= tag out of a signature, as it is when it
// is signed (RFC 6376 section 3.7). It works on a field in either form.
func WithoutB(field string) string {
	colon := strings.IndexByte(field, ':') + 1
	list := strings.Split(field[colon:], ";")
	for i, t := range list {
		if name, _, ok := strings.Cut(t, "="); ok && strings.TrimSpace(name) == "b" {
			list[i] = name + "="
		}
	}
	return field[:colon] + strings.Join(list, ";")
}
