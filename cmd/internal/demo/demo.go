// Package demo is the whole gateway on a pretend internet, within one process
// and one temporary directory: an own DNS for .test, clients and a mail server
// on loopback addresses, and seven messages through the real ports. Nothing
// leaves the machine and nothing needs root.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/cmd/internal/appliance"
	"github.com/forepost/forepost/relay/dns"
)

// Options of Run.
type Options struct {
	Once    bool      // check what happened and end
	Out     io.Writer // what people read
	Command string    // how this program is called, for the hints
	Log     *slog.Logger
}

// ErrDiffers is how a demo with Once ends whose outcome is not the expected one.
var ErrDiffers = errors.New("what happened differs from what must have happened")

// Run runs the demo until ctx ends or, with Once, until it is checked.
func Run(ctx context.Context, o Options) (err error) {
	s, err := build(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.takeDown()) }()
	if err := s.start(ctx); err != nil {
		return err
	}
	s.intro()
	done, err := s.playAll(ctx)
	if err != nil {
		return err
	}
	if o.Once {
		return s.verdictOnAll(ctx, done)
	}
	s.hints(done)
	return s.watch(ctx)
}

// stage is a running demo.
type stage struct {
	o     Options
	dir   string
	ports ports
	keys  keys
	dns   *dns.Server
	mx    *sink
	gw    *appliance.Appliance
}

// build makes the world: directory, keys, DNS, the pretend MX, configuration.
func build(o Options) (s *stage, err error) {
	s = &stage{o: o, ports: usual}
	if s.dir, err = os.MkdirTemp("", "forepost-demo-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.takeDown())
		}
	}()
	if o.Once {
		if s.ports, err = free(); err != nil {
			return nil, err
		}
	}
	if s.keys, err = newKeys(); err != nil {
		return nil, err
	}
	if err = s.startDNS(); err != nil {
		return nil, err
	}
	if s.mx, err = startSink(friendMX); err != nil {
		return nil, fmt.Errorf("the pretend mail server: %w", err)
	}
	return s, writeWorld(s.dir, s.ports, s.keys, s.dns.Addr())
}

func (s *stage) startDNS() error {
	text, err := s.keys.zone()
	if err != nil {
		return err
	}
	zone, err := dns.ParseZone("demo.json", text)
	if err != nil {
		return err
	}
	s.dns = dns.NewServer(zone)
	return s.dns.Start(gatewayIP + ":0")
}

// start brings the gateway up and makes the demo's account.
func (s *stage) start(ctx context.Context) (err error) {
	s.gw, err = appliance.New(ctx, appliance.Options{
		Config: filepath.Join(s.dir, policyFile), Data: filepath.Join(s.dir, "data"), Log: s.o.Log, MXPort: s.mx.port,
	})
	if err != nil {
		return portsTaken(err)
	}
	if err := s.gw.Start(); err != nil {
		return err
	}
	return s.gw.AddUser(ctx, admin.NewUser{Name: account, Password: password})
}

// portsTaken says what to do where the usual ports are in use.
func portsTaken(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "listen" {
		return fmt.Errorf("%w\nThe demo uses ports 2525, 2587, 2143 and 2110 of 127.0.0.1; end what uses them (another demo?), or run it with --once", err)
	}
	return err
}

// takeDown ends everything and removes the directory.
func (s *stage) takeDown() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var errs []error
	if s.gw != nil {
		errs = append(errs, s.gw.Stop(ctx))
	}
	if s.mx != nil {
		errs = append(errs, s.mx.close())
	}
	if s.dns != nil {
		errs = append(errs, s.dns.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}

func (s *stage) say(format string, args ...any) { fmt.Fprintf(s.o.Out, format+"\n", args...) }

func (s *stage) at(port int) string { return net.JoinHostPort(gatewayIP, strconv.Itoa(port)) }

func (s *stage) intro() {
	s.say("Forepost demo: everything in %s, nothing leaves this machine.", s.dir)
	s.say("  smtp %s   submission :%d   imap :%d   pop3 :%d", s.at(s.ports.smtp), s.ports.submission, s.ports.imap, s.ports.pop3)
	s.say("  mailbox %s, password %s", account, password)
	s.say("Seven messages are sent through the gateway by a pretend internet:")
}

func (s *stage) hints(done []scene) {
	data := filepath.Join(s.dir, "data")
	refused := done[2]
	s.say("Try:  %s explain --data %s %s", s.o.Command, data, refused.said.id)
	s.say("      %s trace --data %s %s", s.o.Command, data, account)
	s.say("      edit %s and save: it reloads, or tells you the line", filepath.Join(s.dir, policyFile))
	s.say("      swaks -s 127.0.0.1:%d -f me@friend.test -t %s", s.ports.smtp, account)
	s.say("      curl -u %s:%s imap://127.0.0.1:%d/INBOX'?ALL'", account, password, s.ports.imap)
	s.say("      curl -u %s:%s pop3://127.0.0.1:%d/1", account, password, s.ports.pop3)
	s.say("Ctrl-C removes it all.")
}
