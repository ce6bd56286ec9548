package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/forepost/forepost/cmd/internal/dkimkeys"
	"github.com/forepost/forepost/filters/builtin"
	"github.com/forepost/forepost/filters/dkim"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/spf13/cobra"
)

// keyPlace is where keys are and who knows of them: the configuration, the key
// directory, the DNS.
type keyPlace struct {
	config string
	dir    string
	zone   string
	vars   map[string]string

	settings *policies.Settings // nil where there is no configuration
}

func dkimCommand() *cobra.Command {
	p := &keyPlace{}
	c := &cobra.Command{
		Use:   "dkim",
		Short: "Keys that sign: make them, publish them, change them",
		Long: `Keys that sign: make them, publish them, change them.

Keys lie in DIR/DOMAIN/SELECTOR.pem, one RSA and one Ed25519 key for a domain. DIR is dkim in the data directory, unless --dir
says otherwise. What is published is looked up with the servers of the configuration's dns block.`,
	}
	f := c.PersistentFlags()
	f.StringVar(&p.config, "config", defaultConfig, "the configuration")
	f.StringVar(&p.dir, "dir", "", "the directory of keys")
	f.StringVar(&p.zone, "zone", "", "a file that is the whole DNS (.zone or .json)")
	f.StringToStringVar(&p.vars, "var", nil, "a variable of the configuration, NAME=VALUE")
	c.PersistentPreRunE = func(c *cobra.Command, args []string) error { return p.load(c) }
	c.AddCommand(keygenCommand(p), recordCommand(p), keyListCommand(p), rotateCommand(p))
	return c
}

// load reads the configuration. That there is none is no mistake where none was
// named: keys can be made before anything else.
func (p *keyPlace) load(c *cobra.Command) error {
	f, err := os.Open(p.config)
	if errors.Is(err, fs.ErrNotExist) && !c.Flags().Changed("config") {
		p.defaultDir(defaultData)
		return nil
	}
	if err != nil {
		return err
	}
	f.Close()
	cfg, diags := policies.Load(p.config, policies.Options{Kinds: builtin.Kinds(), Vars: p.vars})
	if diags.HasErrors() {
		fmt.Fprint(c.ErrOrStderr(), diags.String())
		return fmt.Errorf("%s has errors; they are told above", p.config)
	}
	p.settings = cfg.Settings
	p.defaultDir(cfg.Settings.DataDir)
	return nil
}

func (p *keyPlace) defaultDir(data string) {
	if p.dir == "" {
		p.dir = filepath.Join(data, "dkim")
	}
}

func (p *keyPlace) keys() dkimkeys.Dir { return dkimkeys.Dir(p.dir) }

// resolver is the DNS as the gateway asks it. A zone file is read anew each
// time, nothing is remembered: what is asked for has just changed.
func (p *keyPlace) resolver() (dns.Resolver, error) {
	s := policies.DNS{}
	if p.settings != nil {
		s = p.settings.DNS
	}
	if p.zone != "" {
		s.Zone = p.zone
	}
	if s.Zone != "" {
		return dns.NewZone(s.Zone)
	}
	return dns.NewClient(dns.ClientOptions{Servers: s.Resolvers, Timeout: s.Timeout}), nil
}

// domain finds the block of a domain.
func (p *keyPlace) domain(name string) (policies.Domain, bool) {
	if p.settings == nil {
		return policies.Domain{}, false
	}
	i := slices.IndexFunc(p.settings.Domains, func(d policies.Domain) bool { return d.Name == name })
	if i < 0 {
		return policies.Domain{}, false
	}
	return p.settings.Domains[i], true
}

// use is what a key is for.
type use string

const (
	signs  use = "signs"  // the configuration names it
	coming use = "new"    // a rotation waits for it
	going  use = "old"    // of a rotation: published while its mail is under way
	unused use = "unused" // lies in the directory
)

// usedKey is a key and what it is for. err says why it cannot be read; then it
// has no Signer.
type usedKey struct {
	dkimkeys.Key
	use use
	err error
}

// of are the keys of a domain: those of the configuration first.
func (p *keyPlace) of(domain string) ([]usedKey, error) {
	inDir, err := p.keys().Keys(domain)
	if err != nil {
		return nil, err
	}
	r, err := p.keys().Rotation(domain)
	if err != nil {
		return nil, err
	}
	var out []usedKey
	d, _ := p.domain(domain)
	for _, k := range d.DKIM {
		one := usedKey{Key: dkimkeys.Key{Domain: domain, Selector: k.Selector}, use: signs}
		one.Signer, one.err = dkim.ParseKey(string(k.Key))
		out = append(out, one)
	}
	for _, k := range inDir {
		i := slices.IndexFunc(out, func(o usedKey) bool { return o.Selector == k.Selector })
		switch {
		case i >= 0:
			out[i].File = k.File
			continue
		case r != nil && slices.Contains(r.New, k.Selector):
			out = append(out, usedKey{Key: k, use: coming})
		case r != nil && slices.Contains(r.Old, k.Selector):
			out = append(out, usedKey{Key: k, use: going})
		default:
			out = append(out, usedKey{Key: k, use: unused})
		}
	}
	return out, nil
}

// all are the keys of one domain, or of all, and at a selector if one is named.
func (p *keyPlace) all(args []string) (out []usedKey, err error) {
	domains, err := p.domains(args)
	if err != nil {
		return nil, err
	}
	for _, name := range domains {
		keys, err := p.of(name)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			if len(args) < 2 || k.Selector == args[1] {
				out = append(out, k)
			}
		}
	}
	if len(args) > 0 && len(out) == 0 {
		return nil, fmt.Errorf("no key is known of %s", strings.Join(args, " "))
	}
	return out, nil
}

func (p *keyPlace) domains(args []string) ([]string, error) {
	if len(args) > 0 {
		d, err := domainArg(args[0])
		return []string{d}, err
	}
	out, err := p.keys().Domains()
	if p.settings != nil {
		for _, d := range p.settings.Domains {
			out = append(out, d.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), err
}

func domainArg(s string) (string, error) {
	d, err := mail.ParseDomain(strings.TrimSuffix(s, "."))
	if err != nil || d[0] == '[' {
		return "", coded{fmt.Errorf("%q is no domain", s), exitUsage}
	}
	return d, nil
}

// keyJSON is a key in the output of --json.
type keyJSON struct {
	Domain    string `json:"domain"`
	Selector  string `json:"selector"`
	Algorithm string `json:"algorithm,omitempty"`
	Use       use    `json:"use,omitempty"`
	Name      string `json:"name"`
	Record    string `json:"record,omitempty"`
	File      string `json:"file,omitempty"`
	DNS       string `json:"dns,omitempty"` // ok, missing, differs, revoked, unknown
	Reason    string `json:"reason,omitempty"`
}

func (k usedKey) json() keyJSON {
	j := keyJSON{Domain: k.Domain, Selector: k.Selector, Use: k.use, Name: k.Name(), File: k.File}
	if k.err == nil {
		j.Algorithm, j.Record = k.Algorithm(), k.Record()
	}
	return j
}

func keyListCommand(p *keyPlace) *cobra.Command {
	var o output
	c := &cobra.Command{
		Use:   "list [DOMAIN]",
		Short: "List the keys: what they are for, and whether the DNS has them",
		Long: `List the keys: what they are for, and whether the DNS has them.

USE: signs (the configuration names it), new and old (of a rotation), unused. DNS: ok, missing, differs (another key stands there,
or something that is no key), revoked (p= is empty), unknown (the DNS could not tell). The exit code is 1 where a key that signs,
or an old one of a rotation, is not ok: mail that it signs does not verify.`,
		Args: atMost(1),
		RunE: func(c *cobra.Command, args []string) error {
			keys, err := p.all(args)
			if err != nil {
				return err
			}
			return p.list(c, keys, &o)
		},
	}
	o.flags(c)
	return c
}

func (p *keyPlace) list(c *cobra.Command, keys []usedKey, o *output) error {
	r, err := p.resolver()
	if err != nil {
		return err
	}
	bad := false
	var rows []keyJSON
	for _, k := range keys {
		row := k.json()
		row.Record = ""
		if k.err != nil {
			row.DNS, row.Reason = string(dkimkeys.Unknown), "the key cannot be read: "+k.err.Error()
		} else {
			state, why := dkimkeys.Look(c.Context(), r, k.Key)
			row.DNS, row.Reason = string(state), why
		}
		bad = bad || row.DNS != string(dkimkeys.Published) && (k.use == signs || k.use == going)
		rows = append(rows, row)
	}
	err = show(c, o, rows, table[keyJSON]{head: []string{"DOMAIN", "SELECTOR", "ALGORITHM", "USE", "DNS"}, rows: keyRow, none: "there are no keys; forepost dkim keygen DOMAIN makes some"})
	if err == nil && bad {
		return failed
	}
	return err
}

func keyRow(r keyJSON) [][]string {
	state := r.DNS
	if r.Reason != "" {
		state += ": " + r.Reason
	}
	return [][]string{{r.Domain, r.Selector, r.Algorithm, string(r.Use), state}}
}

func recordCommand(p *keyPlace) *cobra.Command {
	var format string
	var asJSON bool
	c := &cobra.Command{
		Use:   "record [DOMAIN [SELECTOR]]",
		Short: "Print the DNS records of keys, to be published",
		Args:  atMost(2),
		RunE: func(c *cobra.Command, args []string) error {
			keys, err := p.all(args)
			if err != nil {
				return err
			}
			return printRecords(c, keys, format, asJSON)
		},
	}
	c.Flags().StringVar(&format, "format", "bind", "bind (master format) or table (name and text, for a web form)")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return c
}

func printRecords(c *cobra.Command, keys []usedKey, format string, asJSON bool) error {
	if format != "bind" && format != "table" {
		return coded{fmt.Errorf("--format is bind or table, not %q", format), exitUsage}
	}
	w, unread := c.OutOrStdout(), 0
	t, flush := columns(w)
	if format == "table" && !asJSON {
		fmt.Fprintln(t, "NAME\tTYPE\tTEXT")
	}
	for _, k := range keys {
		switch {
		case k.err != nil:
			unread++
			fmt.Fprintf(c.ErrOrStderr(), "forepost: %s of %s: %v\n", k.Selector, k.Domain, k.err)
		case asJSON:
			if err := json.NewEncoder(w).Encode(k.json()); err != nil {
				return err
			}
		case format == "table":
			fmt.Fprintf(t, "%s\tTXT\t%s\n", k.Name(), k.Record())
		default:
			if k.use == unused || k.use == going {
				fmt.Fprintf(w, "; %s: nothing signs with %s any more, or yet\n", k.use, k.Selector)
			}
			fmt.Fprint(w, dkimkeys.Bind(k.Key))
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if unread > 0 && unread < len(keys) {
		return coded{fmt.Errorf("%d of %d keys could not be read", unread, len(keys)), exitPartly}
	}
	if unread > 0 {
		return failed
	}
	return nil
}

// atMost is cobra.MaximumNArgs with our exit code.
func atMost(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := cobra.MaximumNArgs(n)(c, args); err != nil {
			return coded{fmt.Errorf("%w\nSee: %s --help", err, c.CommandPath()), exitUsage}
		}
		return nil
	}
}
