package vol

import (
	"context"
	"crypto/rand"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
)

// ticket is a message between the giving of its UID and its being seen. The
// tickets of a mailbox are settled in the order of their UIDs, whatever the
// order of their commits: who has seen UID 11 may be sure that no 10 comes
// later (RFC 9051 section 2.3.1.1).
type ticket struct {
	m     *mailbox
	e     *imapstore.Entry
	over  bool // the commit is over
	err   error
	group *sync.WaitGroup
}

var errNoUIDs = errors.New("vol: the mailbox has given out all its UIDs; move its messages to a new one")

// take gives an entry its UID and its mod-sequence, and counts it. The caller
// holds the account's gate, at least shared.
func (m *mailbox) take(e *imapstore.Entry, group *sync.WaitGroup) (*ticket, error) {
	a := m.a
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case m.dead || m.noselect:
		return nil, imapstore.ErrNoMailbox
	case a.over(e.Size):
		return nil, imapstore.ErrQuota
	case m.tipUID == math.MaxUint32:
		return nil, errNoUIDs
	}
	a.modseq++
	e.UID, e.ModSeq = m.tipUID, a.modseq
	e.UIDL = m.uidl(e.UID)
	e.Flags = m.firstSeen(e.Flags)
	m.tipUID++
	a.bytes += e.Size
	a.messages++
	t := &ticket{m: m, e: e, group: group}
	group.Add(1)
	m.pending = append(m.pending, t)
	return t, nil
}

// settle shows the message, once those before it are settled, or gives up what
// it had taken.
func (t *ticket) settle(err error) {
	m := t.m
	m.a.mu.Lock()
	defer m.a.mu.Unlock()
	t.over, t.err = true, err
	if err != nil {
		m.a.bytes -= t.e.Size
		m.a.messages--
	}
	for len(m.pending) > 0 && m.pending[0].over {
		p := m.pending[0]
		m.pending[0] = nil
		m.pending = m.pending[1:]
		if p.err == nil {
			m.publish(p.e)
		}
		p.group.Done()
	}
}

// commitAll makes tickets durable in one batch and waits until all are seen.
func (s *Store) commitAll(ctx context.Context, src source, ts []*ticket, group *sync.WaitGroup) error {
	var b journal.Batch
	src.enter(s.j, &b, len(ts))
	for _, t := range ts {
		b.Add(kindMessage, encodeMessage(t.m, t.e))
	}
	b.Then(func() { settleAll(ts, nil) })
	err := s.commit(ctx, &b)
	src.settle(s.j, len(ts), err)
	if err != nil {
		settleAll(ts, err)
	}
	group.Wait()
	return err
}

func settleAll(ts []*ticket, err error) {
	for _, t := range ts {
		t.settle(err)
	}
}

// entry is a message as it will stand in a mailbox, without what the mailbox
// gives it.
func (s *Store) entry(msg *mail.Message, blob *journal.Blob, flags []string, date time.Time, id string) *imapstore.Entry {
	kept := *msg
	kept.Blob = blob
	now := s.o.Now()
	if date.IsZero() {
		date = now
	}
	return &imapstore.Entry{Flags: cleanFlags(flags), Date: date, SaveDate: now, Size: kept.Size(), EmailID: id, Message: &kept}
}

// emailID names a message over all its copies (RFC 8474 section 5.1).
func emailID() string { return "M" + rand.Text() }

// Append adds a message.
func (m *mailbox) Append(ctx context.Context, msg *mail.Message, flags []string, date time.Time) (imapstore.UID, error) {
	s := m.a.s
	leave, err := s.enter()
	if err != nil {
		return 0, err
	}
	defer leave()
	src, err := s.source(msg.Blob)
	if err != nil {
		return 0, err
	}
	m.a.gate.RLock()
	defer m.a.gate.RUnlock()
	e := s.entry(msg, src.blob, flags, date, emailID())
	var group sync.WaitGroup
	t, err := m.take(e, &group)
	if err != nil {
		src.discard()
		return 0, err
	}
	return e.UID, s.commitAll(ctx, src, []*ticket{t}, &group)
}

// discard gives up a source that no message came from.
func (c source) discard() {
	if c.w != nil {
		c.w.Discard()
	}
}
