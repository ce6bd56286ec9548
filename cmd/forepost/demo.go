package main

import (
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/forepost/forepost/cmd/internal/demo"
	"github.com/spf13/cobra"
)

func demoCommand() *cobra.Command {
	var once, verbose bool
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run the whole gateway on a pretend internet: nothing leaves this machine, nothing needs root",
		Args:  exactly(0),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			log := slog.New(slog.DiscardHandler)
			if verbose {
				log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
			}
			return demo.Run(ctx, demo.Options{Once: once, Out: c.OutOrStdout(), Command: self(), Log: log})
		},
	}
	c.Flags().BoolVar(&once, "once", false, "on free ports: check what happened, then exit 0, or 1 with what differed")
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "show the gateway's log")
	return c
}

// self is how this program can be called again, for hints that work as printed.
func self() string {
	exe, err := os.Executable()
	if err != nil {
		return "forepost"
	}
	if strings.Contains(exe, string(filepath.Separator)+"go-build") {
		return "go run ./cmd/forepost"
	}
	if found, err := exec.LookPath("forepost"); err == nil {
		if same, err := filepath.EvalSymlinks(found); err == nil && same == exe {
			return "forepost"
		}
	}
	return exe
}
