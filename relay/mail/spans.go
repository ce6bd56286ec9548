package mail

import (
	"errors"
	"io"
	"sort"
)

// span is a run of octets of an edited message: of text, or of the original
// from off on.
type span struct {
	text []byte
	off  int64 // in the original, where text is nil
	len  int64
	at   int64 // in the edited message
}

// spanReader reads spans over an original as one run of octets.
type spanReader struct {
	r     BlobReader
	spans []span
	size  int64
	pos   int64
}

func newSpanReader(r BlobReader, spans []span) *spanReader {
	s := &spanReader{r: r}
	for _, sp := range spans {
		if sp.len == 0 {
			continue
		}
		sp.at = s.size
		s.size += sp.len
		s.spans = append(s.spans, sp)
	}
	return s
}

func (s *spanReader) Close() error { return s.r.Close() }

func (s *spanReader) Read(p []byte) (int, error) {
	n, err := s.ReadAt(p, s.pos)
	s.pos += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

func (s *spanReader) Seek(off int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		off += s.pos
	case io.SeekEnd:
		off += s.size
	}
	if off < 0 {
		return 0, errors.New("mail: seek before the start of a message")
	}
	s.pos = off
	return off, nil
}

func (s *spanReader) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("mail: read before the start of a message")
	}
	i := sort.Search(len(s.spans), func(i int) bool { return s.spans[i].at+s.spans[i].len > off })
	for ; i < len(s.spans) && n < len(p); i++ {
		sp := s.spans[i]
		in := off + int64(n) - sp.at
		want := min(sp.len-in, int64(len(p)-n))
		if sp.text != nil {
			n += copy(p[n:], sp.text[in:in+want])
			continue
		}
		m, err := s.r.ReadAt(p[n:n+int(want)], sp.off+in)
		n += m
		if int64(m) < want {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF // the original is shorter than it said
			}
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
