package reports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/report"
	"github.com/forepost/forepost/relay/trail"
)

// sessions are the connections of a day to the servers of one domain.
type sessions map[string]*policySessions

// policySessions are those under one policy of the domain.
type policySessions struct {
	policy   report.TLSPolicy
	failures map[report.TLSFailure]int // with Count 0
}

// maxFailures bounds the sorts of failures of a domain, and maxDomains the domains of
// a day, whatever strangers publish.
const (
	maxFailures = 1000
	maxDomains  = 100_000
)

// collectTLS reads the day's connections from the trail. Those that carried TLS
// reports are left out, so that reports do not beget reports (RFC 8460 section 3).
func (s *Service) collectTLS(ctx context.Context, begin time.Time) (map[string]sessions, error) {
	byDomain := map[string]sessions{}
	err := s.o.Trail.EachEvent(ctx, begin, begin.Add(day), func(e *trail.Event) error {
		if e.What != "tls" || e.Session == nil || s.kept.own(e.ID) {
			return ctx.Err()
		}
		of := byDomain[e.Session.Domain]
		if of == nil {
			if len(byDomain) >= maxDomains {
				return ctx.Err()
			}
			of = sessions{}
			byDomain[e.Session.Domain] = of
		}
		of.add(e.Session, e.Note)
		return ctx.Err()
	})
	return byDomain, err
}

// add counts a connection.
func (of sessions) add(one *trail.Session, note string) {
	key := fmt.Sprintf("%s %q", one.Policy, one.Text)
	p := of[key]
	if p == nil {
		p = &policySessions{policy: report.TLSPolicy{Type: one.Policy, Domain: one.Domain, Text: one.Text, MX: one.MX}, failures: map[report.TLSFailure]int{}}
		of[key] = p
	}
	if one.Result == "" {
		p.policy.Success++
		return
	}
	p.policy.Failure++
	f := report.TLSFailure{Type: one.Result, SendingIP: one.Local, Receiving: one.Remote, MX: one.Host, Reason: note[:min(len(note), 200)]}
	if _, known := p.failures[f]; known || len(p.failures) < maxFailures {
		p.failures[f]++
	}
}

// policies are the connections as a report has them.
func (of sessions) policies() (list []report.TLSPolicy) {
	for _, key := range sorted(of) {
		p := of[key].policy
		for f, n := range of[key].failures {
			f.Count = n
			p.Failures = append(p.Failures, f)
		}
		slices.SortFunc(p.Failures, func(a, b report.TLSFailure) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Type, b.Type), cmp.Compare(a.MX, b.MX), cmp.Compare(a.Reason, b.Reason))
		})
		list = append(list, p)
	}
	return list
}

// sendTLS sends the TLS reports of a day that were not sent yet. Where the DNS could
// not tell, or a destination could not be reached, the day is tried again.
func (s *Service) sendTLS(ctx context.Context, cfg Config, begin time.Time) error {
	byDomain, err := s.collectTLS(ctx, begin)
	if err != nil {
		return fmt.Errorf("the day %s cannot be read from the trail: %w", begin.Format(time.DateOnly), err)
	}
	sent, later := 0, 0
	for _, domain := range sorted(byDomain) {
		records, err := dns.LookupTXT(ctx, cfg.DNS, "_smtp._tls."+domain)
		if err != nil && !dns.IsNotFound(err) {
			later++
			continue
		}
		one := &report.TLS{Org: cfg.Org, Contact: cfg.From.String(), ID: fmt.Sprintf("%d.%s@%s", begin.Unix(), domain, cfg.From.Domain),
			Begin: begin, End: begin.Add(day - time.Second)}
		for _, to := range report.TLSDestinations(records) {
			if one.Policies == nil {
				one.Policies = byDomain[domain].policies()
			}
			switch done, err := s.sendOneTLS(ctx, cfg, one, domain, to); {
			case err != nil:
				s.o.Log.Warn("a TLS report could not be sent; it is tried again", "domain", domain, "error", err)
				later++
			case done:
				sent++
			}
		}
	}
	s.o.Log.Info("TLS reports sent", "day", begin.Format(time.DateOnly), "reports", sent, "later", later)
	if later > 0 && s.o.Now().Before(begin.Add(2*day)) {
		s.retryTLS = s.o.Now().Add(retryAfter)
		return nil
	}
	return s.kept.write(ctx, &note{DoneTLS: &begin})
}

// sendOneTLS sends a report to a destination; done is false where it was sent before.
func (s *Service) sendOneTLS(ctx context.Context, cfg Config, r *report.TLS, domain string, to report.TLSDestination) (done bool, err error) {
	mark := "tls:" + domain + " " + to.URL + to.To.String() // a DMARC report of the domain is another
	if s.kept.sent(r.Begin, mark) {
		return false, nil
	}
	if to.URL != "" {
		err = s.post(ctx, to.URL, r.Packed())
	} else {
		err = s.mailTLS(ctx, cfg, r, domain, to.To)
	}
	if err != nil {
		return false, err
	}
	return true, s.kept.markSent(ctx, r.Begin, mark)
}

func (s *Service) mailTLS(ctx context.Context, cfg Config, r *report.TLS, domain string, to mail.Address) error {
	id := s.o.IDs.Session().Transaction(0)
	if err := s.kept.write(ctx, &note{Own: id, Time: s.o.Now().UTC()}); err != nil { // before it is under way
		return err
	}
	msg := r.Message(report.Mailing{From: cfg.From, To: to, Submitter: cfg.From.Domain, Date: s.o.Now()}, domain)
	return s.queueAs(ctx, cfg, id, msg, to)
}

// ownOld is how long it is remembered which messages were TLS reports.
const ownOld = 8 * day

// own tells whether a message was a TLS report of ours.
func (k *kept) own(id mail.ID) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.owns[id]
}
