package outbound

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
)

// mailing is one message on its way to some recipients of its envelope, over
// one host after the other until each of them has an answer.
type mailing struct {
	env      mail.Envelope
	msg      *mail.Message
	size     int64
	attempts []queue.Attempt // of all recipients of env; Outcome 0: no answer yet
	until    time.Time       // when no further host is tried
	sent     bool            // the end of the message went out: it may have been taken

	tlsFree int8 // whether the header says TLS-Required: No: 0 not looked yet, 1 yes, -1 no

	headerUTF8 bool // the header has octets outside ASCII
	bodyEight  int8 // whether the body has: 0 not looked yet, 1 yes, -1 no

	came        *mail.Message // before it was given another form for a host
	cameEnv     mail.Envelope
	anyForm     bool                  // hosts that would take it as it is were all asked
	unconverted bool                  // a host was passed over for that
	elsewhere   []int                 // recipients that were deferred by a host in trouble: others may take them
	prior       map[int]queue.Attempt // what it said
}

func newMailing(env mail.Envelope, msg *mail.Message, until time.Time) (*mailing, error) {
	m := &mailing{env: env, msg: msg, size: msg.Size(), until: until, attempts: make([]queue.Attempt, len(env.To))}
	for i := range m.attempts {
		m.attempts[i].To = i
	}
	if !env.SMTPUTF8 {
		return m, nil
	}
	var err error
	m.headerUTF8, err = scan(msg, true)
	return m, err
}

// pending are those of some recipients that have no answer yet.
func (m *mailing) pending(to []int) []int {
	var out []int
	for _, i := range to {
		if m.attempts[i].Outcome == 0 {
			out = append(out, i)
		}
	}
	return out
}

// settle writes a server's answer down for some recipients. False is an answer
// that is neither yes nor no.
func (m *mailing) settle(s *session, to []int, r response) bool {
	a := queue.Attempt{Host: s.host, TLS: s.tls, Note: s.note, Remote: true, DSN: s.has("DSN")}
	switch r.class() {
	case 2:
		a.Outcome, a.Said = queue.Delivered, r.said()
	case 4:
		a.Outcome, a.Reply = queue.Soft, r.reply()
	case 5:
		a.Outcome, a.Reply = queue.Hard, r.reply()
	default:
		return false
	}
	m.note(to, a)
	return true
}

// fail writes a failure of a host down for the recipients without an answer.
func (m *mailing) fail(to []int, f *failure) {
	for _, i := range m.pending(to) {
		if a, ok := m.prior[i]; ok {
			m.attempts[i] = a
		}
	}
	a := queue.Attempt{Outcome: queue.Soft, Reply: f.reply, Host: f.host, TLS: f.tls, Remote: f.remote}
	if f.reply.Class == mail.Permanent {
		a.Outcome = queue.Hard
	}
	m.note(m.pending(to), a)
}

// open are those of some recipients for whom another host may be asked. What a host
// in trouble said stays their answer if no other has one.
func (m *mailing) open(to []int) []int {
	for _, i := range m.elsewhere {
		if m.prior == nil {
			m.prior = map[int]queue.Attempt{}
		}
		m.prior[i] = m.attempts[i]
		m.attempts[i] = queue.Attempt{To: i}
	}
	m.elsewhere = nil
	return m.pending(to)
}

// trouble tells of a deferral at MAIL or RCPT whether it is about the host itself (RFC
// 3463: X.3.z its system, X.4.z its network): another host of the domain may be well.
// What is about the mailbox, the sender or the time would be said by all.
func trouble(r response) bool {
	return r.class() == 4 && r.code != 421 && (r.enhanced[1] == 3 || r.enhanced[1] == 4 || r.enhanced[0] == 0 && r.code == 451)
}

func (m *mailing) note(to []int, a queue.Attempt) {
	for _, i := range to {
		a.To = i
		m.attempts[i] = a
	}
}

// needsUTF8 tells whether a recipient can be reached only under SMTPUTF8: for
// its own address, the sender's, or a header field (RFC 6531 section 3.3). An
// envelope that came with SMTPUTF8 and needs it nowhere can go on without.
func (m *mailing) needsUTF8(to int) bool {
	return m.headerUTF8 || m.env.From.NeedsUTF8() || m.env.To[to].Address.NeedsUTF8()
}

// eightBit tells whether the body really has octets above 127.
func (m *mailing) eightBit() (bool, error) {
	if m.bodyEight == 0 {
		yes, err := scan(m.msg, false)
		if err != nil {
			return false, err
		}
		m.bodyEight = -1
		if yes {
			m.bodyEight = 1
		}
	}
	return m.bodyEight > 0, nil
}

// scan looks for octets outside ASCII, in the header alone or in all of the
// message.
func scan(msg *mail.Message, headerOnly bool) (bool, error) {
	r, err := msg.Open()
	if err != nil {
		return false, err
	}
	defer r.Close()
	br := bufio.NewReaderSize(r, blockSize)
	atStart := true // of a line
	for {
		line, err := br.ReadSlice('\n')
		for _, c := range line {
			if c >= 0x80 {
				return true, nil
			}
		}
		if headerOnly && atStart && strings.TrimRight(string(line[:min(len(line), 3)]), "\r\n") == "" && len(line) > 0 {
			return false, nil
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

// unreadable is the failure of a message that our own disk does not give.
func unreadable(err error) *failure {
	return &failure{reply: mail.Defer(51, 3, 0, fmt.Sprintf("The message cannot be read here: %v", err))}
}
