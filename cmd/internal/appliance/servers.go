package appliance

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/imapstore/imapd"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/pop3pickup"
	"github.com/forepost/forepost/relay/inbound"
	"github.com/forepost/forepost/relay/pipeline"
)

// server is one door: a listener with what answers behind it.
type server struct {
	admin.Endpoint
	spec     string // its settings as text: a reload replaces it where they differ
	local    bool   // for all users of this machine
	ln       net.Listener
	closing  *atomic.Bool // of the listener that is open: we shut it, so the end of serve is no news
	serve    func(net.Listener) error
	shutdown func(ctx context.Context) error
}

// doors are the servers that a configuration asks for, not yet listening.
func (a *Appliance) doors(l *live) (list []*server, err error) {
	s := l.settings
	var local *server // comes last: what the operator wrote comes first
	for _, ls := range s.Listeners {
		one, err := a.smtpDoor(s, ls)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: listener %q: %w", ls.At.File, ls.At.Line, ls.Name, err)
		}
		list = append(list, one)
	}
	if ls, ok := a.sendmailListener(s); ok {
		one, err := a.smtpDoor(s, ls)
		if err != nil {
			return nil, fmt.Errorf("the door of sendmail: %w", err)
		}
		one.local = true
		local = one
	}
	for _, ms := range s.IMAP {
		one, err := a.imapDoor(s, ms)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: imap %q: %w", ms.At.File, ms.At.Line, ms.Name, err)
		}
		list = append(list, one)
	}
	for _, ms := range s.POP3 {
		one, err := a.pop3Door(s, ms)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: pop3 %q: %w", ms.At.File, ms.At.Line, ms.Name, err)
		}
		list = append(list, one)
	}
	if s.Metrics.On {
		list = append(list, metricsDoor(s.Metrics))
	}
	if local != nil {
		list = append(list, local)
	}
	return list, nil
}

// spec is a block's settings as text, to see whether a reload changed them.
// Where the block stands does not count.
func spec(v any) string { return fmt.Sprintf("%+v", v) }

// listenerConfig is what a listener's block means to the server, its certificate
// aside. Dry runs use it as well.
func (a *Appliance) listenerConfig(s *policies.Settings, ls policies.Listener) inbound.Config {
	cfg := inbound.Config{
		Name: ls.Name, Hostname: s.Hostname, Implicit: ls.TLS == policies.TLSImplicit,
		Auth: ls.Auth != "", AllowCleartext: ls.AllowCleartext,
		RelayFrom: ls.RelayFrom, ProxyFrom: ls.ProxyFrom, XClient: ls.XClient, RejectEarly: ls.RejectEarly, RepairLines: ls.RepairLines,
		MaxSize: ls.MaxSize, MaxRecipients: ls.MaxRecipients,
		Policies: a, Directory: a.directory, Logins: a.loginsFor(ls), Allowance: a, Spool: contactSpool{inbound.FromQueue(a.keep.queue), a}, Signer: a, Sealer: a, Trail: a.keep.trail, IDs: a.ids, Now: a.o.Now,
		Log: a.log.With("listener", ls.Name), Quarantine: imapstore.QuarantineAddress, Panicked: pipeline.CountPanic,
	}
	if a.notices != nil { // a dry run tells nobody
		cfg.Notifier = a.notices
	}
	gateOf(&cfg, ls.Gate)
	switch ls.Protocol {
	case "submission":
		cfg.Protocol = inbound.Submission
	case "lmtp":
		cfg.Protocol = inbound.LMTP
	}
	return cfg
}

func (a *Appliance) smtpDoor(s *policies.Settings, ls policies.Listener) (*server, error) {
	cfg := a.listenerConfig(s, ls)
	cfg.TLS = a.tlsFor(ls.TLS, ls.Certs)
	srv, err := inbound.New(cfg)
	if err != nil {
		return nil, err
	}
	ls.At, ls.Policy = policies.Where{}, "" // a changed policy needs no new door
	return &server{Endpoint: admin.Endpoint{Kind: ls.Protocol, Name: ls.Name, Address: ls.Address},
		spec: spec(ls) + s.Hostname, serve: srv.Serve, shutdown: srv.Shutdown}, nil
}

// gateOf hands a listener's limits on.
func gateOf(cfg *inbound.Config, g policies.Gate) {
	cfg.MaxSessions, cfg.MaxPerClient, cfg.MaxPerNetwork = g.MaxSessions, g.MaxPerClient, g.MaxPerNetwork
	cfg.ClientRate, cfg.NetworkRate = inbound.Rate(g.RatePerClient), inbound.Rate(g.RatePerNetwork)
	cfg.NetworkV4, cfg.NetworkV6, cfg.GreetingDelay = g.NetworkV4, g.NetworkV6, g.GreetingDelay
}

func (a *Appliance) imapDoor(s *policies.Settings, ms policies.MailServer) (*server, error) {
	conf := a.tlsFor(ms.TLS, ms.Certs)
	srv, err := imapd.New(imapd.Config{
		Name: ms.Name, Hostname: s.Hostname, TLS: conf, Implicit: ms.TLS == policies.TLSImplicit, AllowCleartext: ms.AllowCleartext,
		Store: a.keep.store, Logins: a.logins, Now: a.o.Now, Log: a.log.With("imap", ms.Name), IDs: a.ids,
	})
	if err != nil {
		return nil, err
	}
	ms.At = policies.Where{}
	return &server{Endpoint: admin.Endpoint{Kind: "imap", Name: ms.Name, Address: ms.Address},
		spec: spec(ms) + s.Hostname, serve: srv.Serve, shutdown: srv.Shutdown}, nil
}

func (a *Appliance) pop3Door(s *policies.Settings, ms policies.MailServer) (*server, error) {
	conf := a.tlsFor(ms.TLS, ms.Certs)
	srv := pop3pickup.New(pop3pickup.Config{
		Name: ms.Name, Hostname: s.Hostname, TLS: conf, Implicit: ms.TLS == policies.TLSImplicit, AllowCleartext: ms.AllowCleartext,
		Delete: ms.Delete, LoginDelay: ms.LoginDelay,
		Store: a.keep.store, Logins: a.logins, Now: a.o.Now, Log: a.log.With("pop3", ms.Name), IDs: a.ids,
	})
	ms.At = policies.Where{}
	return &server{Endpoint: admin.Endpoint{Kind: "pop3", Name: ms.Name, Address: ms.Address},
		spec: spec(ms) + s.Hostname, serve: srv.Serve, shutdown: srv.Shutdown}, nil
}

// listen opens the doors; on an error those that were opened are closed again.
func listen(list []*server) error {
	for i, d := range list {
		if err := d.listen(); err != nil {
			for _, open := range list[:i] {
				open.ln.Close()
			}
			return err
		}
	}
	return nil
}

func (d *server) listen() (err error) {
	network, address := "tcp", d.Address
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", path
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%s %q: %w", d.Kind, d.Name, err)
		}
	}
	if d.ln, err = net.Listen(network, address); err != nil {
		return fmt.Errorf("%s %q cannot listen on %s: %w%s", d.Kind, d.Name, d.Address, err, listenAdvice(err))
	}
	if d.local {
		if d.ln, err = openToAll(d.ln); err != nil {
			return err
		}
	}
	d.Address, d.closing = d.ln.Addr().String(), &atomic.Bool{}
	return nil
}

// listenAdvice is what to do about an address that cannot be had.
func listenAdvice(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "; another program has it: stop that one (ss -ltnp names it), or choose another address"
	case errors.Is(err, syscall.EACCES):
		return "; ports below 1024 need root or the capability CAP_NET_BIND_SERVICE, which the systemd unit gives"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "; no interface of this machine has the address (ip addr lists them)"
	}
	return ""
}

// shut closes the door to new clients; those inside stay.
func (d *server) shut() {
	d.closing.Store(true)
	d.ln.Close()
}

// open begins to answer.
func (a *Appliance) open(d *server) {
	a.log.Info("listening", "kind", d.Kind, "name", d.Name, "address", d.Address)
	ln, closing := d.ln, d.closing
	a.serving.Go(func() {
		if err := d.serve(ln); err != nil && !closing.Load() {
			a.log.Error("a server ended", "kind", d.Kind, "name", d.Name, "error", err)
		}
	})
}
