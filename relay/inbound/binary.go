package inbound

import (
	"io"
	"slices"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
)

// checkBinary looks at a message that came under BODY=BINARYMIME, RFC 3030
// section 3. Octets that are no lines stand in the bodies of parts that say so;
// anywhere else a CR, LF or NUL is what it is in every message. One without such
// octets is not binary any more: it goes on as others do.
func (s *session) checkBinary(tx *transaction) (r mail.Reply, rule string) {
	if !tx.env.Binary {
		return r, ""
	}
	f, err := tx.Message.Blob.Open()
	if err != nil {
		return mail.Defer(51, 3, 0, "The message could not be read, try again later"), "spool"
	}
	defer f.Close()
	binary, bare := false, false
	tx.Part.Walk(func(p *mime.Part) bool {
		free := p.Encoding == "binary" && p.IsLeaf()
		switch {
		case free:
			binary = true
			bare = bare || strays(f, p.Off, p.Body)
		case p.IsLeaf():
			bare = bare || strays(f, p.Off, p.End)
		default: // what stands between its parts, too
			bare = bare || strays(f, p.Off, p.Body) || slices.Contains(p.Defects, mime.DefectBareCRLF) || slices.Contains(p.Defects, mime.DefectNUL)
		}
		return true
	})
	if bare {
		return mail.Refuse(54, 6, 0, "The message has a CR, LF or NUL outside of its binary parts"), "lines"
	}
	tx.env.Binary = binary
	return r, ""
}

// strays tells whether octets have a CR or LF that is no line end, or a NUL. What
// cannot be read has one.
func strays(r io.ReaderAt, from, to int64) bool {
	buf := make([]byte, 32<<10)
	var last byte
	for from < to {
		n, err := r.ReadAt(buf[:min(int64(len(buf)), to-from)], from)
		if n == 0 {
			return err != nil
		}
		from += int64(n)
		for _, c := range buf[:n] {
			if c == 0 || last == '\r' && c != '\n' || c == '\n' && last != '\r' {
				return true
			}
			last = c
		}
	}
	return last == '\r'
}
