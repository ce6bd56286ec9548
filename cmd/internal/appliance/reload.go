package appliance

import (
	"context"
	"errors"
	"fmt"

	"github.com/forepost/forepost/cmd/internal/admin"
)

// Reload reads the configuration again and puts it in force between messages.
// With a mistake in it, the running one stays, whole.
func (a *Appliance) Reload(ctx context.Context) admin.ReloadResult {
	a.mu.Lock()
	defer a.mu.Unlock()
	diags, err := a.reload(ctx)
	r := admin.ReloadResult{OK: err == nil, Diagnostics: diags}
	if err != nil {
		r.Error = err.Error()
		reloads.WithLabelValues("refused").Inc()
		a.log.Error("not reloaded, the running configuration stays", "error", err, "diagnostics", diags)
		return r
	}
	reloads.WithLabelValues("ok").Inc()
	a.log.Info("reloaded", "config", a.o.Config)
	return r
}

func (a *Appliance) reload(ctx context.Context) (diags string, err error) {
	cfg, ds, err := load(a.o, true)
	diags = ds.String()
	if err != nil {
		return diags, err
	}
	old := a.live()
	if cfg.Settings.DataDir != old.settings.DataDir {
		return diags, errors.New("data_dir has changed: that needs a restart")
	}
	if cfg.Settings.Hostname != old.settings.Hostname {
		return diags, errors.New("hostname has changed: that needs a restart")
	}
	l, err := a.build(cfg, old)
	if err != nil {
		return diags, err
	}
	doors, err := a.doors(l)
	if err != nil {
		return diags, err
	}
	kept, gone, fresh := match(a.servers, doors)
	if err := replace(ctx, gone, fresh); err != nil {
		return diags, err
	}
	if err := a.settle(ctx, l.settings); err != nil {
		return diags, errors.Join(err, closeAll(ctx, fresh))
	}
	a.current.Store(l)
	a.servers = append(kept, fresh...)
	for _, d := range fresh {
		a.open(d)
	}
	a.serving.Go(func() { // what is under way there may take its time
		if err := closeAll(context.WithoutCancel(ctx), gone); err != nil {
			a.log.Warn("a server did not end well", "error", err)
		}
	})
	return diags, nil
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
// goes, that one's listener is closed first; if opening fails all the same, the
// old doors stay shut out of their address and the error says so.
func replace(ctx context.Context, gone, fresh []*server) error {
	err := listen(fresh)
	if err == nil || len(gone) == 0 {
		return err
	}
	for _, d := range gone {
		d.ln.Close()
	}
	if err := listen(fresh); err != nil {
		for _, d := range gone {
			if d.listen() != nil {
				return fmt.Errorf("%w; and %s %q no longer listens: restart", err, d.Kind, d.Name)
			}
		}
		return err
	}
	return nil
}
