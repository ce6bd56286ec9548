// Command forepost is the one binary: the gateway (serve), the commands that
// talk to it, and a demo of the whole.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/spf13/cobra"
)

// version is set when packages are built.
var version = "development"

// Exit codes, as forepost(8) lists them.
const (
	exitDone        = 0
	exitFailed      = 1  // the answer is no, or something failed
	exitUsage       = 2  // the command line is wrong
	exitUnreachable = 3  // the gateway does not run, or elsewhere
	exitPermission  = 4  // not permitted
	exitPartly      = 5  // some of it was done
	exitConfig      = 78 // EX_CONFIG: systemd does not restart it (RestartPreventExitStatus)
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var code int
	if name := filepath.Base(os.Args[0]); calledAs[name] {
		code = sendmail(ctx, name, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	} else {
		code = run(ctx, os.Args[1:])
	}
	stop()
	os.Exit(code)
}

// run is main with what a test can give it.
func run(ctx context.Context, args []string) int {
	root := command()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(os.Stderr, "forepost:", text)
	}
	return exitCode(err)
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "forepost",
		Short:         "SMTP relay and filtering gateway",
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return coded{fmt.Errorf("%w\nSee: %s --help", err, c.CommandPath()), exitUsage}
	})
	root.SetHelpCommand(helpCommand(root))
	root.AddCommand(serveCommand(), checkCommand(), reloadCommand(), statusCommand(), explainCommand(), traceCommand(),
		userCommand(), queueCommand(), quarantineCommand(), sendmailCommand(), routeCommand(), banCommand(), storeCommand(), reportsCommand(), policyCommand(), authCommand(), dkimCommand(), demoCommand())
	return root
}

// coded is an error with the exit code that it ends with.
type coded struct {
	error
	code int
}

func (c coded) Unwrap() error { return c.error }

// failed ends a command that has said all it has to say.
var failed = coded{errors.New(""), exitFailed}

func exitCode(err error) int {
	var c coded
	switch {
	case errors.As(err, &c):
		return c.code
	case errors.Is(err, admin.ErrNotRunning):
		return exitUnreachable
	case errors.Is(err, admin.ErrPermission), errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return exitPermission
	}
	return exitFailed
}

// exactly is cobra.ExactArgs with our exit code for a wrong command line.
func exactly(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := cobra.ExactArgs(n)(c, args); err != nil {
			return coded{fmt.Errorf("%w\nSee: %s --help", err, c.CommandPath()), exitUsage}
		}
		return nil
	}
}
