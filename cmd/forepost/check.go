package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/forepost/forepost/cmd/internal/appliance"
	"github.com/forepost/forepost/policies"
	"github.com/spf13/cobra"
)

// checkCommand stands at the top and under policy: it is one command.
func checkCommand() *cobra.Command {
	var o appliance.Options
	var format string
	var asJSON bool
	c := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration: all its mistakes, each with its line and what to do",
		Long: "Check the configuration, policies and all: every mistake at once, each with its line, its code and what to do.\n" +
			"The exit code is 1 if there are errors; warnings are advice. forepost policy why CODE explains a code.\n" +
			"The forms for programs: json (an array of objects), github (workflow commands), sarif (a log of SARIF 2.1.0).",
		Args: exactly(0),
		RunE: func(c *cobra.Command, args []string) error {
			if asJSON {
				format = "json"
			}
			return check(c, o, format)
		},
	}
	c.Flags().StringVar(&o.Config, "config", defaultConfig, "the configuration")
	c.Flags().StringToStringVar(&o.Vars, "var", nil, "a variable of the configuration, NAME=VALUE")
	c.Flags().BoolVar(&asJSON, "json", false, "a JSON array with an object for each; the same as --format=json")
	c.Flags().StringVar(&format, "format", "text", "text, json, github or sarif")
	return c
}

func check(c *cobra.Command, o appliance.Options, format string) error {
	if _, ok := diagnosticForms[format]; !ok {
		return coded{fmt.Errorf("--format is text, json, github or sarif, not %q", format), exitUsage}
	}
	ds, err := appliance.Check(o)
	diagnosticForms[format](c.OutOrStdout(), ds)
	var conf *appliance.ConfigError
	switch errors.As(err, &conf); {
	case conf != nil && format == "text":
		return coded{conf, exitFailed}
	case conf != nil:
		return failed
	case err == nil && format == "text":
		fmt.Fprintf(c.OutOrStdout(), "%s: no errors\n", o.Config)
	}
	return err
}

// diagnosticForms are the forms that mistakes are told in.
var diagnosticForms = map[string]func(io.Writer, policies.Diagnostics){
	"text":   func(w io.Writer, ds policies.Diagnostics) { fmt.Fprint(w, ds.String()) },
	"json":   func(w io.Writer, ds policies.Diagnostics) { fmt.Fprintf(w, "%s\n", ds.JSON()) },
	"github": func(w io.Writer, ds policies.Diagnostics) { fmt.Fprint(w, ds.GitHub()) },
	"sarif":  func(w io.Writer, ds policies.Diagnostics) { fmt.Fprintf(w, "%s\n", ds.SARIF(version)) },
}
