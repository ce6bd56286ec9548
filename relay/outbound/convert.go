package outbound

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
)

// form gives the message the form that this server takes: as it came where it can,
// binary parts as lines (RFC 3030) and 8-bit ones in 7 bits (RFC 6152 section 3:
// convert or return) where it cannot. A refusal is for good: no other hop can do
// better. A failure is the host's, for the next one to be asked.
func (s *session) form(m *mailing) (refusal mail.Reply, fail *failure) {
	m.asCame()
	if m.env.Binary && !(s.has("CHUNKING") && s.has("BINARYMIME")) {
		msg, r := asLines(m.msg)
		if !r.IsZero() {
			return r, nil
		}
		m.msg, m.size, m.env.Binary, m.env.EightBit = msg, msg.Size(), false, true
		m.bodyEight = 0
	}
	if !m.env.EightBit || s.has("8BITMIME") {
		return mail.Reply{}, nil
	}
	yes, err := m.eightBit()
	switch {
	case err != nil:
		return mail.Reply{}, unreadable(err)
	case !yes:
		return mail.Reply{}, nil
	}
	if fail := s.breaksSignature(m); fail != nil {
		return mail.Reply{}, fail
	}
	msg, r := asSevenBit(m.msg)
	if r.IsZero() {
		m.msg, m.size, m.env.EightBit = msg, msg.Size(), false
	}
	return r, nil
}

// breaksSignature is the failure of a host for which a message with a DKIM signature
// would have to be converted: the signature is over the body as it is, and receivers
// may refuse mail for a broken one. Other hosts of the route may take it as it is, and
// are asked first. If none does it is converted all the same: RFC 6152 leaves nothing
// else but to return it, and by RFC 6376 section 6.1 a broken signature is as good as
// none.
func (s *session) breaksSignature(m *mailing) *failure {
	if m.anyForm {
		return nil
	}
	signed, err := hasField(m.msg, "DKIM-Signature")
	if err != nil {
		return unreadable(err)
	}
	if !signed {
		return nil
	}
	m.unconverted = true
	fail := s.ours(6, 3, "The server takes no 8-bit content (no 8BITMIME), and to convert it would break the DKIM signature")
	fail.fit = true
	return fail
}

// asCame undoes what was done to the message for another host.
func (m *mailing) asCame() {
	if m.came == nil {
		m.came, m.cameEnv = m.msg, m.env
	}
	if m.msg != m.came {
		m.msg, m.size, m.bodyEight = m.came, m.came.Size(), 0
	}
	m.env.Binary, m.env.EightBit = m.cameEnv.Binary, m.cameEnv.EightBit
}

// asSevenBit is a message with 8-bit content for those who take none, or why it cannot
// be had.
func asSevenBit(msg *mail.Message) (*mail.Message, mail.Reply) {
	blob, err := mime.AsSevenBit(msg)
	const not = "The message has 8-bit content, which the server does not take (no 8BITMIME), and it cannot be converted: "
	switch {
	case err == nil:
		return &mail.Message{Blob: blob}, mail.Reply{}
	case errors.Is(err, mime.ErrSigned):
		return nil, mail.Refuse(54, 6, 3, not+"it is signed (multipart/signed)")
	case strings.HasPrefix(err.Error(), "mime: "):
		return nil, mail.Refuse(54, 6, 3, not+strings.TrimPrefix(err.Error(), "mime: "))
	}
	return nil, mail.Defer(51, 3, 0, fmt.Sprintf("The message cannot be read here: %v", err))
}

// hasField tells whether a field stands in the header.
func hasField(msg *mail.Message, name string) (bool, error) {
	r, err := msg.Open()
	if err != nil {
		return false, err
	}
	defer r.Close()
	br := bufio.NewReaderSize(r, blockSize)
	for atStart := true; ; {
		line, err := br.ReadSlice('\n')
		if atStart {
			text := strings.TrimRight(string(line[:min(len(line), 80)]), "\r\n")
			if text == "" && len(line) > 0 {
				return false, nil
			}
			if n, _, ok := strings.Cut(text, ":"); ok && strings.EqualFold(strings.TrimRight(n, " \t"), name) {
				return true, nil
			}
		}
		switch err {
		case nil:
			atStart = true
		case bufio.ErrBufferFull:
			atStart = false
		case io.EOF:
			return false, nil
		default:
			return false, err
		}
	}
}
