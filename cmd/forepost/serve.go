package main

import (
	"context"
	"errors"
	"fmt"
	"github.com/forepost/forepost/cmd/internal/admin"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/forepost/forepost/cmd/internal/appliance"
	"github.com/forepost/forepost/policies"
	"github.com/spf13/cobra"
)

// drainTime is how long a stop waits for what is under way.
const drainTime = 30 * time.Second

func serveCommand() *cobra.Command {
	o := appliance.Options{Version: version}
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the gateway",
		Long: "Run the gateway. SIGHUP reloads the configuration; SIGTERM drains: sessions and deliveries under way\n" +
			"finish (30 seconds at most), a second one ends at once. Exit code 78: the configuration has errors.",
		Args: exactly(0),
		RunE: func(c *cobra.Command, args []string) error { return serve(c.Context(), o) },
	}
	c.Flags().StringVar(&o.Config, "config", defaultConfig, "the configuration")
	c.Flags().StringVar(&o.Data, "data", "", "the data directory, instead of the configuration's")
	c.Flags().StringVar(&o.Socket, "socket", os.Getenv("FOREPOST_SOCKET"), "the control socket (default: control.sock in the data directory)")
	c.Flags().StringToStringVar(&o.Vars, "var", nil, "a variable of the configuration, NAME=VALUE")
	return c
}

func serve(ctx context.Context, o appliance.Options) error {
	o.LogTo = logTo
	o.Tell = func(text string) { fmt.Fprint(os.Stderr, text) }
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGHUP, os.Interrupt)
	tuneCollector(ctx)
	tuneTimers()
	a, err := appliance.New(ctx, o)
	if err == nil {
		err = a.Start()
	}
	var conf *appliance.ConfigError
	if errors.As(err, &conf) {
		return coded{err, exitConfig}
	}
	if err != nil {
		return err
	}
	notify(daemon.SdNotifyReady)
	watchdog, stopWatchdog := pet()
	defer stopWatchdog()
	for {
		select {
		case <-watchdog:
			notify(daemon.SdNotifyWatchdog)
		case s := <-signals:
			if s == syscall.SIGHUP {
				notify(daemon.SdNotifyReloading)
				a.Reload(context.Background(), admin.ReloadOptions{}) // what came of it is in the log
				notify(daemon.SdNotifyReady)
				continue
			}
			return drain(a, signals)
		}
	}
}

// drain stops; a second signal ends it at once.
func drain(a *appliance.Appliance, signals <-chan os.Signal) error {
	notify(daemon.SdNotifyStopping)
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	go func() {
		for s := range signals {
			if s != syscall.SIGHUP {
				cancel()
			}
		}
	}()
	return a.Stop(ctx)
}

// notify tells systemd, where there is one.
func notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		slog.Warn("systemd was not told", "state", state, "error", err)
	}
}

// pet gives a tick for each sign of life that systemd waits for; none where it
// does not.
func pet() (<-chan time.Time, func()) {
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		return nil, func() {}
	}
	t := time.NewTicker(every / 3)
	return t.C, t.Stop
}

// logTo makes the log that a configuration asks for, on standard error, where
// the journal of systemd takes it.
func logTo(l policies.Log) *slog.Logger {
	var level slog.Level
	if l.Level != "" {
		if err := level.UnmarshalText([]byte(l.Level)); err != nil {
			level = slog.LevelInfo // cannot be: the configuration was checked
		}
	}
	o := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(os.Stderr, o)
	if l.Format == "json" {
		h = slog.NewJSONHandler(os.Stderr, o)
	}
	return slog.New(h)
}
