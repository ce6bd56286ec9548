package vol

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/outbound"
)

// The replies to a delivery that cannot be. They go to the queue, which makes a
// DSN of a permanent one.
var (
	replyUnknown = mail.Refuse(50, 1, 1, "There is no mailbox of that name here")
	replyFull    = mail.Defer(52, 2, 2, "The mailbox is full; try again later")
	replyTooBig  = mail.Refuse(52, 2, 2, "The message is larger than the whole mailbox may be")
	replyDisk    = mail.Defer(52, 3, 1, "There is no space left to store the message")
	replyLater   = mail.Defer(51, 3, 0, "The message could not be stored; try again later")
)

// destination is where one recipient's copy goes.
type destination struct {
	n int // of the recipient
	m *mailbox
	e *imapstore.Entry
}

// Deliver puts a message into the mailboxes of its recipients: one batch in the
// journal, with the octets written at most once. An error is a mail.Reply.
func (s *Store) Deliver(ctx context.Context, d outbound.Delivery) []error {
	errs := make([]error, len(d.To))
	leave, err := s.enter()
	if err != nil {
		return s.all(errs, d, err)
	}
	defer leave()
	var to []destination
	for n, r := range d.To {
		m, err := s.mailboxOf(ctx, r)
		if err != nil {
			errs[n] = s.reply(d, 0, nil, err)
			continue
		}
		to = append(to, destination{n: n, m: m})
	}
	if len(to) == 0 {
		return errs
	}
	src, err := s.source(d.Message.Blob)
	if err != nil {
		return s.all(errs, d, err)
	}
	s.deliver(ctx, d, src, to, errs)
	return errs
}

// deliver takes the UIDs and commits.
func (s *Store) deliver(ctx context.Context, d outbound.Delivery, src source, to []destination, errs []error) {
	// RFC 5321 section 4.4: the Return-Path goes on top at the final delivery.
	msg := d.Message.With(mail.Field{Name: "Return-Path", Value: d.From.Path()})
	id := emailID()
	defer share(to)()
	var group sync.WaitGroup
	var ts []*ticket
	for i := range to {
		r := d.To[to[i].n]
		msg := msg
		if _, ok := imapstore.QuarantineAccount(r.Address); ok {
			msg = msg.With(imapstore.QuarantineField(d.ID, r, d.RequireTLS))
		}
		to[i].e = s.entry(msg, src.blob, keywordsOf(r.Tags), d.Time, id)
		t, err := to[i].m.take(to[i].e, &group)
		if err != nil {
			errs[to[i].n] = s.reply(d, to[i].e.Size, to[i].m.a, err)
			continue
		}
		ts = append(ts, t)
	}
	if len(ts) == 0 {
		src.discard()
		return
	}
	if err := s.commitAll(ctx, src, ts, &group); err != nil {
		s.all(errs, d, err)
	}
}

// share takes the gates of all accounts, in one order for everybody, so that no
// two deliveries wait for each other around a change.
func share(to []destination) (unlock func()) {
	var as []*account
	for _, t := range to {
		as = append(as, t.m.a)
	}
	slices.SortFunc(as, func(a, b *account) int { return cmp.Compare(a.id, b.id) })
	as = slices.Compact(as)
	for _, a := range as {
		a.gate.RLock()
	}
	return func() {
		for _, a := range as {
			a.gate.RUnlock()
		}
	}
}

// mailboxOf finds the mailbox of a recipient, and makes what is missing of it.
func (s *Store) mailboxOf(ctx context.Context, r mail.Recipient) (*mailbox, error) {
	a, err := s.accountOf(ctx, r.Address)
	if err != nil {
		return nil, err
	}
	if r.Folder == "" {
		return a.mailbox(imapstore.Inbox)
	}
	m, err := a.mailbox(r.Folder)
	if !errors.Is(err, imapstore.ErrNoMailbox) {
		return m, err
	}
	switch err := a.CreateMailbox(ctx, r.Folder, ""); {
	case errors.Is(err, imapstore.ErrName): // policy asked for what cannot be: the mail counts more
		s.o.Log.Warn("store: no folder can have this name, delivered to INBOX", "folder", r.Folder, "account", a.name)
		return a.mailbox(imapstore.Inbox)
	case err != nil && !errors.Is(err, imapstore.ErrExists):
		return nil, err
	}
	return a.mailbox(r.Folder)
}

// accountOf finds the account of an address.
func (s *Store) accountOf(ctx context.Context, to mail.Address) (*account, error) {
	if name, ok := imapstore.QuarantineAccount(to); ok {
		return s.account(name)
	}
	name, err := s.o.Lookup(to)
	if err != nil {
		return nil, err
	}
	return s.ensure(ctx, name)
}

// reply is what an error means to the queue.
func (s *Store) reply(d outbound.Delivery, size int64, a *account, err error) error {
	switch {
	case errors.Is(err, imapstore.ErrNoAccount):
		return replyUnknown
	case errors.Is(err, imapstore.ErrQuota):
		if _, _, limit := a.Usage(); size > limit {
			return replyTooBig
		}
		return replyFull
	case errors.Is(err, journal.ErrFull):
		return replyDisk
	}
	s.o.Log.Error("store: a message could not be stored; its recipients will be tried again", "id", d.ID, "error", err)
	return replyLater
}

// all gives every recipient without an error of its own the one that met all.
func (s *Store) all(errs []error, d outbound.Delivery, err error) []error {
	r := s.reply(d, 0, nil, err)
	for i := range errs {
		if errs[i] == nil {
			errs[i] = r
		}
	}
	return errs
}

// keywordsOf makes keywords of tags: an atom of RFC 9051 section 9, the other
// characters as "_".
func keywordsOf(tags []string) []string {
	var ks []string
	for _, t := range tags {
		k := []byte(t)
		for i, c := range k {
			if c <= ' ' || c >= 0x7f || slices.Contains([]byte(`(){%*"\]`), c) {
				k[i] = '_'
			}
		}
		if len(k) > 0 {
			ks = append(ks, string(k))
		}
	}
	return ks
}
