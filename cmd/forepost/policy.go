package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/forepost/forepost/policies"
	"github.com/spf13/cobra"
)

func policyCommand() *cobra.Command {
	c := &cobra.Command{Use: "policy", Short: "Policies: show the built-in ones, format files"}
	c.AddCommand(&cobra.Command{
		Use: "show NAME", Short: "Print a built-in policy; redirect it to a file to make it yours", Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			text, ok := policies.Stock(args[0])
			if !ok {
				return fmt.Errorf("no built-in policy is called %q", args[0])
			}
			_, err := fmt.Fprint(c.OutOrStdout(), text)
			return err
		},
	})
	var only bool
	f := &cobra.Command{
		Use: "fmt FILE...", Short: "Rewrite files in the usual form; - is standard input", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return format(c, args, only) },
	}
	f.Flags().BoolVar(&only, "check", false, "only tell by the exit code (1) whether a file would change")
	c.AddCommand(f)
	return c
}

func format(c *cobra.Command, files []string, only bool) error {
	changed := false
	for _, name := range files {
		before, err := readInput(c, name)
		if err != nil {
			return err
		}
		after, err := policies.Format(name, before)
		if err != nil {
			return err
		}
		if name == "-" && !only {
			if _, err := c.OutOrStdout().Write(after); err != nil {
				return err
			}
			continue
		}
		if string(before) == string(after) {
			continue
		}
		changed = true
		if only {
			fmt.Fprintln(c.ErrOrStderr(), name)
		} else if err := rewrite(name, after); err != nil {
			return err
		}
	}
	if only && changed {
		return coded{errors.New(""), exitFailed}
	}
	return nil
}

func readInput(c *cobra.Command, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(c.InOrStdin())
	}
	return os.ReadFile(name)
}

// rewrite replaces a file whole, keeping its mode: nobody reads half of it.
func rewrite(name string, data []byte) error {
	st, err := os.Stat(name)
	if err != nil {
		return err
	}
	tmp := name + ".forepost-new"
	if err := os.WriteFile(tmp, data, st.Mode().Perm()); err != nil {
		return err
	}
	return os.Rename(tmp, name)
}
