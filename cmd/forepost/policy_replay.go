package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/filters/builtin"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/policies/replay"
)

// configAt is the configuration that a name stands for: a file, or in a folder
// forepost.hcl, or its only file.
func configAt(name string) (string, error) {
	st, err := os.Stat(name)
	if err != nil || !st.IsDir() {
		return name, err
	}
	main := filepath.Join(name, filepath.Base(defaultConfig))
	if _, err := os.Stat(main); err == nil {
		return main, nil
	}
	all, err := filepath.Glob(filepath.Join(name, "*.hcl"))
	all = slices.DeleteFunc(all, func(f string) bool { return strings.HasSuffix(f, ".test.hcl") })
	if err == nil && len(all) != 1 {
		err = fmt.Errorf("%s has neither %s nor one configuration alone: name the file", name, filepath.Base(main))
	}
	if err != nil {
		return "", err
	}
	return all[0], nil
}

// pack reads a configuration with all its files. Its mistakes are told.
func pack(c *cobra.Command, name string, vars map[string]string) (*policies.Bundle, *policies.Config, error) {
	path, err := configAt(name)
	if err != nil {
		return nil, nil, err
	}
	b, cfg, ds := policies.Pack(path, policies.Options{Kinds: builtin.Kinds(), Vars: vars})
	if cfg == nil {
		fmt.Fprint(c.ErrOrStderr(), errorsOf(ds).String())
		return nil, nil, failed
	}
	return b, cfg, nil
}

func replayCommand() *cobra.Command {
	var at place
	var name string
	since, until := "24h", ""
	var vars map[string]string
	var changed, asJSON bool
	q := admin.ReplayQuery{}
	c := &cobra.Command{
		Use:   "replay --policy FILE|DIR",
		Short: "Try a changed policy on the mail of the last day, from its decision records; no mail is touched",
		Long: "Judge the messages that came in by another policy, with the facts that were found then, and tell what\n" +
			"would be otherwise, by rules and by the senders' domains. FILE is a whole configuration. What depends on a\n" +
			"fact that was not recorded cannot be told; --bodies parses messages again that are still kept.\n" +
			strings.Join(replay.Notes, "\n"),
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if name == "" {
				return coded{errors.New("which policy? --policy FILE"), exitUsage}
			}
			if q.Since, err = ago(since); err == nil && until != "" {
				q.Until, err = ago(until)
			}
			if err != nil {
				return coded{err, exitUsage}
			}
			if q.Bundle, _, err = pack(c, name, vars); err != nil {
				return err
			}
			a, err := at.client().Replay(c.Context(), q)
			if err != nil {
				return err
			}
			return tellReport(c, a, "Replayed", changed, asJSON)
		},
	}
	at.flags(c)
	c.Flags().StringVar(&name, "policy", "", "the changed configuration: a file, or a folder with forepost.hcl")
	c.Flags().StringVar(&since, "since", since, "how far back (36h, 7d), or from when (2026-11-20)")
	c.Flags().StringVar(&until, "until", "", "up to when, likewise")
	c.Flags().BoolVar(&changed, "changed", false, "print only the IDs of messages with another verdict, for forepost explain -")
	c.Flags().BoolVar(&q.Bodies, "bodies", false, "parse messages again that are still kept")
	c.Flags().StringToStringVar(&vars, "var", nil, "a variable of the configuration, NAME=VALUE")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	return c
}

// tellReport prints a report, or what is wrong with the configuration.
func tellReport(c *cobra.Command, a admin.PolicyAnswer, head string, changed, asJSON bool) error {
	if a.Report == nil {
		fmt.Fprint(c.ErrOrStderr(), a.Diagnostics)
		return failed
	}
	w := c.OutOrStdout()
	switch {
	case asJSON:
		return json.NewEncoder(w).Encode(a.Report)
	case changed:
		for _, id := range a.Report.IDs {
			fmt.Fprintln(w, id)
		}
		return nil
	}
	return a.Report.Text(w, head)
}

func shadowCommand() *cobra.Command {
	var at place
	var vars map[string]string
	c := &cobra.Command{
		Use:   "shadow FILE|DIR",
		Short: "Try a policy on live mail, beside the one in force, which alone decides",
		Long: "Put a configuration on trial: each message is judged by its policies as well, after the reply, and nothing\n" +
			"comes of it but a report. It takes a quarter of one processor at the most, and outlives reloads and restarts\n" +
			"(whose counts begin anew). shadow report tells what came of it so far, shadow stop ends it.",
		Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			b, _, err := pack(c, args[0], vars)
			if err != nil {
				return err
			}
			a, err := at.client().ShadowStart(c.Context(), b)
			if err != nil {
				return err
			}
			if a.Started.IsZero() {
				fmt.Fprint(c.ErrOrStderr(), a.Diagnostics)
				return failed
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is on trial; forepost policy shadow report tells what comes of it\n", b.Main)
			return nil
		},
	}
	at.flags(c)
	c.Flags().StringToStringVar(&vars, "var", nil, "a variable of the configuration, NAME=VALUE")
	c.AddCommand(shadowReportCommand(&at), &cobra.Command{
		Use: "stop", Short: "End the trial", Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error { return at.client().ShadowStop(c.Context()) },
	})
	return c
}

func shadowReportCommand(at *place) *cobra.Command {
	var changed, asJSON bool
	c := &cobra.Command{
		Use: "report", Short: "Tell what came of the trial so far", Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			a, err := at.client().ShadowReport(c.Context())
			if err != nil {
				return err
			}
			if !asJSON && !changed {
				fmt.Fprintf(c.OutOrStdout(), "%s, on trial since %s, took %s of processor time\n", a.Said, a.Started.Local().Format(time.DateTime), a.Spent.Round(time.Millisecond))
			}
			return tellReport(c, a, "Judged", changed, asJSON)
		},
	}
	c.Flags().BoolVar(&changed, "changed", false, "print only the IDs of messages with another verdict")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	return c
}

func diffCommand() *cobra.Command {
	var at place
	var vars map[string]string
	var asJSON bool
	c := &cobra.Command{
		Use:   "diff [OLD] NEW",
		Short: "Tell in what two configurations judge otherwise: rules, thresholds, listeners, domains, lists, filters",
		Long: "Tell in what two configurations judge otherwise, as they are written. Where OLD is not named it is the\n" +
			"one in force. The exit code is 1 where they differ.",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			old, err := oldConfig(c, &at, args, vars)
			if err != nil {
				return err
			}
			_, cfg, err := pack(c, args[len(args)-1], vars)
			if err != nil {
				return err
			}
			return tellDiff(c, policies.Diff(old, cfg), asJSON)
		},
	}
	at.flags(c)
	c.Flags().StringToStringVar(&vars, "var", nil, "a variable of the configurations, NAME=VALUE")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return c
}

// oldConfig is the first of two, or the one in force.
func oldConfig(c *cobra.Command, at *place, args []string, vars map[string]string) (*policies.Config, error) {
	if len(args) == 2 {
		_, cfg, err := pack(c, args[0], vars)
		return cfg, err
	}
	b, err := at.client().Running(c.Context())
	if err != nil {
		return nil, err
	}
	cfg, ds := policies.Load(b.Main, b.Options(policies.Options{Kinds: builtin.Kinds()}))
	if cfg == nil {
		return nil, fmt.Errorf("the configuration in force cannot be read by this program: %s", errorsOf(ds).String())
	}
	return cfg, nil
}

func tellDiff(c *cobra.Command, ds []policies.Difference, asJSON bool) error {
	if asJSON {
		if err := lines(c.OutOrStdout(), ds); err != nil {
			return err
		}
	} else {
		for _, d := range ds {
			fmt.Fprintln(c.OutOrStdout(), d)
		}
		if len(ds) == 0 {
			fmt.Fprintln(c.OutOrStdout(), "no differences")
		}
	}
	if len(ds) > 0 {
		return failed
	}
	return nil
}

func rollbackCommand() *cobra.Command {
	var at place
	c := &cobra.Command{
		Use:   "rollback",
		Short: "Put the configuration in force again that was in force before",
		Long: "Put the configuration in force again that was in force before; the last ten are kept, over restarts as well.\n" +
			"The files stay as they are: the next reload or restart reads them.",
		Args: exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			a, err := at.client().Rollback(c.Context())
			if err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), a.Said)
			fmt.Fprintln(c.ErrOrStderr(), "The files are as they were: the next reload or restart reads them.")
			return nil
		},
	}
	at.flags(c)
	return c
}
