package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/forepost/forepost/cmd/internal/appliance"
	"github.com/forepost/forepost/cmd/internal/authcheck"
	"github.com/forepost/forepost/cmd/internal/dryrun"
	"github.com/forepost/forepost/cmd/internal/story"
	"github.com/forepost/forepost/relay/trail"
	"github.com/spf13/cobra"
)

// dryFlags say who connects in a dry run, and to what.
type dryFlags struct {
	config, zone, listener, ip, helo, auth string
	vars                                   map[string]string
	tls                                    bool

	eml, from string
	to        []string
}

// client puts the flags of a session on a command.
func (f *dryFlags) client(c *cobra.Command) {
	c.Flags().StringVar(&f.config, "config", defaultConfig, "the configuration")
	c.Flags().StringToStringVar(&f.vars, "var", nil, "a variable of the configuration, NAME=VALUE")
	c.Flags().StringVar(&f.zone, "zone", "", "a zone file that is the whole DNS")
	c.Flags().StringVar(&f.listener, "listener", "", "the listener to connect to (default: the first one)")
	c.Flags().StringVar(&f.ip, "ip", "", "the address of the client")
	c.Flags().BoolVar(&f.tls, "tls", false, "the session is encrypted from the first octet")
	c.Flags().StringVar(&f.auth, "auth", "", "the account that AUTH lets in, with any password")
}

// message puts those of a message on it.
func (f *dryFlags) message(c *cobra.Command) {
	c.Flags().StringVar(&f.eml, "eml", "", "a message in a file, - for standard input")
	c.Flags().StringVar(&f.helo, "helo", "", "what the client calls itself (default: its address)")
	c.Flags().StringVar(&f.from, "from", "", "the sender of the envelope (default: the null path)")
	c.Flags().StringSliceVar(&f.to, "rcpt", nil, "a recipient; give it again for more")
}

// open reads the configuration and the flags.
func (f *dryFlags) open(c *cobra.Command) (*appliance.Dry, dryrun.Client, error) {
	client := dryrun.Client{Listener: f.listener, Helo: f.helo, TLS: f.tls, Login: f.auth}
	ip, err := netip.ParseAddr(strings.Trim(f.ip, "[]"))
	if err != nil {
		return nil, client, coded{fmt.Errorf("--ip says from where the client comes, such as 203.0.113.9; %q is no address", f.ip), exitUsage}
	}
	client.IP = ip.Unmap().WithZone("")
	if strings.ContainsAny(f.helo, "\r\n") {
		return nil, client, coded{errors.New("--helo is one word"), exitUsage}
	}
	d, ds, err := appliance.OpenDry(c.Context(), appliance.Options{Config: f.config, Vars: f.vars}, appliance.DryOptions{Zone: f.zone, Login: f.auth})
	if err != nil {
		fmt.Fprint(c.ErrOrStderr(), errorsOf(ds).String())
		return nil, client, err
	}
	if _, err := d.Listener(f.listener); err != nil {
		return nil, client, errors.Join(coded{err, exitUsage}, d.Close())
	}
	return d, client, nil
}

// read reads the message and its envelope.
func (f *dryFlags) read(c *cobra.Command) (m dryrun.Message, err error) {
	if m.From, err = dryrun.Path(f.from); err != nil {
		return m, coded{fmt.Errorf("--from: %w", err), exitUsage}
	}
	for _, to := range f.to {
		if to, err = dryrun.Path(to); err != nil || to == "" {
			return m, coded{fmt.Errorf("--rcpt: %q is no recipient", to), exitUsage}
		}
		m.To = append(m.To, to)
	}
	if len(m.To) == 0 {
		return m, coded{errors.New("--rcpt says to whom the message goes"), exitUsage}
	}
	text, err := readInput(c, f.eml)
	m.Text = authcheck.Wire(text)
	return m, err
}

// explain tells the story that the message would have.
func (f *dryFlags) explain(c *cobra.Command, asJSON bool) error {
	m, err := f.read(c)
	if err != nil {
		return err
	}
	d, client, err := f.open(c)
	if err != nil {
		return err
	}
	a, err := dryrun.Play(c.Context(), d, client, m)
	if err = errors.Join(err, d.Close()); err != nil {
		return err
	}
	if a.Record == nil {
		last := a.Said[len(a.Said)-1]
		return fmt.Errorf("the session ended before there was a message: %s", story.Clean(strings.Join(last.Lines, " ")))
	}
	if !asJSON {
		fmt.Fprintln(c.OutOrStdout(), "A dry run: no mail was taken; limits, greylisting and contacts began empty.")
	}
	return tell(c.OutOrStdout(), []trail.Story{{Record: a.Record}}, asJSON)
}

func sessionCommand() *cobra.Command {
	var f dryFlags
	c := &cobra.Command{
		Use:   "session --ip ADDRESS",
		Short: "Type an SMTP session by hand: the gateway answers as it would, and tells which rules ran",
		Long: "Type an SMTP session by hand. The replies are those of the SMTP port, given by the same code; after each stand the\n" +
			"rules that ran for it. STARTTLS works. No mail is taken, and the running gateway is not asked: limits, greylisting\n" +
			"and contacts begin empty, and recipients that only it would know exist. A script can be piped in.",
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			d, client, err := f.open(c)
			if err != nil {
				return err
			}
			return errors.Join(dryrun.Session(c.Context(), d, client, c.InOrStdin(), c.OutOrStdout()), d.Close())
		},
	}
	f.client(c)
	return c
}
