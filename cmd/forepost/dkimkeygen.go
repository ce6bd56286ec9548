package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/forepost/forepost/cmd/internal/dkimkeys"
	"github.com/spf13/cobra"
)

// makeFlags say what keys to make.
type makeFlags struct {
	selector string
	sorts    []string
	bits     int
}

func (m *makeFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&m.selector, "selector", "", "the name of the keys; with two sorts it gets -rsa and -ed25519 behind it; default: of the day, fp20260131")
	c.Flags().StringSliceVar(&m.sorts, "sort", []string{"rsa", "ed25519"}, "the sorts of keys")
	c.Flags().IntVar(&m.bits, "bits", dkimkeys.DefaultBits, "of an RSA key")
}

// what is the order for the key directory. taken are selectors in use.
func (m *makeFlags) what(p *keyPlace, domain string, taken []string) (dkimkeys.New, error) {
	n := dkimkeys.New{Domain: domain, Bits: m.bits, Selector: m.selector}
	for _, s := range m.sorts {
		n.Sorts = append(n.Sorts, dkimkeys.Sort(s))
	}
	if n.Selector == "" {
		var err error
		if n.Selector, err = p.keys().FreeSelector(domain, taken, time.Now()); err != nil {
			return n, err
		}
	}
	return n, nil
}

func keygenCommand(p *keyPlace) *cobra.Command {
	var m makeFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "keygen DOMAIN",
		Short: "Make keys for a domain, and print what to write into the configuration and into the DNS",
		Long: `Make keys for a domain, RSA with 2048 bits and Ed25519, and print what to write into the configuration and into the DNS.

The private keys are readable by their owner alone; made by root, they belong to the owner of the directory above. Publish the
records first and let the configuration sign when forepost dkim list says that the DNS has them. To change keys that sign
already, use forepost dkim rotate.`,
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			domain, err := domainArg(args[0])
			if err != nil {
				return err
			}
			n, err := m.what(p, domain, p.signing(domain))
			if err != nil {
				return err
			}
			keys, err := p.keys().Make(n)
			if err != nil {
				return err
			}
			return p.tellKeys(c, keys, asJSON)
		},
	}
	m.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return c
}

// signing are the selectors that the configuration signs with.
func (p *keyPlace) signing(domain string) (out []string) {
	d, _ := p.domain(domain)
	for _, k := range d.DKIM {
		out = append(out, k.Selector)
	}
	return out
}

// tellKeys prints what is to be done with new keys.
func (p *keyPlace) tellKeys(c *cobra.Command, keys []dkimkeys.Key, asJSON bool) error {
	w := c.OutOrStdout()
	if asJSON {
		for _, k := range keys {
			if err := json.NewEncoder(w).Encode((usedKey{Key: k}).json()); err != nil {
				return err
			}
		}
		return nil
	}
	config, err := configOf(keys)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "# The domain's block in the configuration:\n\ndomain %q {\n%s}\n\n; The DNS:\n\n", keys[0].Domain, indent(config))
	for _, k := range keys {
		fmt.Fprint(w, dkimkeys.Bind(k))
	}
	return nil
}

// configOf names the files by their whole paths: names in a configuration are
// relative to it.
func configOf(keys []dkimkeys.Key) (string, error) {
	whole := make([]dkimkeys.Key, len(keys))
	for i, k := range keys {
		path, err := filepath.Abs(k.File)
		if err != nil {
			return "", err
		}
		k.File = cmp.Or(path, k.File)
		whole[i] = k
	}
	return dkimkeys.Config(whole), nil
}
