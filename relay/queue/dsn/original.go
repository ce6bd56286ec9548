package dsn

import (
	"bytes"
	"io"
	"strings"
)

const (
	defaultMax = 1 << 20  // octets of a message that is returned whole
	maxHeader  = 64 << 10 // octets of a header that is returned
)

// returned is the last part of a report.
type returned struct {
	typ, about string
	body       []byte
}

// original is the message, where RET=FULL asks for it, it failed, and it is not
// too large; else its header (RFC 3461 section 4.3: without RET it is ours to
// choose, and the header alone gives a forger nothing to send by our hand).
func (r *Report) original() (returned, error) {
	limit := r.MaxOriginal
	if limit == 0 {
		limit = defaultMax
	}
	f, err := r.Original.Open()
	if err != nil {
		return returned{}, err
	}
	defer f.Close()
	whole := r.Envelope.Ret == "FULL" && r.Action == Failed && !r.Envelope.RequireTLS && !r.Envelope.Binary && r.Original.Size() <= limit
	if whole {
		body, err := io.ReadAll(f)
		return returned{r.pick("message/rfc822", "message/global"), "Undelivered message", body}, err
	}
	header, err := readHeader(f)
	if r.Envelope.RequireTLS {
		header = redact(header)
	}
	return returned{r.pick("text/rfc822-headers", "message/global-headers"), "Header of the message", header}, err
}

func (r *Report) pick(plain, global string) string {
	if r.utf8() {
		return global // RFC 6533 section 5
	}
	return plain
}

// readHeader reads up to the empty line, and of a header that is too long the
// lines that fit.
func readHeader(r io.Reader) ([]byte, error) {
	p, err := io.ReadAll(io.LimitReader(r, maxHeader))
	if bytes.HasPrefix(p, []byte("\r\n")) {
		return nil, err
	}
	if i := bytes.Index(p, []byte("\r\n\r\n")); i >= 0 {
		return p[:i+2], err
	}
	if i := bytes.LastIndex(p, []byte("\r\n")); i >= 0 {
		return p[:i+2], err
	}
	return nil, err // one endless line: nothing that could be shown
}

// redact keeps what tells the sender which message it was: one that asked for
// REQUIRETLS must not come back in the clear (RFC 8689 section 5).
func redact(header []byte) []byte {
	var b bytes.Buffer
	keep := false
	for line := range bytes.SplitAfterSeq(header, []byte("\r\n")) {
		if len(line) > 0 && line[0] != ' ' && line[0] != '\t' {
			name, _, _ := strings.Cut(string(line), ":")
			keep = strings.EqualFold(name, "Message-ID") || strings.EqualFold(name, "Date")
		}
		if keep {
			b.Write(line)
		}
	}
	return b.Bytes()
}
