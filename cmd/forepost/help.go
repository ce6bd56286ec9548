package main

import (
	"fmt"
	"strings"

	"github.com/forepost/forepost/filters/builtin"
	"github.com/forepost/forepost/policies"
	"github.com/spf13/cobra"
)

// helpCommand is cobra's, and the reference of the policy language besides:
// forepost help policy facts. It needs no network and no files.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND...] | help policy TOPIC [WORD]",
		Short: "Help about a command, or about the policy language: blocks, phases, verbs, facts, functions, filters, diagnostics",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 1 && args[0] == "policy" {
				if done, err := topic(c, args[1], args[2:]); done {
					return err
				}
			}
			found, rest, err := root.Find(args)
			if err != nil || found == nil || len(rest) > 0 {
				return coded{fmt.Errorf("there is no help about %q; forepost help lists the commands, and the policy language has: %s", strings.Join(args, " "), strings.Join(topicNames(), ", ")), exitUsage}
			}
			found.InitDefaultHelpFlag()
			if err := found.Help(); err != nil {
				return err
			}
			if found.Name() == "policy" {
				_, err = fmt.Fprintf(c.OutOrStdout(), "\nThe language, offline: forepost help policy TOPIC [WORD], with one of: %s\n", strings.Join(topicNames(), ", "))
			}
			return err
		},
	}
}

func topicNames() (names []string) {
	for _, t := range policies.Topics(builtin.Kinds()) {
		names = append(names, t.Name)
	}
	return names
}

// topic prints a topic, or the entries of it that have a word; done is false
// where there is no such topic.
func topic(c *cobra.Command, name string, words []string) (done bool, err error) {
	for _, t := range policies.Topics(builtin.Kinds()) {
		if t.Name != name {
			continue
		}
		if len(words) > 0 {
			var some []policies.Entry
			for _, e := range t.Entries {
				if strings.Contains(strings.ToLower(e.Name), strings.ToLower(words[0])) {
					some = append(some, e)
				}
			}
			if t.Entries = some; some == nil {
				return true, fmt.Errorf("nothing among the %s is called %q", name, words[0])
			}
		}
		_, err = fmt.Fprint(c.OutOrStdout(), t.Text())
		return true, err
	}
	return false, nil
}
