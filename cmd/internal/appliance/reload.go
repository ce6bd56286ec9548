package appliance

import (
	"context"
	"errors"
	"fmt"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/policies"
)

// Reload reads the configuration again and puts it in force between messages.
// With a mistake in it, the running one stays, whole.
// The tests beside it are run, and nothing is put in force while one fails.
func (a *Appliance) Reload(ctx context.Context, o admin.ReloadOptions) admin.ReloadResult {
	a.mu.Lock()
	defer a.mu.Unlock()
	tests, ds, err := a.reload(ctx, o)
	diags := ds.String()
	r := admin.ReloadResult{OK: err == nil, Diagnostics: diags, Tests: tests}
	if err != nil {
		r.Error = err.Error()
		reloads.WithLabelValues("refused").Inc()
		a.log.Error("not reloaded, the running configuration stays", "error", err, "diagnostics", diags)
		return r
	}
	reloads.WithLabelValues("ok").Inc()
	a.logWarnings(ds)
	a.log.Info("reloaded", "config", a.o.Config)
	return r
}

// logWarnings tells what is odd about a configuration that is in force.
func (a *Appliance) logWarnings(ds policies.Diagnostics) {
	for _, d := range ds {
		a.log.Warn("configuration: "+d.Summary, "code", d.Code, "file", d.File, "line", d.Start.Line, "text", d.Text, "fix", d.Fix)
	}
}

func (a *Appliance) reload(ctx context.Context, o admin.ReloadOptions) (tests string, diags policies.Diagnostics, err error) {
	bundle, cfg, diags, err := load(a.o, true)
	if err == nil && !o.NoTest {
		tests, err = a.runTests(ctx)
	}
	if err != nil {
		return tests, diags, err
	}
	said, err := a.putInForce(ctx, cfg, bundle)
	diags = append(diags, said...)
	if err != nil {
		return tests, diags, err
	}
	if err := a.generations.inForce(bundle, a.o.Now()); err != nil {
		a.log.Warn("the configuration cannot be kept for a rollback", "error", err)
	}
	return tests, diags, nil
}

// putInForce swaps the configuration between messages; said is what is odd about
// it. On an error the running one stays, whole.
func (a *Appliance) putInForce(ctx context.Context, cfg *policies.Config, bundle *policies.Bundle) (said policies.Diagnostics, err error) {
	old := a.live()
	if cfg.Settings.DataDir != old.settings.DataDir {
		return nil, errors.New("data_dir has changed: that needs a restart")
	}
	if cfg.Settings.Hostname != old.settings.Hostname {
		return nil, errors.New("hostname has changed: that needs a restart")
	}
	l, err := a.build(cfg, old)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			l.certs.closeBut(old.certs)
			return
		}
		old.certs.closeBut(l.certs)
		said = l.certs.refresh()
	}()
	doors, err := a.doors(l)
	if err != nil {
		return nil, err
	}
	kept, gone, fresh := match(a.servers, doors)
	if err := a.replace(gone, fresh); err != nil {
		return nil, err
	}
	if err := a.settle(ctx, l.settings); err != nil {
		return nil, errors.Join(err, closeAll(ctx, fresh), a.reopen(gone))
	}
	l.bundle = bundle
	a.current.Store(l)
	old.directories.closeExcept(l.directories)
	a.followLists(l)
	a.servers = append(kept, fresh...)
	for _, d := range fresh {
		a.open(d)
	}
	a.leave(gone)
	return said, nil
}

// match finds which doors stay as they are, which go and which are new.
func match(have, want []*server) (kept, gone, fresh []*server) {
	left := map[string]*server{}
	for _, d := range have {
		left[d.Kind+" "+d.Name] = d
	}
	for _, d := range want {
		key := d.Kind + " " + d.Name
		if old, ok := left[key]; ok && old.spec == d.spec {
			kept = append(kept, old)
			delete(left, key)
			continue
		}
		fresh = append(fresh, d)
	}
	for _, d := range left {
		gone = append(gone, d)
	}
	return kept, gone, fresh
}

// replace opens the new doors. Where one needs the address of a door that
// goes, that one is shut first; if opening fails all the same, it is opened
// again, and only who came in that moment was turned away.
func (a *Appliance) replace(gone, fresh []*server) error {
	err := listen(fresh)
	if err == nil || len(gone) == 0 {
		return err
	}
	for _, d := range gone {
		d.shut()
	}
	if err := listen(fresh); err != nil {
		return errors.Join(err, a.reopen(gone))
	}
	return nil
}

// reopen opens doors again that were shut for others that then did not open.
func (a *Appliance) reopen(list []*server) error {
	var errs []error
	for _, d := range list {
		if !d.closing.Load() {
			continue
		}
		if err := d.listen(); err != nil {
			errs = append(errs, fmt.Errorf("%w; %s %q is shut: restart", err, d.Kind, d.Name))
			continue
		}
		a.open(d)
	}
	return errors.Join(errs...)
}

// leave closes doors that a reload took away. What is under way behind them may
// take its time, until a stop has none left.
func (a *Appliance) leave(gone []*server) {
	a.leaving.Go(func() {
		if err := closeAll(a.left, gone); err != nil {
			a.log.Warn("a server did not end well", "error", err)
		}
	})
}
