package main

import (
	"bufio"
	"fmt"
	"strings"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
	"github.com/spf13/cobra"
)

func queueCommand() *cobra.Command {
	var at place
	c := &cobra.Command{Use: "queue", Short: "See and handle the mail that waits", Long: "See and handle the mail that waits.\n\n" + queue.FilterHelp}
	at.flags(c)
	c.AddCommand(queueList(&at), queueShow(&at), queueSummary(&at), queueShape(&at), queueFlush(&at))
	for _, v := range []struct{ what, short string }{
		{"retry", "Try messages again now"},
		{"hold", "Keep messages from being tried until they are released"},
		{"release", "Let held messages go"},
		{"bounce", "Return messages to their senders, with a report"},
		{"delete", "Throw messages away, without a report to the sender"},
	} {
		c.AddCommand(queueVerb(&at, v.what, v.short))
	}
	return c
}

// bulk is how an order to the queue is confirmed.
type bulk struct{ yes, dryRun, asJSON bool }

func (b *bulk) flags(c *cobra.Command) {
	c.Flags().BoolVar(&b.yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&b.dryRun, "dry-run", false, "tell how many it would be, and do nothing")
	c.Flags().BoolVar(&b.asJSON, "json", false, "the result as JSON; does not ask")
}

func queueVerb(at *place, what, short string) *cobra.Command {
	var b bulk
	o := admin.QueueOrder{What: what}
	c := &cobra.Command{
		Use: what + " FILTER...", Short: short,
		Long: short + ".\n\nOne message is named by its ID. Where a filter chooses more, their number is shown and a yes asked for.\n" +
			"Several IDs are done one after the other.\n\n" + queue.FilterHelp,
		Args: atLeast(1),
		RunE: func(c *cobra.Command, args []string) error {
			if ids(args) {
				return eachID(c, at.client(), o, b, args)
			}
			o.Filter = strings.Join(args, " ")
			if err := checkFilter(o.Filter); err != nil {
				return err
			}
			return order(c, at.client(), o, b, true)
		},
	}
	b.flags(c)
	c.Flags().StringVar(&o.Why, "reason", "", "why, for the trail (and the report of bounce)")
	return c
}

// queueFlush is retry for all, or a domain.
func queueFlush(at *place) *cobra.Command {
	var b bulk
	var domain string
	c := &cobra.Command{
		Use: "flush", Short: "Try all waiting messages again now, or those for a domain", Args: exactly(0),
		RunE: func(c *cobra.Command, args []string) error {
			o := admin.QueueOrder{What: "retry"}
			if domain != "" {
				o.Filter = `"domain:` + domain + `"`
			}
			return order(c, at.client(), o, b, false)
		},
	}
	b.flags(c)
	c.Flags().StringVar(&domain, "domain", "", "only mail for this domain")
	return c
}

// ids tells whether all arguments are IDs.
func ids(args []string) bool {
	for _, a := range args {
		if !mail.ID(a).Valid() {
			return false
		}
	}
	return true
}

// eachID gives the order for one message after the other.
func eachID(c *cobra.Command, client *admin.Client, o admin.QueueOrder, b bulk, list []string) error {
	done := 0
	for _, id := range list {
		o.Filter = "id:" + id
		if err := order(c, client, o, b, len(id) == mail.SessionIDLen); err != nil {
			if exitCode(err) != exitFailed {
				return err
			}
			fmt.Fprintf(c.ErrOrStderr(), "forepost: %s %s: %v\n", o.What, id, err)
			continue
		}
		done++
	}
	switch {
	case done == len(list):
		return nil
	case done > 0:
		return coded{fmt.Errorf("%d of %d done", done, len(list)), exitPartly}
	}
	return failed
}

// order has the gateway do something, after a yes if ask is set and more than one
// message is meant.
func order(c *cobra.Command, client *admin.Client, o admin.QueueOrder, b bulk, ask bool) error {
	count := o
	count.DryRun = true
	r, err := client.QueueAct(c.Context(), count)
	if err != nil {
		return err
	}
	if b.dryRun {
		return said(c, b, r, fmt.Sprintf("would %s %s", o.What, amount(r)))
	}
	if r.Messages == 0 {
		return fmt.Errorf("no message waits that %q chooses: see forepost queue list", o.Filter)
	}
	if ask && r.Messages > 1 && !b.yes && !b.asJSON {
		if err := confirm(c, fmt.Sprintf("%s %s? [y/N] ", o.What, amount(r))); err != nil {
			return err
		}
	}
	if r, err = client.QueueAct(c.Context(), o); err != nil {
		return err
	}
	switch {
	case r.Done == 0:
		return fmt.Errorf("none of %s is in a state for %s: see forepost queue list", amount(r), o.What)
	case r.Done < r.Recipients:
		return coded{fmt.Errorf("%s: %d of %d recipients; the others were in no state for it", o.What, r.Done, r.Recipients), exitPartly}
	}
	return said(c, b, r, fmt.Sprintf("%s: %s", o.What, amount(r)))
}

func said(c *cobra.Command, b bulk, r admin.QueueResult, text string) error {
	if b.asJSON {
		return lines(c.OutOrStdout(), []admin.QueueResult{r})
	}
	_, err := fmt.Fprintln(c.OutOrStdout(), text)
	return err
}

func amount(r admin.QueueResult) string {
	return fmt.Sprintf("%s with %s", many(r.Messages, "message"), many(r.Recipients, "recipient"))
}

func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// confirm asks for a yes.
func confirm(c *cobra.Command, question string) error {
	fmt.Fprint(c.ErrOrStderr(), question)
	line, _ := bufio.NewReader(c.InOrStdin()).ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return nil
	}
	return fmt.Errorf("nothing was done (--yes does it without asking)")
}

// atLeast is cobra.MinimumNArgs with our exit code for a wrong command line.
func atLeast(n int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := cobra.MinimumNArgs(n)(c, args); err != nil {
			return coded{fmt.Errorf("%w\nSee: %s --help", err, c.CommandPath()), exitUsage}
		}
		return nil
	}
}

// span is a duration as people see it.
func span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}
