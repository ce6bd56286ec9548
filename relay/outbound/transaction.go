package outbound

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/forepost/forepost/relay/queue"
)

// carry sends the message to some of its recipients over this session, in as
// many transactions as it takes. A failure is the host's: recipients without an
// answer may be tried elsewhere. Once the message's end went out they all have
// an answer, if only that nobody knows.
func (s *session) carry(m *mailing, to []int) *failure {
	to, fail := s.screen(m, to)
	if fail != nil {
		return fail
	}
	size := s.batch()
	for len(to) > 0 {
		n := min(size, len(to))
		if fail := s.transact(m, to[:n]); fail != nil {
			return fail
		}
		to = to[n:]
	}
	return nil
}

// transact is one transaction: MAIL, RCPT for each recipient, DATA, message.
func (s *session) transact(m *mailing, to []int) *failure {
	m.sent = false
	if s.has("CHUNKING") {
		return s.chunked(m, to)
	}
	accepted, goAhead, fail := s.envelope(m, to)
	if fail != nil {
		return fail
	}
	if !goAhead {
		return nil
	}
	if len(accepted) == 0 {
		return s.nothing() // it said 354 although it took nobody, RFC 2920 section 3.1
	}
	if fail := s.content(m, accepted); fail != nil {
		return fail
	}
	return s.verdict(m, accepted)
}

// envelope says MAIL, RCPT and DATA, all in one write where the server knows
// PIPELINING (RFC 2920). goAhead is that it waits for the message now.
func (s *session) envelope(m *mailing, to []int) (accepted []int, goAhead bool, fail *failure) {
	d := s.dialogue(m, to)
	if s.dirty {
		if r, fail := d.next(commandTime); fail != nil || !r.ok() {
			return nil, false, s.odd(fail, r, "RSET")
		}
	}
	s.dirty = true
	r, fail := d.next(commandTime)
	if fail != nil {
		return nil, false, fail
	}
	taken := r.ok()
	if !taken && !m.settle(s, to, r) {
		return nil, false, s.odd(nil, r, "MAIL")
	}
	if trouble(r) {
		m.elsewhere = append(m.elsewhere, to...)
	}
	if taken || d.piped {
		accepted, fail = s.recipients(m, d, to, taken)
	}
	if fail != nil || len(accepted) == 0 && !d.piped || s.has("CHUNKING") {
		return accepted, false, fail
	}
	return s.data(m, d, accepted)
}

// dialogue is the commands of a transaction.
func (s *session) dialogue(m *mailing, to []int) *dialogue {
	d := &dialogue{s: s, piped: s.has("PIPELINING")}
	if s.dirty {
		d.cmds = append(d.cmds, "RSET")
	}
	d.cmds = append(d.cmds, s.mailFrom(m, to))
	for _, i := range to {
		d.cmds = append(d.cmds, s.rcptTo(m.env.To[i]))
	}
	if !s.has("CHUNKING") {
		d.cmds = append(d.cmds, "DATA")
	}
	return d
}

// recipients reads the reply for each recipient. Where the sender was refused
// already they only follow from that.
func (s *session) recipients(m *mailing, d *dialogue, to []int, taken bool) (accepted []int, fail *failure) {
	for _, i := range to {
		r, fail := d.next(commandTime)
		switch {
		case fail != nil:
			return nil, fail
		case !taken:
		case r.ok():
			accepted = append(accepted, i)
		case !m.settle(s, []int{i}, overfull(r)):
			return nil, s.odd(nil, r, "RCPT")
		case trouble(r):
			m.elsewhere = append(m.elsewhere, i)
		}
	}
	return accepted, nil
}

// data reads the reply to DATA.
func (s *session) data(m *mailing, d *dialogue, accepted []int) ([]int, bool, *failure) {
	r, fail := d.next(dataTime)
	switch {
	case fail != nil:
		return nil, false, fail
	case r.code == 354:
		return accepted, true, nil
	case r.class() != 4 && r.class() != 5:
		return nil, false, s.odd(nil, r, "DATA")
	}
	m.settle(s, accepted, r)
	return nil, false, nil
}

// overfull reads a 552 for a recipient as 452 unless the mailbox itself is full:
// old servers say so when there are too many recipients, RFC 5321 section
// 4.5.3.1.10.
func overfull(r response) response {
	if r.code == 552 && (r.enhanced[0] == 0 || r.enhanced[1] == 5) {
		r.code, r.enhanced = 452, [3]int{4, 5, 3}
	}
	return r
}

// dialogue is commands and their replies: sent together, or each after the
// reply to the one before.
type dialogue struct {
	s     *session
	cmds  []string
	at    int
	piped bool
}

// next is the reply to the next command. A 421 ends the session: it is a
// failure of the host and no word about a recipient.
func (d *dialogue) next(wait time.Duration) (response, *failure) {
	cmd := d.cmds[d.at]
	if !d.piped {
		if err := d.send(cmd); err != nil {
			return response{}, d.s.lost("we said "+verb(cmd), err)
		}
	} else if d.at == 0 {
		if err := d.send(d.cmds...); err != nil {
			return response{}, d.s.lost("we said "+verb(cmd), err)
		}
	}
	d.at++
	r, err := d.s.read(wait)
	if err != nil {
		return r, d.s.lost("we waited for the reply to "+verb(cmd), err)
	}
	if r.code == 421 {
		return r, d.s.refused(r)
	}
	return r, nil
}

func (d *dialogue) send(cmds ...string) error {
	for _, cmd := range cmds {
		if err := d.s.put(cmd); err != nil {
			return err
		}
	}
	return d.s.flush()
}

func verb(cmd string) string { return cmd[:4] }

// odd is the failure of an answer that cannot be one.
func (s *session) odd(fail *failure, r response, to string) *failure {
	if fail != nil {
		return fail
	}
	return s.lost("we waited for the reply to "+to, errGarbage{fmt.Sprintf("it says %d", r.code)})
}

// nothing ends a message that has nobody to go to.
func (s *session) nothing() *failure {
	if s.lmtp { // as many replies as recipients: none will come
		s.broken = true
		return nil
	}
	if err := s.put("."); err != nil {
		return s.lost("we said .", err)
	}
	if err := s.flush(); err != nil {
		return s.lost("we said .", err)
	}
	if _, err := s.read(doneTime); err != nil {
		return s.lost("we waited for the end of an empty message", err)
	}
	return nil
}

// contentSize is how much of a message is read at once.
const contentSize = 64 << 10

var contents = sync.Pool{New: func() any { return new([contentSize]byte) }}

// content sends the message. If it cannot be read to its end here, the
// connection is cut: half a message must not get a dot.
func (s *session) content(m *mailing, to []int) *failure {
	r, err := m.msg.Open()
	if err != nil {
		s.broken = true
		return unreadable(err)
	}
	defer r.Close()
	d, src := &dataWriter{w: s.w}, &source{r: r}
	block := contents.Get().(*[contentSize]byte)
	defer contents.Put(block)
	for n := 0; err == nil; {
		if n, err = io.ReadFull(src, block[:contentSize-dotLen]); src.err != nil {
			s.broken = true
			return unreadable(src.err)
		}
		if err != nil { // the end; errors of writing come with the flush
			d.last(block[:n])
		} else if _, err := d.Write(block[:n]); err != nil {
			return s.lost("we sent the message", err)
		}
	}
	m.sent = true
	if err := s.flush(); err != nil {
		s.unknown(m, to, err)
	}
	return nil
}

// source remembers whether it was reading that failed.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// verdict reads what becomes of the message: one reply, or one for each
// recipient over LMTP (RFC 2033 section 4.2).
func (s *session) verdict(m *mailing, to []int) *failure {
	if len(m.pending(to)) == 0 {
		return nil // the message's end did not get out
	}
	answers := [][]int{to}
	if s.lmtp {
		answers = answers[:0]
		for i := range to {
			answers = append(answers, to[i:i+1])
		}
	}
	for _, whom := range answers {
		r, err := s.read(doneTime)
		if err == nil && !m.settle(s, whom, r) {
			err = errGarbage{fmt.Sprintf("it says %d", r.code)}
			s.broken = true
		}
		if err != nil {
			s.unknown(m, m.pending(to), err)
			return nil
		}
	}
	s.dirty = false
	return nil
}

// unknown is the answer when the end of the message went out and none came
// back: it may have been taken, and will be sent again all the same (RFC 5321
// section 4.5.4.1; RFC 1047 is about the copies that makes).
func (s *session) unknown(m *mailing, to []int, err error) {
	f := s.lost("we waited for its answer to the message, which it may have taken", err)
	m.note(to, queue.Attempt{Outcome: queue.Soft, Reply: f.reply, Host: f.host, TLS: f.tls})
}
