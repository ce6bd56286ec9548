package appliance

import (
	"context"
	"time"

	"github.com/forepost/forepost/filters/contact"
	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/inbound"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
)

// noteTime bounds the memory of contacts, which the client waits for: it has its
// message accepted already.
const noteTime = 2 * time.Second

// contactSpool notes whom our addresses write to, for the filter contact.
type contactSpool struct {
	inbound.Spool
	a *Appliance
}

// Draft begins a message.
func (s contactSpool) Draft(id mail.ID) (inbound.Draft, error) {
	d, err := s.Spool.Draft(id)
	if err != nil {
		return nil, err
	}
	return contactDraft{d, s.a}, nil
}

type contactDraft struct {
	inbound.Draft
	a *Appliance
}

// Commit is the draft's; what it then says stands, whatever becomes of the notes.
func (d contactDraft) Commit(ctx context.Context, subs ...queue.Submission) error {
	if err := d.Draft.Commit(ctx, subs...); err != nil {
		return err
	}
	d.a.noteContacts(context.WithoutCancel(ctx), subs)
	return nil
}

// noteContacts keeps the pairs of a message, if a rule asks for them. That a
// recipient is not ours says that the client may relay: nobody else comes so far.
func (a *Appliance) noteContacts(ctx context.Context, subs []queue.Submission) {
	l := a.live()
	if _, asked := l.policies.Set.Get(contact.Name); !asked {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, noteTime)
	defer cancel()
	for _, s := range subs {
		for _, to := range l.contacts(s) {
			if err := contact.Note(ctx, l.memory, a.o.Now(), s.Envelope.From, to); err != nil {
				a.log.Warn("a contact was not noted", "id", string(s.Envelope.ID), "error", err)
				return
			}
		}
	}
}

// contacts are the recipients elsewhere of a message from an address of ours.
func (l *live) contacts(s queue.Submission) (list []mail.Address) {
	if _, ours := l.domains[s.Envelope.From.Domain]; !ours || s.Hold {
		return nil
	}
	for _, r := range s.Envelope.To {
		_, ours := l.domains[r.Address.Domain]
		if !ours && r.Address.Domain != imapstore.QuarantineAddress("x").Domain {
			list = append(list, r.Address)
		}
	}
	return list
}
