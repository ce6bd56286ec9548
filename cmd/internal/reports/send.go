package reports

import (
	"context"
	"fmt"
	"time"

	"github.com/forepost/forepost/filters/dmarc"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/report"
)

// retryAfter is when a day is tried again of which the DNS could not tell all.
const retryAfter = 30 * time.Minute

// sendDay sends the reports of a day that were not sent yet.
func (s *Service) sendDay(ctx context.Context, cfg Config, begin time.Time) error {
	rows, left, err := collect(ctx, s.o.Trail, begin, cfg.About)
	if err != nil {
		return fmt.Errorf("the day %s cannot be read from the trail: %w", begin.Format(time.DateOnly), err)
	}
	if left > 0 {
		s.o.Log.Warn("reports leave messages out: there are too many sorts", "day", begin, "messages", left)
	}
	list, later := s.parcels(ctx, cfg, begin, rows)
	sent := 0
	for _, p := range list {
		if s.kept.sent(begin, p.policy.Domain) {
			continue
		}
		to, err := p.policy.Destinations(ctx)
		if err != nil {
			later++
			continue
		}
		n, err := s.send(ctx, cfg, p.report, to)
		if err != nil {
			return err
		}
		sent += n
		if err := s.kept.markSent(ctx, begin, p.policy.Domain); err != nil {
			return err
		}
	}
	s.o.Log.Info("reports sent", "day", begin.Format(time.DateOnly), "domains", len(list), "messages", sent, "later", later)
	if later > 0 && s.o.Now().Before(begin.Add(2*day)) {
		s.retry = s.o.Now().Add(retryAfter)
		return nil
	}
	return s.kept.markDone(ctx, begin)
}

// send queues a report for those who want it and can take it.
func (s *Service) send(ctx context.Context, cfg Config, a *report.Aggregate, to []dmarc.Destination) (n int, err error) {
	for _, d := range to {
		msg := a.Message(report.Mailing{From: cfg.From, To: d.To, Submitter: cfg.From.Domain, Date: s.o.Now()})
		if d.Max > 0 && int64(len(msg)) > d.Max {
			s.o.Log.Info("a report is larger than its reader allows", "domain", a.Policy.Domain, "to", d.To.String(), "octets", len(msg), "limit", d.Max)
			continue
		}
		if err := s.queue(ctx, cfg, msg, d.To); err != nil {
			return n, fmt.Errorf("the report for %s cannot be queued: %w", a.Policy.Domain, err)
		}
		n++
	}
	return n, nil
}

// queue signs a message and hands it to the queue. Failures of its delivery are
// told to nobody: they would only fill the mailbox of the sender.
func (s *Service) queue(ctx context.Context, cfg Config, msg []byte, to mail.Address) error {
	return s.queueAs(ctx, cfg, s.o.IDs.Session().Transaction(0), msg, to)
}

func (s *Service) queueAs(ctx context.Context, cfg Config, id mail.ID, msg []byte, to mail.Address) error {
	d, err := s.o.Queue.Draft(id)
	if err != nil {
		return err
	}
	defer d.Discard()
	if _, err := d.Write(msg); err != nil {
		return err
	}
	fields, err := s.o.Signer.Sign(ctx, cfg.From.Domain, &mail.Message{Blob: mail.Bytes(msg)})
	if err != nil {
		return fmt.Errorf("signing for %s: %w", cfg.From.Domain, err)
	}
	return d.Commit(ctx, queue.Submission{Prefix: fields, Envelope: mail.Envelope{ID: id, From: cfg.From,
		To: []mail.Recipient{{Address: to, Notify: mail.NotifyNever}}}})
}
