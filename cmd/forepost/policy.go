package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

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
			page := fmt.Sprintf("%s: %s\n\n%s\n", code, summary, why)
			if wrong, right, ok := policies.Example(code); ok {
				page += "\nWrong:\n\n" + indented(wrong) + "\nRight:\n\n" + indented(right)
			}
			_, err := io.WriteString(c.OutOrStdout(), page)
			return err
		},
	}
}

// indented are lines as a page shows them.
func indented(text string) string {
	return "    " + strings.ReplaceAll(text, "\n", "\n    ") + "\n"
}

// format goes through all files: what is wrong with one keeps no other from it.
func format(c *cobra.Command, files []string, only bool) error {
	var errs []error
	wrong := false
	for _, name := range files {
		changed, err := formatOne(c, name, only)
		var ds policies.Diagnostics
		if errors.As(err, &ds) {
			fmt.Fprint(c.ErrOrStderr(), ds)
			wrong, err = true, nil
		}
		wrong = wrong || only && changed
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil || !wrong {
		return err
	}
	return failed
}

// formatOne tells whether a file was not as it should be.
func formatOne(c *cobra.Command, name string, only bool) (changed bool, err error) {
	before, err := readInput(c, name)
	if err != nil {
		return false, err
	}
	after, err := policies.Format(name, before)
	if err != nil {
		return false, err
	}
	changed = string(before) != string(after)
	switch {
	case only && changed:
		_, err = fmt.Fprintln(c.ErrOrStderr(), name)
	case only:
	case name == "-":
		_, err = c.OutOrStdout().Write(after)
	case changed:
		err = rewrite(name, after)
	}
	return changed, err
}

func readInput(c *cobra.Command, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(c.InOrStdin())
	}
	return os.ReadFile(name)
}

// rewrite replaces a file whole, keeping its mode and, where we may, its owner:
// nobody reads half of it. Of a link it is the file that the link leads to.
func rewrite(name string, data []byte) error {
	name, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	st, err := os.Stat(name)
	if err != nil {
		return err
	}
	tmp := name + ".forepost-new"
	if err := os.WriteFile(tmp, data, st.Mode().Perm()); err != nil {
		return err
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		_ = os.Chown(tmp, int(sys.Uid), int(sys.Gid)) // who may not is the owner
	}
	return os.Rename(tmp, name)
}
