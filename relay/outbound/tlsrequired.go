package outbound

import (
	"bufio"
	"bytes"
	"io"
	"strings"
)

// maxHeader is how much of a header is looked through.
const maxHeader = 256 << 10

// relaxed tells whether the sender wants the message delivered rather than secured:
// its header has TLS-Required: No, once (RFC 8689 section 5). One that cannot be
// read asks for nothing.
func (m *mailing) relaxed() bool {
	if m.tlsFree == 0 {
		m.tlsFree = -1
		if r, err := m.msg.Open(); err == nil {
			if saysNo(io.LimitReader(r, maxHeader)) {
				m.tlsFree = 1
			}
			r.Close()
		}
	}
	return m.tlsFree > 0
}

// saysNo reads a header up to the empty line.
func saysNo(r io.Reader) bool {
	br := bufio.NewReader(r)
	value, found := "", 0
	in := false // the field in question, whose value may be folded
	for {
		line, err := br.ReadSlice('\n')
		text := bytes.TrimRight(line, "\r\n")
		name, rest, _ := bytes.Cut(text, []byte(":"))
		switch {
		case len(text) == 0:
			return found == 1 && strings.EqualFold(strings.TrimSpace(value), "no")
		case in && (text[0] == ' ' || text[0] == '\t'):
			value += string(text)
		case strings.EqualFold(strings.TrimRight(string(name), " \t"), "TLS-Required"):
			in, value = true, string(rest)
			found++
		default:
			in = false
		}
		for err == bufio.ErrBufferFull { // the rest of a long line says nothing
			_, err = br.ReadSlice('\n')
		}
		if err != nil {
			return false
		}
	}
}
