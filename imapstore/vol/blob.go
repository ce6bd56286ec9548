package vol

import (
	"io"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
)

// named is a blob of which only the name is known yet: what a record says while
// the journal replays, and what stays where the journal has lost the octets.
type named struct {
	id   journal.BlobID
	size int64
}

func (n named) Size() int64                    { return n.size }
func (n named) Open() (mail.BlobReader, error) { return nil, journal.ErrNoBlob }

// blobID is the name of the octets of an entry.
func blobID(e *imapstore.Entry) journal.BlobID {
	switch b := e.Message.Blob.(type) {
	case *journal.Blob:
		return b.ID
	case named:
		return b.id
	}
	return 0
}

// source is the octets of a message that is being added: in the journal
// already, or in a new blob that goes into the batch.
type source struct {
	blob *journal.Blob
	w    *journal.BlobWriter
}

// source finds the octets in the journal, or writes them there.
func (s *Store) source(b mail.Blob) (source, error) {
	if jb, ok := b.(*journal.Blob); ok && s.j.Owns(jb) {
		mine, err := s.j.Blob(jb.ID) // which does not keep the memory of its writer
		return source{blob: mine}, err
	}
	r, err := b.Open()
	if err != nil {
		return source{}, err
	}
	defer r.Close()
	w := s.j.NewBlob()
	if _, err := io.Copy(w, r); err != nil {
		w.Discard()
		return source{}, err
	}
	return source{blob: w.Blob(), w: w}, nil
}

// enter puts the source into the batch for n messages. Each of them is a hold.
func (c source) enter(j *journal.Journal, b *journal.Batch, n int) {
	if c.w != nil {
		b.AddBlob(c.w) // held once by it
		return
	}
	for range n {
		j.Hold(c.blob.ID)
	}
}

// settle ends what enter began, once the commit is over. The first of n holds
// is there already where the blob is new.
func (c source) settle(j *journal.Journal, n int, err error) {
	switch {
	case c.w != nil && err != nil:
		c.w.Discard()
	case c.w != nil:
		for range n - 1 {
			j.Hold(c.blob.ID)
		}
	case err != nil:
		for range n {
			j.Release(c.blob.ID)
		}
	}
}
