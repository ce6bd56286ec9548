package reports

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/report"
)

// readKeyword marks the messages that were looked at. It stands in the store, so
// that a restart reads none again, and people see it.
const readKeyword = "$ForepostRead"

// perTurn bounds what one turn reads of a mailbox.
const perTurn = 200

// readBox reads the new messages of an address's INBOX.
func (s *Service) readBox(ctx context.Context, cfg Config, address mail.Address) error {
	name, err := s.o.AccountOf(address)
	if err != nil {
		return fmt.Errorf("reports are not read from %s: %w", address, err)
	}
	acc, err := s.o.Store.Account(name)
	if err != nil {
		return fmt.Errorf("reports are not read from %s: %w", address, err)
	}
	box, err := acc.Mailbox("INBOX")
	if err != nil {
		return err
	}
	snap := box.Snapshot()
	if s.visited[address] == snap.HighestModSeq {
		return nil
	}
	var seen []imapstore.UID
	for _, e := range snap.Messages {
		if slices.Contains(e.Flags, readKeyword) {
			continue
		}
		if err := s.readOne(ctx, cfg, e); err != nil {
			return errors.Join(err, mark(ctx, box, seen))
		}
		if seen = append(seen, e.UID); len(seen) == perTurn {
			return mark(ctx, box, seen)
		}
	}
	s.visited[address] = snap.HighestModSeq
	return mark(ctx, box, seen)
}

func mark(ctx context.Context, box imapstore.Mailbox, seen []imapstore.UID) error {
	if len(seen) == 0 {
		return nil
	}
	_, err := box.Store(ctx, seen, imapstore.FlagsAdd, []string{readKeyword}, 0)
	return err
}

// readOne reads a message and keeps its summary. An error is ours; what is wrong
// with the message is logged.
func (s *Service) readOne(ctx context.Context, cfg Config, e *imapstore.Entry) error {
	sum, err := s.summary(e)
	if err != nil {
		return err
	}
	log := s.o.Log.With("uid", uint32(e.UID), "from", sum.Mail)
	switch {
	case sum.Kind == "":
		return nil
	case sum.Kind == report.KindFeedback:
		log.Info("a feedback report came in; it is for people to read")
		return nil
	case !cfg.Ours(sum.Domain):
		log.Warn("a report is about a domain that is not ours, and is not kept", "domain", sum.Domain)
		return nil
	}
	fresh, err := s.kept.add(ctx, &sum)
	if fresh && err == nil {
		log.Info("a report came in", "report", sum.ID, "kind", string(sum.Kind), "org", sum.Org, "domain", sum.Domain, "messages", sum.Messages, "fail", sum.Fail)
	}
	return err
}

// summary is a message's; its Kind is empty where there is no report in it.
func (s *Service) summary(e *imapstore.Entry) (sum report.Summary, err error) {
	if e.Size > report.MaxMessage {
		s.o.Log.Warn("a message is too large for a report", "uid", uint32(e.UID), "octets", e.Size)
		return sum, nil
	}
	r, err := e.Message.Open()
	if err != nil {
		return sum, err
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		return sum, err
	}
	from := ""
	if part, err := mime.Parse(mail.Bytes(text), mime.Limits{Parts: 1}); err == nil && len(part.All("From")) > 0 {
		from = part.All("From")[0].Text()
	}
	rep, err := report.Read(text)
	if err != nil {
		s.o.Log.Info("a message is not read as a report", "uid", uint32(e.UID), "from", from, "why", err)
		return sum, nil
	}
	sum = report.Summarise(rep)
	sum.Mail, sum.Received = from, e.Date.UTC()
	return sum, nil
}
