package attachment

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"github.com/forepost/forepost/relay/mime"
)

// The bounds of a scan, over the whole message. What lies beyond makes it
// unscannable, never slow.
const (
	maxPart     = 32 << 20 // octets of one part
	maxInflated = 64 << 20 // octets that come out of archives
	maxRatio    = 200      // of one file in an archive: octets out for one in, over a megabyte
	maxFiles    = 2000     // files in archives
	maxDepth    = 2        // archives within archives
)

// scan is the state of looking into one message.
type scan struct {
	ctx    context.Context
	rep    *report
	budget int64 // octets that may still come out of archives
	files  int   // files in archives that may still be looked at
	err    error
}

// closed are archives that are told by their octets and not opened.
var closed = []string{
	"application/x-rar-compressed", "application/x-7z-compressed", "application/x-tar", "application/gzip",
	"application/x-bzip2", "application/x-xz", "application/zstd", "application/x-iso9660-image",
	"application/vnd.ms-cab-compressed", "application/x-lzip",
}

// file looks at the octets of one file.
func (s *scan) file(name string, b []byte, depth int) {
	if len(b) == 0 || s.ctx.Err() != nil {
		return
	}
	m := s.rep.magic(b)
	if isOLE(b) {
		if oleMacros(b) {
			s.rep.macros = true
		}
		if oleEncrypted(b) {
			s.rep.encrypted = true // an Office document with a password
		}
		return
	}
	if isZip(b, m) {
		s.zip(mime.CleanName(name), b, depth)
		return
	}
	for _, c := range closed {
		if m.Is(c) {
			s.rep.cannot("an archive of a sort that is not opened: " + c)
		}
	}
}

// isZip knows a zip by its magic, or by the end that readers look for: octets
// may stand before it (self-extracting ones, tricks).
func isZip(b []byte, m *mimetype.MIME) bool {
	for at := m; at != nil; at = at.Parent() {
		if at.Is("application/zip") {
			return true
		}
	}
	tail := b[max(0, len(b)-(1<<16)-22):]
	return bytes.Contains(tail, []byte("PK\x05\x06"))
}

// zip looks at an archive: its names, and its files where they can be.
func (s *scan) zip(name string, b []byte, depth int) {
	if depth >= maxDepth {
		s.rep.cannot("an archive stands too deep within others")
		return
	}
	if bytes.Count(b, []byte("PK\x01\x02")) > s.files {
		s.rep.cannot("an archive has too many files")
		return
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if z == nil || err != nil && len(z.File) == 0 {
		s.rep.cannot("an archive is broken")
		return
	}
	for _, f := range z.File {
		if s.files--; s.files < 0 {
			s.rep.cannot("an archive has too many files")
			return
		}
		s.entry(name, f, depth)
	}
}

// entry looks at one file of an archive.
func (s *scan) entry(archive string, f *zip.File, depth int) {
	s.rep.name(archive, f.Name)
	lower := strings.ToLower(mime.CleanName(f.Name))
	if strings.HasSuffix(lower, "vbaproject.bin") || strings.HasSuffix(lower, "vbadata.xml") {
		s.rep.macros = true
	}
	const encrypted = 1 << 0 // APPNOTE.TXT 4.4.4, bit 0
	switch {
	case strings.HasSuffix(f.Name, "/"):
	case f.Flags&encrypted != 0:
		s.rep.encrypted = true
	case worthOpening(lower):
		if b, ok := s.inflate(f); ok {
			s.file(archive+"/"+mime.CleanName(f.Name), b, depth+1)
		}
	}
}

// worthOpening leaves out the many small parts of an Office document, which
// say nothing more.
func worthOpening(name string) bool {
	return !strings.HasSuffix(name, ".xml") && !strings.HasSuffix(name, ".rels")
}

// inflate reads a file of an archive, within the bounds of the scan. What an
// archive says about its sizes is not believed.
func (s *scan) inflate(f *zip.File) ([]byte, bool) {
	if s.budget <= 0 {
		s.rep.cannot("archives hold too much")
		return nil, false
	}
	r, err := f.Open()
	if err != nil {
		s.rep.cannot("a file in an archive cannot be opened")
		return nil, false
	}
	defer r.Close()
	most := min(s.budget, maxPart, max(1<<20, int64(min(f.CompressedSize64, maxPart))*maxRatio))
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	s.budget -= int64(len(b))
	if int64(len(b)) > most {
		s.rep.cannot("a file in an archive is packed beyond measure")
		return b[:min(len(b), 1<<16)], true // its beginning still says what it is
	}
	if err != nil {
		s.rep.cannot("a file in an archive is broken")
	}
	return b, len(b) > 0
}
