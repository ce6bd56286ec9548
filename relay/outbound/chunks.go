package outbound

import (
	"bufio"
	"io"
	"strconv"
	"sync"
)

// Where the server knows CHUNKING (RFC 3030) the message goes out in counted chunks:
// nothing is looked for in it, no dot is doubled, and binary content passes.

const (
	chunkSize = 128 << 10
	cmdRoom   = 32 // for BDAT, the size, LAST
	unread    = 4  // replies to chunks that are left to wait, so that neither side blocks
)

// chunkBuffer has room for a command, a chunk, and an octet of the next.
type chunkBuffer [cmdRoom + chunkSize + 1]byte

var (
	chunkBuffers = sync.Pool{New: func() any { return new(chunkBuffer) }}
	lineReaders  = sync.Pool{New: func() any { return &lineReader{r: bufio.NewReaderSize(nil, blockSize)} }}
)

// chunked is one transaction with BDAT in place of DATA.
func (s *session) chunked(m *mailing, to []int) *failure {
	accepted, _, fail := s.envelope(m, to)
	if fail != nil || len(accepted) == 0 {
		return fail
	}
	c := &chunks{s: s, m: m, to: accepted}
	if fail := c.send(); fail != nil || c.over {
		return fail
	}
	return s.verdict(m, accepted)
}

// chunks is a message on its way in chunks.
type chunks struct {
	s    *session
	m    *mailing
	to   []int
	buf  *chunkBuffer
	sent int  // chunks whose replies were not read yet
	over bool // the server refused a chunk: there is no verdict to come
}

// send sends all chunks. The reply to the last one is the verdict.
func (c *chunks) send() *failure {
	r, err := c.m.msg.Open()
	if err != nil {
		c.s.broken = true
		return unreadable(err)
	}
	defer r.Close()
	src := &source{r: r}
	if c.m.env.Binary {
		return c.pump(src, src)
	}
	l := newLineReader(src)
	defer l.giveBack()
	return c.pump(src, l)
}

// pump reads chunk after chunk, and an octet more, to know the last; src tells
// whether it was reading that failed.
func (c *chunks) pump(src *source, r io.Reader) *failure {
	c.buf = chunkBuffers.Get().(*chunkBuffer)
	defer chunkBuffers.Put(c.buf)
	p, have := c.buf[cmdRoom:], 0
	for {
		n, err := io.ReadFull(r, p[have:])
		if src.err != nil {
			c.s.broken = true // half a message must not end here
			return unreadable(src.err)
		}
		have += n
		if err != nil {
			return c.chunk(have, true)
		}
		if fail := c.chunk(chunkSize, false); fail != nil || c.over {
			return fail
		}
		p[0], have = p[chunkSize], 1
	}
}

// chunk sends the first n octets that were read as a chunk, and reads replies to those
// before.
func (c *chunks) chunk(n int, last bool) *failure {
	s := c.s
	var room [cmdRoom]byte
	cmd := strconv.AppendInt(append(room[:0], "BDAT "...), int64(n), 10)
	if last {
		cmd = append(cmd, " LAST"...)
	}
	cmd = append(cmd, "\r\n"...)
	from := cmdRoom - copy(c.buf[cmdRoom-len(cmd):], cmd) // in front of the octets: one write
	if _, err := s.w.Write(c.buf[from : cmdRoom+n]); err != nil {
		return s.lost("we sent the message", err)
	}
	c.m.sent = last
	if err := s.flush(); err != nil {
		if last {
			s.unknown(c.m, c.to, err)
			c.over = true
			return nil
		}
		return s.lost("we sent the message", err)
	}
	for c.sent++; c.sent > unread || last && c.sent > 1; c.sent-- {
		if fail := c.reply(); fail != nil || c.over {
			return fail
		}
	}
	return nil
}

// reply reads the reply to a chunk that is not the last.
func (c *chunks) reply() *failure {
	s := c.s
	r, err := s.read(doneTime)
	switch {
	case err != nil && c.m.sent:
		s.unknown(c.m, c.to, err)
		c.over = true
		return nil
	case err != nil:
		return s.lost("we waited for the reply to BDAT", err)
	case r.ok():
		return nil
	case r.code == 421:
		return s.refused(r)
	case !c.m.settle(s, c.to, r):
		return s.odd(nil, r, "BDAT")
	}
	c.over, s.broken = true, true // replies to chunks under way are still to come: not worth waiting for
	return nil
}

// lineReader gives what it reads with CRLF at the end of each line, the last one, too,
// and no other CR or LF: what dataWriter does, without the dots.
type lineReader struct {
	r      *bufio.Reader
	out    []byte // not read yet: of r's buffer, or of made
	made   []byte
	inLine bool
	cr     bool
	done   bool
}

func newLineReader(r io.Reader) *lineReader {
	l := lineReaders.Get().(*lineReader)
	*l = lineReader{r: l.r, made: l.made[:0]}
	l.r.Reset(r)
	return l
}

// giveBack ends the use of l.
func (l *lineReader) giveBack() {
	l.r.Reset(nil)
	lineReaders.Put(l)
}

// Read implements io.Reader.
func (l *lineReader) Read(p []byte) (int, error) {
	for len(l.out) == 0 {
		if l.done {
			return 0, io.EOF
		}
		if err := l.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, l.out)
	l.out = l.out[n:]
	return n, nil
}

// fill takes up what the reader has at once.
func (l *lineReader) fill() error {
	if _, err := l.r.Peek(1); err == io.EOF {
		l.done = true
		if l.cr || l.inLine {
			l.out = []byte("\r\n")
		}
		return nil
	} else if err != nil {
		return err
	}
	in, _ := l.r.Peek(l.r.Buffered())
	if !l.cr && tidy(in, false) { // as it is nearly always
		l.out, l.inLine = in, in[len(in)-1] != '\n'
	} else {
		l.made = l.mend(l.made[:0], in)
		l.out = l.made
	}
	_, err := l.r.Discard(len(in)) // in stays until the next Peek
	return err
}

// mend appends in to out with its line ends put right.
func (l *lineReader) mend(out, in []byte) []byte {
	for _, b := range in {
		if l.cr {
			l.cr, l.inLine = false, false
			out = append(out, '\r', '\n')
			if b == '\n' {
				continue
			}
		}
		switch b {
		case '\r':
			l.cr = true
		case '\n':
			l.inLine = false
			out = append(out, '\r', '\n')
		default:
			l.inLine = true
			out = append(out, b)
		}
	}
	return out
}
