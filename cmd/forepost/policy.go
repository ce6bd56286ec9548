package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/forepost/forepost/policies"
	"github.com/spf13/cobra"
)

func policyCommand() *cobra.Command {
	c := &cobra.Command{Use: "policy", Short: "Policies: check, test, try out; show the built-in ones, explain mistakes, format files"}
	c.AddCommand(policyTestCommand(), checkCommand(), sessionCommand(), consoleCommand(), showCommand(), whyCommand(),
		replayCommand(), shadowCommand(), diffCommand(), rollbackCommand())
	var only bool
	f := &cobra.Command{
		Use: "fmt FILE...", Short: "Rewrite files in the usual form; - is standard input", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return format(c, args, only) },
	}
	f.Flags().BoolVar(&only, "check", false, "only tell by the exit code (1) whether a file would change")
	c.AddCommand(f)
	return c
}

func showCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show [NAME]", Short: "Print a built-in policy (redirect it to a file to make it yours); without a name, what there is", Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			text := strings.Join(policies.StockNames(), "\n") + "\n"
			if len(args) > 0 {
				var ok bool
				if text, ok = policies.Stock(args[0]); !ok {
					return fmt.Errorf("no built-in policy is called %q; there is: %s", args[0], strings.Join(policies.StockNames(), ", "))
				}
			}
			_, err := fmt.Fprint(c.OutOrStdout(), text)
			return err
		},
	}
}

func whyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "why [CODE]", Short: "Explain the code of a mistake, such as FP0107; without one, list them", Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				for _, code := range policies.Codes() {
					summary, _, _ := policies.Explain(code)
					fmt.Fprintf(c.OutOrStdout(), "%s  %s\n", code, summary)
				}
				return nil
			}
			code := strings.ToUpper(args[0])
			summary, why, ok := policies.Explain(code)
			if !ok {
				return fmt.Errorf("there is no code %q; forepost policy why lists them", args[0])
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "%s: %s\n\n%s\n", code, summary, why)
			return err
		},
	}
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
