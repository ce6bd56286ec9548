// Package appliance puts the house together: New, Start, Reload, Stop. What
// runs in production, in the demo and in tests is the same.
package appliance

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/cmd/internal/reports"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay"
	"github.com/forepost/forepost/relay/guard"
	"github.com/forepost/forepost/relay/inbound"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/meter"
	"github.com/forepost/forepost/relay/outbound"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/sasl"
	"github.com/forepost/forepost/relay/sts"
)

var reloads = meter.Counter("forepost_policy_reloads_total", "Reloads of the configuration: ok, or refused for a mistake.", "result")

// Options of New.
type Options struct {
	Config  string            // the file
	Data    string            // the data directory, instead of the configuration's
	Socket  string            // the control socket, instead of the configuration's
	Vars    map[string]string // variables of the configuration
	Version string
	MXPort  uint16 // where MX hosts listen: 25, unless a demo or test says otherwise
	// WebDial and WebTLS are for HTTPS servers that strangers name (MTA-STS policies,
	// destinations of reports); without WebDial, only addresses of the open internet are
	// connected to, without WebTLS the system's roots count.
	WebDial func(ctx context.Context, network, address string) (net.Conn, error)
	WebTLS  *tls.Config
	Now     func() time.Time
	Log     *slog.Logger
	// LogTo makes the log that the configuration asks for, where Log is nil.
	LogTo func(policies.Log) *slog.Logger
	// Tell is handed the mistakes of a configuration that is not used, rendered;
	// warnings about one that is used go into the log.
	Tell func(text string)
}

// Appliance is the gateway.
type Appliance struct {
	users
	o         Options
	log       *slog.Logger
	ids       *mail.IDs
	keep      *keep
	directory *directory
	guard     *guard.Guard
	listsStop context.CancelFunc
	listsGone sync.WaitGroup
	logins    sasl.Logins // the accounts, guarded
	reports   *reports.Service
	sts       *sts.Cache
	smtp      *outbound.Client
	lmtp      *outbound.Client
	probers   [2]*outbound.Prober // over SMTP, over LMTP
	started   time.Time

	current atomic.Pointer[live]

	mu      sync.Mutex // Reload, Stop
	servers []*server
	serving sync.WaitGroup
	leaving sync.WaitGroup  // doors that reloads took away
	left    context.Context // ends when they have no time left
	cut     context.CancelFunc
	redis   redisStores
	control *admin.Server

	generations *generations // guarded by mu
	shadow      shadow
	today       today
	replaying   sync.Mutex // one at a time
	notices     *notices
	digesting   sync.Mutex // one at a time
	undo        cleanups
}

// New reads the configuration, opens the data directory and the doors: what can
// go wrong goes wrong here. Nothing is answered before Start. An error about the
// configuration is a *ConfigError.
func New(ctx context.Context, o Options) (*Appliance, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	bundle, cfg, diags, err := load(o, true)
	if err != nil {
		if o.Tell != nil {
			o.Tell(diags.String())
		}
		return nil, err
	}
	a := &Appliance{o: o, log: o.Log, started: o.Now()}
	a.left, a.cut = context.WithCancel(context.Background())
	if a.log == nil {
		a.log = o.LogTo(cfg.Settings.Log)
	}
	a.logWarnings(diags)
	if err := a.assemble(ctx, cfg, bundle); err != nil {
		return nil, errors.Join(err, a.undo.run(ctx, a.log))
	}
	return a, nil
}

// assemble puts the house together in one straight line, from the ground up.
// What is added to undo last is undone first.
func (a *Appliance) assemble(ctx context.Context, cfg *policies.Config, bundle *policies.Bundle) (err error) {
	a.notices = &notices{a: a, in: make(chan inbound.Notice, noticeQueue), counts: map[string]*noticeCount{}}
	a.ids = mail.NewIDs(nodeName(cfg.Settings), a.o.Now)
	a.directory = &directory{live: a.live, ask: a.probe}
	a.transports(cfg.Settings)
	if a.keep, err = openKeep(ctx, a.keepOptions(cfg.Settings), &a.undo); err != nil {
		return err
	}
	a.directory.book, a.users = a.keep.book, users{a.keep}
	a.guard = a.newGuard()
	a.logins = a.guard.Wrap(accountLogins{a.keep.book, a.directory})
	l, err := a.build(cfg, nil)
	if err != nil {
		return &ConfigError{Path: a.o.Config, Err: err}
	}
	l.bundle = bundle
	a.current.Store(l)
	a.undo.add("certificates", func(context.Context) error { a.live().certs.closeBut(nil); return nil })
	a.undo.add("redis", func(context.Context) error { return a.redis.close() })
	if err := a.settle(ctx, l.settings); err != nil {
		return err
	}
	if err := a.openPolicies(); err != nil {
		return err
	}
	if err := a.keepGenerations(l); err != nil {
		return err
	}
	if err := a.openReports(); err != nil {
		return err
	}
	if a.servers, err = a.doors(l); err != nil {
		return err
	}
	if err := listen(a.servers); err != nil {
		return err
	}
	a.undo.add("doors", a.closeDoors)
	return a.openControl(l.settings)
}

// keepOptions are what the rooms of the data directory ask of the others.
func (a *Appliance) keepOptions(s *policies.Settings) keepOptions {
	return keepOptions{dir: s.DataDir, now: a.o.Now, log: a.log, queue: queue.Options{
		Router: relay.NewRouter(liveFinder{a}, relay.Transports{SMTP: relay.Forwarding(a.smtp.For, a.rewrite), LMTP: a.lmtp.For, Store: localStore{a}}),
		Judge:  relay.NewJudge(a.deliverPlan), Signer: a, IDs: a.ids, Hostname: s.Hostname, Postmaster: postmasterOf(s), Schedule: a.schedule, Told: a.told,
		Now: a.o.Now, Log: a.log.With("room", "queue"),
	}}
}

// settle brings accounts and quarantines of the configuration into the store.
func (a *Appliance) settle(ctx context.Context, s *policies.Settings) error {
	if err := a.configureAccounts(s); err != nil {
		return err
	}
	return a.makeMailboxes(ctx, s)
}

// Start opens the doors: from here on mail is taken and delivered.
func (a *Appliance) Start() error {
	a.keep.queue.Start()
	a.undo.add("queue", a.keep.queue.Stop)
	a.startPolicies()
	a.reports.Start()
	a.undo.add("reports", func(context.Context) error { a.reports.Stop(); return nil })
	a.startSweeping()
	a.startWatchingCerts()
	a.resumeTrial()
	a.undo.add("policy on trial", func(context.Context) error { a.endTrial(); return nil })
	a.startNotices()
	a.startDigests()
	a.followLists(a.live())
	a.undo.add("lists", func(context.Context) error { a.stopLists(); return nil })
	for _, d := range a.servers {
		a.open(d)
	}
	if a.control != nil {
		a.serving.Go(func() {
			if err := a.control.Serve(); err != nil && !errors.Is(err, net.ErrClosed) {
				a.log.Error("the control socket ended", "error", err)
			}
		})
	}
	a.log.Info("started", "version", a.o.Version, "config", a.o.Config, "data", a.live().settings.DataDir)
	return nil
}

// Stop drains: no new connections, transactions and deliveries under way finish
// until ctx ends, then everything is closed. Nothing that was accepted is lost.
func (a *Appliance) Stop(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.log.Info("stopping")
	// The doors first, whatever the order of building: what stands behind them is
	// still there while they drain.
	defer context.AfterFunc(ctx, a.cut)()
	err := a.closeDoors(ctx)
	a.leaving.Wait()
	err = errors.Join(err, a.undo.run(ctx, a.log))
	a.serving.Wait()
	a.log.Info("stopped")
	return err
}

// closeDoors closes the servers side by side.
func (a *Appliance) closeDoors(ctx context.Context) error {
	list := a.servers
	a.servers = nil
	return closeAll(ctx, list)
}

func closeAll(ctx context.Context, list []*server) error {
	errs := make([]error, len(list))
	var all sync.WaitGroup
	for i, d := range list {
		all.Go(func() {
			d.shut()
			if err := d.shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
				errs[i] = fmt.Errorf("%s %q: %w", d.Kind, d.Name, err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// live is the configuration in force.
func (a *Appliance) live() *live { return a.current.Load() }

// PlanFor gives the plan of a listener (inbound.Policies).
func (a *Appliance) PlanFor(listener string) pipeline.Plan {
	return a.live().plans[listener]
}

// openControl makes the control socket: the configuration's, or the data
// directory's.
func (a *Appliance) openControl(s *policies.Settings) (err error) {
	if a.control, err = admin.Listen(a.controlPath(s), a); err != nil {
		return err
	}
	a.undo.add("control socket", a.control.Close)
	return nil
}

func (a *Appliance) controlPath(s *policies.Settings) string {
	if path := cmp.Or(a.o.Socket, s.Control.Socket); path != "" {
		return path
	}
	return filepath.Join(s.DataDir, "control.sock")
}
