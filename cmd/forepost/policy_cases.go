package main

import (
	"fmt"
	"os"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/forepost/forepost/filters/builtin"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/policies/test"
)

// casesFlags are the flags of policy test.
type casesFlags struct {
	config, run, junit string
	vars               map[string]string
	asJSON, cover      bool

	at     place
	fromID string
}

func policyTestCommand() *cobra.Command {
	var f casesFlags
	c := &cobra.Command{
		Use:   "test [FILE...]",
		Short: "Run the tests of the policies: no DNS, no clock, no network",
		Long: "Run the cases in the files, by default those beside the configuration: *.test.hcl, and tests/*.hcl.\n" +
			"A case states who sends what to whom and what the filters find; what it does not state is neutral.\n" +
			"The exit code is 1 if a case fails or something is wrong with a file.\n\n" +
			"With --from-id, print a case made of a message that the running gateway's trail knows, with addresses and\n" +
			"domains replaced; redirect it to a file beside the others.",
		RunE: func(c *cobra.Command, args []string) error {
			if f.fromID != "" {
				return f.writeCase(c)
			}
			return f.test(c, args)
		},
	}
	c.Flags().StringVar(&f.config, "config", defaultConfig, "the configuration")
	c.Flags().StringToStringVar(&f.vars, "var", nil, "a variable of the configuration, NAME=VALUE")
	c.Flags().StringVar(&f.run, "run", "", "only cases whose name matches this regular expression")
	c.Flags().BoolVar(&f.asJSON, "json", false, "one JSON object")
	c.Flags().StringVar(&f.junit, "junit", "", "write a report for CI systems to this file; - is standard output")
	c.Flags().BoolVar(&f.cover, "cover", false, "name every rule that no case made act, with its place")
	c.Flags().StringVar(&f.fromID, "from-id", "", "print a case made of the message with this ID")
	f.at.flags(c)
	return c
}

// writeCase prints a case made of a message.
func (f *casesFlags) writeCase(c *cobra.Command) error {
	rec, err := recordOf(c.Context(), f.at, f.fromID)
	if err != nil {
		return err
	}
	one, err := test.FromRecord(c.Context(), rec, test.Options{Config: f.config, Load: policies.Options{Kinds: builtin.Kinds(), Vars: f.vars}})
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(c.OutOrStdout(), one.Text)
	return err
}

func (f *casesFlags) test(c *cobra.Command, files []string) error {
	o := test.Options{Config: f.config, Load: policies.Options{Kinds: builtin.Kinds(), Vars: f.vars}}
	var err error
	if o.Only, err = regexp.Compile(f.run); err != nil {
		return coded{fmt.Errorf("--run is no regular expression: %w", err), exitUsage}
	}
	if len(files) == 0 {
		if files, err = test.Files(f.config); err != nil {
			return err
		}
	}
	if len(files) == 0 {
		return fmt.Errorf("there are no tests beside %s; write a file of cases there, named *.test.hcl", f.config)
	}
	rep, ds := test.Run(c.Context(), files, o)
	if rep == nil {
		if f.asJSON {
			fmt.Fprintf(c.OutOrStdout(), "%s\n", ds.JSON())
		} else {
			fmt.Fprint(c.ErrOrStderr(), errorsOf(ds).String()) // forepost check tells the warnings
		}
		return failed
	}
	if err := f.write(c, rep); err != nil {
		return err
	}
	if rep.Failed > 0 {
		return failed
	}
	return nil
}

// write gives the report in the forms that were asked for.
func (f *casesFlags) write(c *cobra.Command, rep *test.Report) error {
	if f.junit == "-" {
		return rep.JUnit(c.OutOrStdout())
	}
	if f.junit != "" {
		out, err := os.Create(f.junit)
		if err != nil {
			return err
		}
		if err := rep.JUnit(out); err != nil {
			out.Close()
			return err
		}
		if err := out.Close(); err != nil {
			return err
		}
	}
	if f.asJSON {
		return rep.JSON(c.OutOrStdout())
	}
	return rep.Text(c.OutOrStdout(), f.cover)
}

func errorsOf(ds policies.Diagnostics) (es policies.Diagnostics) {
	for _, d := range ds {
		if d.Severity == policies.SeverityError {
			es = append(es, d)
		}
	}
	return es
}
