// Package reports writes the daily DMARC aggregate reports (RFC 9990) about the
// mail that came in and TLS reports (RFC 8460) about the connections that mail went
// out over, and reads the reports that others send about ours.
package reports

import (
	"context"
	"crypto/tls"
	"errors"
	"hash/fnv"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/trail"
)

// Config is what the configuration in force says.
type Config struct {
	Send bool         // aggregate reports are sent
	TLS  bool         // TLS reports are sent
	From mail.Address // of those reports
	Org  string       // who reports
	// About tells whether mail for one of our domains is reported.
	About func(domain string) bool
	Read  []mail.Address // mailboxes with the reports of others
	// Ours tells whether a domain is ours: reports about others are not kept.
	Ours func(domain string) bool
	DNS  dns.Resolver
}

// Options of Open. All are needed but Log.
type Options struct {
	Dir    string // for what was sent and read
	Config func() Config
	Trail  *trail.Trail
	Queue  *queue.Queue
	Signer queue.Signer
	IDs    *mail.IDs
	Store  imapstore.Store
	// AccountOf finds the account of an address.
	AccountOf func(mail.Address) (string, error)
	Version   string
	// Dial and TLS are for destinations over HTTPS; without Dial, only addresses of the
	// open internet are connected to, without TLS the system's roots count.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	TLS  *tls.Config
	Now  func() time.Time
	Log  *slog.Logger
}

// every is how often it looks for what is to be done.
const every = time.Minute

// Service does the work of this room. It is safe for concurrent use.
type Service struct {
	o    Options
	kept *kept

	turn     sync.Mutex // one Turn at a time
	retry    time.Time  // when sending may be tried again
	retryTLS time.Time  // likewise for TLS reports
	visited  map[mail.Address]uint64

	stop context.CancelFunc
	gone sync.WaitGroup
}

// Open opens the room in its directory.
func Open(o Options) (*Service, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	k, err := openKept(o)
	if err != nil {
		return nil, err
	}
	return &Service{o: o, kept: k, visited: map[mail.Address]uint64{}}, nil
}

// Start works in the background until Stop.
func (s *Service) Start() {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.gone.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		told := ""
		for {
			if err := s.Turn(ctx); err != nil && ctx.Err() == nil && err.Error() != told { // the same trouble is told once
				told = err.Error()
				s.o.Log.Warn("reports", "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}

// Stop ends the work in the background. What it was about to send is sent when it
// starts again.
func (s *Service) Stop() {
	s.stop()
	s.gone.Wait()
}

// Close closes the files.
func (s *Service) Close() error { return s.kept.close() }

// Turn does what is due now: it sends the reports of the days that are over, and
// reads what came in.
func (s *Service) Turn(ctx context.Context) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	cfg, now := s.o.Config(), s.o.Now().UTC()
	var errs []error
	if cfg.Send && !now.Before(s.retry) {
		for _, day := range due(now, cfg.From.Domain) {
			if !s.kept.done(day) {
				errs = append(errs, s.sendDay(ctx, cfg, day))
			}
		}
	}
	if cfg.TLS && !now.Before(s.retryTLS) {
		for _, day := range due(now, cfg.From.Domain) {
			if !s.kept.doneTLS(day) {
				errs = append(errs, s.sendTLS(ctx, cfg, day))
			}
		}
	}
	for _, box := range cfg.Read {
		errs = append(errs, s.readBox(ctx, cfg, box))
	}
	return errors.Join(errs...)
}

// The day of a report is that of UTC. It is sent so long after its end, and the
// reporters of the world not all at once: RFC 9990 section 3.5 lets us choose.
const (
	grace  = 10 * time.Minute
	spread = 50 * time.Minute
	day    = 24 * time.Hour
)

// due are the beginnings of the days whose reports may be sent now, oldest first:
// yesterday, and the day before in case nobody was here.
func due(now time.Time, salt string) (days []time.Time) {
	h := fnv.New32a()
	h.Write([]byte(salt))
	wait := grace + time.Duration(h.Sum32())%spread
	today := now.UTC().Truncate(day)
	for _, d := range []time.Time{today.Add(-2 * day), today.Add(-day)} {
		if !now.Before(d.Add(day + wait)) {
			days = append(days, d)
		}
	}
	return days
}
