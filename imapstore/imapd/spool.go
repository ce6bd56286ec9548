package imapd

import (
	"bytes"
	"io"
	"os"

	"github.com/forepost/forepost/imapstore/imapd/wire"
	"github.com/forepost/forepost/relay/mail"
)

// spoolMemory is how much of a message that is being appended stays in memory;
// a bigger one goes to a temporary file until the store has it.
const spoolMemory = 256 << 10

// spooled is an appended message on its way to the store. It is a mail.Blob
// until discard.
type spooled struct {
	mail.Blob
	file *os.File
	nul  bool // it holds a NUL
}

// spool reads a literal to its end.
func spool(lit *wire.Stream) (*spooled, error) {
	s := &spooled{}
	r := &nulFinder{r: lit, found: &s.nul}
	if lit.Size <= spoolMemory {
		b := make([]byte, lit.Size)
		_, err := io.ReadFull(r, b)
		s.Blob = mail.Bytes(b)
		return s, err
	}
	f, err := os.CreateTemp("", "forepost-append-*")
	if err != nil {
		return nil, err
	}
	s.file, s.Blob = f, fileBlob{f, lit.Size}
	os.Remove(f.Name()) // the open file lives on, and goes with us if we crash
	if _, err := io.CopyN(f, r, lit.Size); err != nil {
		s.discard()
		return nil, err
	}
	return s, nil
}

// discard gives the space back.
func (s *spooled) discard() {
	if s.file != nil {
		s.file.Close()
	}
}

type nulFinder struct {
	r     io.Reader
	found *bool
}

func (n *nulFinder) Read(p []byte) (int, error) {
	m, err := n.r.Read(p)
	*n.found = *n.found || bytes.IndexByte(p[:m], 0) >= 0
	return m, err
}

// fileBlob is a file of known size as a mail.Blob; its readers share the file.
type fileBlob struct {
	f    *os.File
	size int64
}

func (b fileBlob) Size() int64 { return b.size }

func (b fileBlob) Open() (mail.BlobReader, error) {
	return sharedReader{io.NewSectionReader(b.f, 0, b.size)}, nil
}

type sharedReader struct{ *io.SectionReader }

func (sharedReader) Close() error { return nil }
