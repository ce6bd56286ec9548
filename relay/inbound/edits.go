package inbound

import (
	"sort"
	"strings"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

// edits are the changes to the original: what the house itself takes out, what
// rules want, and what external filters want. Those of the first two must all
// be possible. A filter's are made all or none: where they touch what is changed
// already they are left out, and it is logged.
func (s *session) edits(tx *transaction, b *bundle, found []pipeline.Result) ([]mail.Edit, error) {
	all, err := merge(s.ownEdits(tx, found), b.ledger.Edits)
	if err != nil {
		return nil, err
	}
	for _, r := range found {
		if r.To != -1 && r.To != b.first || len(r.Finding.Edits) == 0 {
			continue
		}
		more, err := merge(all, r.Finding.Edits)
		if err != nil {
			s.log.Warn("a filter's changes were left out, since others touch the same octets", "id", s.name(), "filter", r.Instance.Name)
			continue
		}
		all = more
	}
	return all, nil
}

// ownEdits take out what claims to be ours and, of submissions, Bcc (RFC 5322
// section 3.6.3).
func (s *session) ownEdits(tx *transaction, found []pipeline.Result) []mail.Edit {
	p := tx.Part
	edits := forged(p, s.cfg.Hostname, chainIsWhole(found))
	if s.cfg.Protocol == Submission {
		for _, f := range append(p.All("Bcc"), p.All("Resent-Bcc")...) {
			edits = append(edits, mail.Edit{Off: f.Off, End: f.End})
		}
	}
	return edits
}

// merge puts edits together. The same removal twice is one; others that touch
// the same octets are ErrEditOverlap.
func merge(a, b []mail.Edit) ([]mail.Edit, error) {
	if len(a)+len(b) == 0 {
		return nil, nil
	}
	all := append(append([]mail.Edit(nil), a...), b...)
	sort.SliceStable(all, func(i, j int) bool { return all[i].Off < all[j].Off })
	out := all[:0]
	for _, e := range all {
		if n := len(out); n > 0 {
			last := out[n-1]
			if last.Off == e.Off && last.End == e.End && len(last.With) == 0 && len(e.With) == 0 {
				continue
			}
			if e.Off < last.End {
				return nil, mail.ErrEditOverlap
			}
		}
		out = append(out, e)
	}
	return out, nil
}

// sign signs for the author's domain what a client sends that may speak for it:
// a trusted one, or one who authenticated as that author. Others' words are
// never signed, or anybody who may relay could speak for all of us.
func (s *session) sign(tx *transaction, how pipeline.Signing, msg *mail.Message) (*mail.Message, error) {
	author, ok := authorOf(tx.Part)
	if s.cfg.Signer == nil || !ok || !mayBeSigned(tx.Session, author) {
		return msg, nil
	}
	fields, err := s.signature(tx, author.Domain, how, msg)
	if err != nil {
		return nil, err
	}
	return msg.With(fields...), nil
}

// signature asks for those of some keys, or in a form, where a rule names them. A
// Signer that cannot be told signs as it always does: better that than not at all.
func (s *session) signature(tx *transaction, domain string, how pipeline.Signing, msg *mail.Message) ([]mail.Field, error) {
	if some, ok := s.cfg.Signer.(pipeline.SelectiveSigner); ok && (len(how.Selectors) > 0 || how.Canonicalization != "") {
		return some.SignWith(tx.ctx, domain, how, msg)
	}
	return s.cfg.Signer.Sign(tx.ctx, domain, msg)
}

func mayBeSigned(ps *pipeline.Session, author mail.Address) bool {
	if ps.Auth.User != "" {
		return owns(ps.Auth, author)
	}
	return ps.Trusted
}

// authorOf is the one author of a message.
func authorOf(p *mime.Part) (mail.Address, bool) {
	fs := p.All("From")
	if len(fs) != 1 {
		return mail.Address{}, false
	}
	list, ok := mime.Mailboxes(fs[0].Raw)
	if !ok || len(list) != 1 {
		return mail.Address{}, false
	}
	a, err := mail.ParseAddress(strings.TrimSpace(list[0].Address), true)
	return a, err == nil && !a.IsNull()
}
