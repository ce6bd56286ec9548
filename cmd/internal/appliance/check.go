package appliance

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/dkim"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/state"
)

// Check reads a configuration without using it: warnings and errors; the error
// is a *ConfigError where there are errors. What only a filter, a route or a key
// knows to be wrong is found by making them, with nothing behind them. Lists of
// directories are as the gateway last read them into its data directory.
func Check(o Options) (policies.Diagnostics, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	_, cfg, diags, err := load(o, false)
	if err != nil {
		return diags, err
	}
	diags = append(diags, stale(cfg, o.Now())...)
	nowhere := dns.MustZone(nil)
	a := &Appliance{o: o, log: slog.New(slog.DiscardHandler)}
	_, wrong := cfg.Build(filters.Deps{Hostname: cfg.Settings.Hostname, DNS: nowhere, State: noState{}, Now: o.Now, Log: a.log})
	_, nowhereToGo := a.table(cfg.Settings, nowhere)
	if err := errors.Join(wrong, nowhereToGo, checkPairs(cfg.Settings), checkKeys(cfg.Settings)); err != nil {
		diags = append(diags, cfg.Made(err)...)
		return diags, &ConfigError{Path: o.Config, Diagnostics: diags}
	}
	return diags, nil
}

// noState stands for the memory of limits where nothing is counted.
type noState struct{ state.Store }

// checkPairs tries the files of certificates that are there and can be read.
func checkPairs(s *policies.Settings) error {
	var errs []error
	for _, b := range s.Certs {
		if b.ACME != nil {
			continue
		}
		_, err := tls.LoadX509KeyPair(b.Cert, b.Key)
		if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, os.ErrPermission) {
			errs = append(errs, fmt.Errorf("%s:%d: tls %q: certificate %s with key %s: %w", b.At.File, b.At.Line, b.Name, b.Cert, b.Key, err))
		}
	}
	return errors.Join(errs...)
}

// checkKeys tries the DKIM keys that are there.
func checkKeys(s *policies.Settings) error {
	var errs []error
	for _, d := range s.Domains {
		for _, k := range d.DKIM {
			if k.Key == "" {
				continue
			}
			if _, err := dkim.ParseKey(string(k.Key)); err != nil {
				errs = append(errs, fmt.Errorf("%s:%d: DKIM key %s of %s: %w", k.At.File, k.At.Line, k.Selector, d.Name, err))
			}
		}
	}
	return errors.Join(errs...)
}
