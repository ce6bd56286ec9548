package appliance

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/cmd/internal/reports"
	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/imapstore/accounts"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/report"
)

// openReports makes the room of the reports that are sent and read.
func (a *Appliance) openReports() (err error) {
	a.reports, err = reports.Open(reports.Options{
		Dir: filepath.Join(a.live().settings.DataDir, "reports"), Config: a.reportsConfig, Trail: a.keep.trail, Queue: a.keep.queue,
		Signer: a, IDs: a.ids, Store: a.keep.store, AccountOf: a.mailboxOf, Dial: a.o.WebDial, TLS: a.o.WebTLS, Version: a.o.Version, Now: a.o.Now, Log: a.log.With("room", "reports"),
	})
	if err == nil {
		a.undo.add("files of reports", func(context.Context) error { return a.reports.Close() })
	}
	return err
}

// reportsConfig is what the configuration in force says of reports.
func (a *Appliance) reportsConfig() reports.Config {
	l := a.live()
	r := l.settings.Reports
	return reports.Config{
		Send: r.DMARC, TLS: r.TLS, From: r.From, Org: r.Org, Read: r.Read, DNS: l.dns,
		About: func(domain string) bool { return slices.Contains(r.Domains, domain) },
		Ours: func(domain string) bool {
			for d := range l.domains {
				if d == domain || strings.HasSuffix(domain, "."+d) || strings.HasSuffix(d, "."+domain) {
					return true
				}
			}
			return false
		},
	}
}

// mailboxOf is the account that mail for an address of ours ends in.
func (a *Appliance) mailboxOf(to mail.Address) (string, error) {
	if acc, err := a.keep.book.Lookup(to); !errors.Is(err, accounts.ErrUnknown) {
		return acc.Name, err
	}
	got, err := a.directory.Accepts(context.Background(), to)
	if err != nil {
		return "", err
	}
	for _, final := range got.Final {
		if acc, err := a.keep.book.Lookup(final); err == nil {
			return acc.Name, nil
		}
	}
	return "", imapstore.ErrNoAccount
}

// Reports finds reports that came in.
func (a *Appliance) Reports(ctx context.Context, q admin.ReportsQuery) ([]report.Summary, error) {
	rq := reports.Query{ID: q.ID, Domain: strings.ToLower(q.Domain)}
	if q.Since > 0 {
		rq.Since = a.o.Now().Add(-q.Since)
	}
	return a.reports.List(ctx, rq)
}
