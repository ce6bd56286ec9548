package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/forepost/forepost/cmd/internal/dryrun"
	"github.com/forepost/forepost/cmd/internal/story"
	"github.com/forepost/forepost/filters/builtin"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/policies/test"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/trail"
	"github.com/spf13/cobra"
)

// consoleFlags say what expressions are evaluated over.
type consoleFlags struct {
	dryFlags
	at     place
	fromID string
	tests  string // a file of tests
	named  string // and one of its cases
}

func consoleCommand() *cobra.Command {
	var f consoleFlags
	c := &cobra.Command{
		Use:   "console",
		Short: "Evaluate expressions as rules have them, with their types",
		Long: "Evaluate expressions, one a line: spf.result == \"pass\", overlaps(msg.extensions, list.programs). The facts are\n" +
			"neutral (no DNS, no clock, no network), or those of a message in a file (--eml, with --ip, --from and --rcpt: the\n" +
			"filters run), of a case of a file of tests (--tests FILE --case NAME), or of a message that the trail knows (--from-id).\n" +
			"? PREFIX lists facts and functions. A script can be piped in; the exit code is 1 if an expression was wrong.",
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	f.client(c)
	f.message(c)
	f.at.flags(c)
	c.Flags().StringVar(&f.fromID, "from-id", "", "the facts of a message that the trail knows")
	c.Flags().StringVar(&f.tests, "tests", "", "a file of tests")
	c.Flags().StringVar(&f.named, "case", "", "the case of that file whose facts there are")
	return c
}

func (f *consoleFlags) run(c *cobra.Command) error {
	con, done, err := f.begin(c)
	if err != nil {
		return err
	}
	wrong, err := converse(c, con)
	if err = errors.Join(err, done()); err == nil && wrong {
		return failed
	}
	return err
}

// begin makes the console that was asked for, and what ends it.
func (f *consoleFlags) begin(c *cobra.Command) (*policies.Console, func() error, error) {
	nothing := func() error { return nil }
	if f.eml != "" {
		return f.overMessage(c)
	}
	o := test.Options{Config: f.config, Load: policies.Options{Kinds: builtin.Kinds(), Vars: f.vars}}
	text, name := "", ""
	switch {
	case f.fromID != "":
		rec, err := recordOf(c.Context(), f.at, f.fromID)
		if err != nil {
			return nil, nil, err
		}
		one, err := test.FromRecord(c.Context(), rec, o)
		if err != nil {
			return nil, nil, err
		}
		text, name = one.Text, one.Name
	case f.tests != "":
		b, err := os.ReadFile(f.tests)
		if err != nil {
			return nil, nil, err
		}
		text, name = string(b), f.named
	}
	if (f.tests == "") != (f.named == "") {
		return nil, nil, coded{errors.New("--tests names a file and --case one of its cases: give both"), exitUsage}
	}
	con, ds := test.Console(c.Context(), text, name, o)
	if con == nil {
		fmt.Fprint(c.ErrOrStderr(), errorsOf(ds).String())
		return nil, nil, failed
	}
	return con, nothing, nil
}

// overMessage plays the message, with the DNS that there is.
func (f *consoleFlags) overMessage(c *cobra.Command) (*policies.Console, func() error, error) {
	m, err := f.read(c)
	if err != nil {
		return nil, nil, err
	}
	d, client, err := f.open(c)
	if err != nil {
		return nil, nil, err
	}
	a, err := dryrun.Play(c.Context(), d, client, m)
	if err == nil && a.Tx == nil {
		err = errors.New("no rule was asked about the message")
	}
	if err != nil {
		return nil, nil, errors.Join(err, d.Close())
	}
	if a.Tx.Part == nil {
		last := a.Said[len(a.Said)-2:][0]
		fmt.Fprintf(c.ErrOrStderr(), "The message was refused before its data, so that facts about them are unknown: %s\n", story.Clean(strings.Join(last.Lines, " ")))
	}
	return d.Console(c.Context(), a.Tx, &a.Noted), d.Close, nil
}

// converse reads expressions until the end.
func converse(c *cobra.Command, con *policies.Console) (wrong bool, err error) {
	in, out := bufio.NewScanner(c.InOrStdin()), c.OutOrStdout()
	in.Buffer(nil, 1<<20)
	person := onTerminal(c.InOrStdin())
	for {
		if person {
			fmt.Fprint(out, "> ")
		}
		if !in.Scan() {
			return wrong, in.Err()
		}
		text := strings.TrimSpace(in.Text())
		switch {
		case text == "" || strings.HasPrefix(text, "#"):
		case strings.HasPrefix(text, "?"):
			for _, name := range con.Complete(strings.TrimSpace(text[1:])) {
				fmt.Fprintln(out, name)
			}
		default:
			value, typ, ds := con.Eval(text)
			if ds != nil {
				wrong = true
				fmt.Fprint(out, ds.String())
				continue
			}
			fmt.Fprintf(out, "%s  (%s)\n", story.Clean(value), typ)
		}
	}
}

// recordOf is the record of a message that the running gateway's trail knows.
func recordOf(ctx context.Context, at place, id string) (*trail.Record, error) {
	stories, err := at.client().Explain(ctx, mail.ID(strings.TrimSpace(id)))
	if err != nil {
		return nil, err
	}
	for _, s := range stories {
		if s.Record != nil && string(s.Record.ID) == strings.TrimSpace(id) {
			return s.Record, nil
		}
	}
	return nil, fmt.Errorf("the trail keeps no decision about %s; give the whole ID of a message", id)
}
