package main

import (
	"fmt"
	"strings"

	"github.com/forepost/forepost/relay/queue"
	"github.com/spf13/cobra"
)

// termFlags are terms of a filter as options, for those who would rather not learn
// the grammar. They mean the same.
type termFlags struct{ from, to, domain, state, older, reason string }

func (f *termFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.from, "from", "", "the sender: the same as from:...")
	c.Flags().StringVar(&f.to, "to", "", "a recipient: to:...")
	c.Flags().StringVar(&f.domain, "domain", "", "a recipient's domain: domain:...")
	c.Flags().StringVar(&f.state, "state", "", "waiting, ready, active or held: state:...")
	c.Flags().StringVar(&f.older, "older", "", "at least so old, 1h or 2d: age>...")
	c.Flags().StringVar(&f.reason, "reason", "", "why it waits, '421*': reason:...")
}

// add puts the options behind the terms that stand on the command line.
func (f *termFlags) add(args []string) (filter string, err error) {
	terms := []string{strings.Join(args, " ")}
	for _, t := range []struct{ key, value string }{
		{"from:", f.from}, {"to:", f.to}, {"domain:", f.domain}, {"state:", f.state}, {"age>", f.older}, {"reason:", f.reason},
	} {
		if strings.Contains(t.value, `"`) {
			return "", coded{fmt.Errorf("a filter cannot look for quotation marks: %s", t.value), exitUsage}
		}
		if t.value != "" {
			terms = append(terms, `"`+t.key+t.value+`"`)
		}
	}
	filter = strings.TrimSpace(strings.Join(terms, " "))
	return filter, checkFilter(filter)
}

// checkFilter tells of a mistake in a filter as one of the command line.
func checkFilter(filter string) error {
	if err := queue.CheckFilter(filter); err != nil {
		return coded{err, exitUsage}
	}
	return nil
}
