// Package authcheck asks the gateway's own filters who sent a message (SPF,
// DKIM, DMARC, ARC), outside of a gateway: for one message by hand, or for a
// list of cases.
package authcheck

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/builtin"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

// asked are the kinds of filters that are asked, those that this build has, in
// the order of their needs.
var asked = []string{"spf", "dkim", "arc", "dmarc"}

// Case is what a session would know.
type Case struct {
	Client  netip.Addr // the zero Addr where it is not known: SPF has nothing to say
	Helo    string
	From    mail.Address // of MAIL; the zero Address is the null path
	To      []mail.Address
	Message []byte // with CRLF; nil asks for SPF alone
}

// Checker has the filters, built for one view of the DNS. It is safe for
// concurrent use.
type Checker struct {
	host string
	set  *pipeline.Set
	list []*pipeline.Instance
}

// NewChecker builds the filters with their default settings. host is the
// authserv-id of RFC 8601 section 2.5.
func NewChecker(r dns.Resolver, host string, now func() time.Time) (*Checker, error) {
	c := &Checker{host: host}
	kinds := builtin.Kinds()
	for _, name := range asked {
		i := slices.IndexFunc(kinds, func(k filters.Kind) bool { return k.Name == name })
		if i < 0 {
			continue
		}
		in, err := instance(kinds[i], filters.Deps{Name: name, Hostname: host, DNS: r, Now: now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			return nil, err
		}
		c.list = append(c.list, in)
	}
	c.set = pipeline.NewSet(c.list...)
	return c, nil
}

func instance(k filters.Kind, d filters.Deps) (*pipeline.Instance, error) {
	var settings any
	if k.Settings != nil {
		settings = k.Settings()
	}
	f, err := k.Build(settings, d)
	if err != nil {
		return nil, err
	}
	return &pipeline.Instance{Name: k.Name, Kind: k.Name, Filter: f, From: k.From, Scope: k.Scope, Needs: k.Needs, Slow: k.Slow}, nil
}

// Check asks the filters about a case, as a transaction of the gateway would:
// each once, with the same budget of questions. What a filter could not tell is
// a result (temperror), no error; an error is about the message.
func (c *Checker) Check(ctx context.Context, of Case) (Answer, error) {
	tx := pipeline.NewTransaction(&pipeline.Session{Client: of.Client, Helo: of.Helo, ESMTP: true})
	tx.From = of.From
	for _, to := range of.To {
		tx.To = append(tx.To, pipeline.Recipient{Address: to})
	}
	upTo := pipeline.Mail
	if of.Message != nil {
		blob := mail.Bytes(of.Message)
		part, err := mime.Parse(blob, mime.Limits{})
		if err != nil {
			return Answer{}, err
		}
		tx.Message, tx.Part = &mail.Message{Blob: blob}, part
		upTo = pipeline.Data
	}
	tx.Use(c.set)
	ctx = dns.WithBudget(ctx, pipeline.MaxQuestions)
	for _, in := range c.list {
		if in.From <= upTo {
			tx.Find(ctx, in)
		}
	}
	if err := ctx.Err(); err != nil {
		return Answer{}, err
	}
	return c.answer(tx.Results()), nil
}
