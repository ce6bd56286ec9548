package mime

import (
	"io"

	"github.com/forepost/forepost/relay/mail"
)

// The room behind this contract is being built.
type parser struct{}

func newParser(Limits) parser                { return parser{} }
func (p *parser) write([]byte)               {}
func (p *parser) close() *Part               { return &Part{} }
func parse(mail.Blob, Limits) (*Part, error) { return &Part{}, nil }

// Get is the unfolded, undecoded value of the first field of that name, "" for none.
func (p *Part) Get(name string) string { return "" }

// All are the fields of that name, in order; name in any case.
func (p *Part) All(name string) []Field { return nil }

// Text is the field's value for people: unfolded, encoded words (RFC 2047) undone, controls taken out.
func (f Field) Text() string { return f.Raw }

// Has tells whether the defect was seen in p or in a part of it.
func (p *Part) Has(d Defect) bool { return false }

// Walk calls f for p and every part below it, parents first, until f says false.
func (p *Part) Walk(f func(p *Part) bool) {}

// Mailbox is an address of a header field (RFC 5322 section 3.4).
type Mailbox struct {
	Name    string // for people; encoded words undone
	Address string // as written: local@domain
	Group   string // the group that it stands in, "" for none
}

// Mailboxes reads an address list as leniently as mail clients do.
// ok is false where parts of it could not be read.
func Mailboxes(raw string) (list []Mailbox, ok bool) { return nil, false }

// Content reads the body of a leaf part, its transfer encoding undone. At damage it goes on as clients do.
func (p *Part) Content(r io.ReaderAt) io.Reader { return nil }

// UTF8 is Content of a text part turned into UTF-8 by its charset.
func (p *Part) UTF8(r io.ReaderAt) io.Reader { return nil }
