package inbound

import (
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// sealing is the domain that adds a link to the ARC chain for a recipient, "" for
// none: the one of ours that its mail is handed on for.
func sealing(tx *transaction, to int, v *pipeline.Verdict) string {
	if !v.Ledger.Seal {
		return ""
	}
	return tx.To[to].Acceptance.Domain
}

// chain is the result of the links that the message came with, "" where none is
// to be added. A chain that could not be looked at is left as it is: cv=fail
// would break it for good, and holding the mail back would help nobody.
func (s *session) chain(tx *transaction, b *bundle) string {
	if s.cfg.Sealer == nil || !b.ledger.Seal || tx.To[b.first].Acceptance.Domain == "" {
		return ""
	}
	fd, err := tx.Ask(tx.ctx, "arc")
	if err != nil {
		s.log.Warn("the message was not sealed, since its ARC chain could not be looked at", "id", s.name(), "error", err)
		return ""
	}
	result, _ := fd.Facts["result"].(string)
	return result
}

// seal adds a link to the ARC chain of what goes on, with the results that the
// prefix has (RFC 8617 section 5.1).
func (s *session) seal(tx *transaction, b *bundle, chain string, msg *mail.Message) (*mail.Message, error) {
	link := pipeline.Link{Domain: tx.To[b.first].Acceptance.Domain, Chain: chain}
	for _, f := range msg.Prefix {
		if f.Name == "Authentication-Results" {
			link.Results = f.Value
		}
	}
	fields, err := s.cfg.Sealer.Seal(tx.ctx, link, msg)
	if err != nil {
		return nil, err
	}
	return msg.With(fields...), nil
}
