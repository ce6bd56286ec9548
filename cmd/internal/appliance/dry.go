package appliance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/forepost/forepost/filters/builtin"
	"github.com/forepost/forepost/imapstore/accounts"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/inbound"
	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/state"
	"github.com/forepost/forepost/relay/trail"
)

// DryOptions is what a dry run is told that a gateway would know.
type DryOptions struct {
	Zone string // a file that is the whole DNS, in place of the configuration's
	// Login is the account that AUTH lets in, with any password; nobody where it
	// is "".
	Login string
}

// Dry is a gateway without doors, mail and memory: what the SMTP port would say,
// by the same code. Limits, greylisting and contacts begin empty; who has a
// mailbox is known as far as the configuration says, and else everybody at our
// domains has one. It keeps what it must in a temporary directory.
type Dry struct {
	a    *Appliance
	cfg  *policies.Config
	dir  string
	undo cleanups
}

// OpenDry reads a configuration for a dry run. Settings of servers that cannot
// be served are no errors here. The error is a *ConfigError where the
// configuration has mistakes.
func OpenDry(ctx context.Context, o Options, dry DryOptions) (d *Dry, ds policies.Diagnostics, err error) {
	o.Now = orNow(o.Now)
	cfg, ds := policies.Load(o.Config, policies.Options{Kinds: builtin.Kinds(), Vars: o.Vars, Now: o.Now, Rehearsal: true})
	if cfg == nil {
		return nil, ds, &ConfigError{Path: o.Config, Diagnostics: ds}
	}
	if dry.Zone != "" {
		cfg.Settings.DNS.Zone = dry.Zone
	}
	cfg.Settings.State = policies.State{Backend: "embedded"}
	cfg.Settings.Certs = nil // a self-signed one is enough: no directory is asked for any
	withoutAbsent(cfg.Settings)
	d = &Dry{cfg: cfg, a: &Appliance{o: o, log: slog.New(slog.DiscardHandler)}}
	giveUp := d.Close
	defer func() {
		if err != nil {
			err = errors.Join(err, giveUp())
		}
	}()
	if err = d.memory(ctx); err != nil {
		return nil, ds, err
	}
	d.a.ids = mail.NewIDs(nodeName(cfg.Settings), o.Now)
	book := dryBook{cfg.Settings, dry.Login}
	d.a.directory = &directory{live: d.a.live, book: book, ask: askNobody}
	d.a.logins = accountLogins{book, d.a.directory}
	cfg.Settings.DataDir = d.dir
	l, err := d.a.build(cfg, nil)
	if err != nil {
		return nil, ds, &ConfigError{Path: o.Config, Diagnostics: ds, Err: err}
	}
	d.a.current.Store(l)
	return d, ds, nil
}

// withoutAbsent takes out what is not on this machine: keys whose secret is
// missing, which was said as a warning, sign nothing; and a list that a directory
// has, which a dry run does not ask, keeps no recipient out.
func withoutAbsent(s *policies.Settings) {
	for i := range s.Domains {
		d := &s.Domains[i]
		d.DKIM = slices.DeleteFunc(d.DKIM, func(k policies.DKIMKey) bool { return k.Key == "" })
		if r := &d.Recipients; r.Mode == "list" && r.Known != nil && !r.Known() {
			r.Mode = "any"
		}
	}
}

func orNow(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}

// memory makes the counters of limits and the like, which are given up with the
// dry run.
func (d *Dry) memory(ctx context.Context) (err error) {
	if d.dir, err = os.MkdirTemp("", "forepost-dry-"); err != nil {
		return err
	}
	d.undo.add("temporary directory", func(context.Context) error { return os.RemoveAll(d.dir) })
	j, err := journal.Open(filepath.Join(d.dir, "state"), journal.Options{SegmentSize: 1 << 20, NoSync: true, Now: d.a.o.Now, Log: d.a.log})
	if err != nil {
		return err
	}
	d.undo.add("journal", func(context.Context) error { return j.Close() })
	d.a.keep = &keep{local: state.NewEmbedded(j, d.a.o.Now)}
	d.undo.add("state", func(context.Context) error { return d.a.keep.local.Close() })
	return j.Recover(ctx)
}

// Close gives everything up.
func (d *Dry) Close() error { return d.undo.run(context.Background(), d.a.log) }

// Listener finds a listener by name; "" is the first one.
func (d *Dry) Listener(name string) (policies.Listener, error) {
	for _, ls := range d.a.live().settings.Listeners {
		if name == "" || ls.Name == name {
			return ls, nil
		}
	}
	if name == "" {
		return policies.Listener{}, fmt.Errorf("%s has no listener", d.a.o.Config)
	}
	return policies.Listener{}, fmt.Errorf("%s has no listener %q", d.a.o.Config, name)
}

// Serve makes the server of a listener. Its plans are handed to watch before
// they are used; records of messages go to the trail. No message is kept.
func (d *Dry) Serve(name string, encrypted bool, watch func(pipeline.Plan) pipeline.Plan, to trail.Writer) (*inbound.Server, error) {
	ls, err := d.Listener(name)
	if err != nil {
		return nil, err
	}
	s := d.a.live().settings
	cfg := d.a.listenerConfig(s, ls)
	cfg.Implicit = encrypted || cfg.Implicit
	mode := ls.TLS
	if encrypted {
		mode = policies.TLSImplicit
	}
	cfg.TLS = d.a.tlsFor(mode, nil)
	cfg.Policies, cfg.Spool, cfg.Trail = watched{d.a, watch}, drySpool{}, to
	cfg.ProxyFrom = nil   // the client is who it is said to be
	cfg.GreetingDelay = 0 // and has nothing to gain by waiting
	return inbound.New(cfg)
}

// Console evaluates expressions over a transaction that a server of this dry run
// had, with what rules noted about its first recipient.
func (d *Dry) Console(ctx context.Context, tx *pipeline.Transaction, noted *pipeline.Ledger) *policies.Console {
	return policies.NewConsole(ctx, d.cfg, d.a.live().policies, tx, noted)
}

// watched are plans that somebody looks at.
type watched struct {
	a     *Appliance
	watch func(pipeline.Plan) pipeline.Plan
}

// PlanFor is inbound.Policies.
func (w watched) PlanFor(listener string) pipeline.Plan { return w.watch(w.a.PlanFor(listener)) }

// dryBook knows the accounts of the configuration; where there is none of a
// domain, every address of it exists, since accounts made with `forepost user`
// stand elsewhere.
type dryBook struct {
	s     *policies.Settings
	login string
}

// Lookup finds an account.
func (b dryBook) Lookup(to mail.Address) (accounts.Account, error) {
	written := false
	for _, ac := range b.s.Accounts {
		written = written || ac.Address.Domain == to.Domain
		for _, a := range append([]mail.Address{ac.Address}, ac.Aliases...) {
			if a.Key() == to.Key() {
				return accounts.Account{Name: ac.Address.String(), Aliases: ac.Aliases}, nil
			}
		}
	}
	if written {
		return accounts.Account{}, accounts.ErrUnknown
	}
	return accounts.Account{Name: to.String()}, nil
}

// SCRAM is not offered: there are no passwords.
func (dryBook) SCRAM() bool { return false }

// Keys are none.
func (dryBook) Keys(context.Context, string) (accounts.SCRAM, error) { return accounts.SCRAM{}, nil }

// Proved lets nobody in.
func (dryBook) Proved(string, bool) (accounts.Account, error) {
	return accounts.Account{}, accounts.ErrCredentials
}

// Authenticate lets the one account in, whatever the password.
func (b dryBook) Authenticate(_ context.Context, user, _ string) (accounts.Account, error) {
	if b.login == "" || cmp.Or(user, b.login) != b.login {
		return accounts.Account{}, accounts.ErrCredentials
	}
	for _, ac := range b.s.Accounts {
		if ac.Address.String() == user {
			return accounts.Account{Name: user, Aliases: ac.Aliases}, nil
		}
	}
	return accounts.Account{Name: user}, nil
}

// askNobody stands for callouts: nobody is asked, and the recipient exists.
func askNobody(context.Context, string, mail.Address) (bool, mail.Reply, error) {
	return true, mail.Reply{}, nil
}
