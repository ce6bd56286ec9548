package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/cmd/internal/story"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
	"github.com/spf13/cobra"
)

func quarantineCommand() *cobra.Command {
	var at place
	c := &cobra.Command{Use: "quarantine", Short: "See and handle the mail that policies keep apart",
		Long: "See and handle the mail that policies keep apart.\n\n" + queue.FilterHelp}
	at.flags(c)
	c.AddCommand(quarantineList(&at), quarantineShow(&at),
		quarantineVerb(&at, "release", "Scan messages again and let them go to those whom they are for",
			"A rule of spam that kept a message is what you overrule. Rules of the class malware, and rules that did not\n"+
				"speak before, stop a release; --force passes over them, too."),
		quarantineVerb(&at, "delete", "Throw messages away", ""))
	return c
}

func quarantineList(at *place) *cobra.Command {
	var in string
	var limit int
	var o output
	c := &cobra.Command{
		Use: "list [FILTER...]", Short: "List messages in quarantine, oldest first", Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			list, err := at.client().QuarantineList(c.Context(), in, strings.Join(args, " "), limit)
			if err != nil {
				return err
			}
			return show(c, &o, list, table[admin.Quarantined]{head: []string{"SINCE", "ID", "IN", "FROM", "TO", "SIZE", "SUBJECT"}, rows: quarantinedRow, none: "nothing is in quarantine that this chooses"})
		},
	}
	c.Flags().StringVar(&in, "in", "", "only this quarantine")
	c.Flags().IntVar(&limit, "limit", 1000, "how many at the most, 0 for all")
	o.flags(c)
	return c
}

func quarantinedRow(q admin.Quarantined) [][]string {
	return [][]string{{q.Since.Local().Format("01-02 15:04:05"), string(q.ID), q.In, "<" + q.From + ">", q.To, strconv.FormatInt(q.Size, 10), q.Subject}}
}

func quarantineShow(at *place) *cobra.Command {
	var headers, body bool
	var o output
	c := &cobra.Command{
		Use: "show ID", Short: "Show a message in quarantine: who, why, until when", Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			id := mail.ID(args[0])
			if !id.Valid() {
				return coded{fmt.Errorf("%q is not an ID: forepost quarantine list shows them", args[0]), exitUsage}
			}
			if headers || body {
				text, err := at.client().QuarantineText(c.Context(), id, body)
				if err != nil {
					return err
				}
				_, err = c.OutOrStdout().Write(text)
				return err
			}
			list, err := at.client().QuarantineList(c.Context(), "", string(id), 0)
			if err != nil {
				return err
			}
			if len(list) == 0 {
				return fmt.Errorf("%s is in no quarantine: forepost explain %s tells what became of it", id, id)
			}
			done, err := o.data(c.OutOrStdout(), len(list), func(i int) any { return list[i] })
			for i := 0; i < len(list) && !done; i++ {
				showQuarantined(c.OutOrStdout(), list[i])
			}
			return err
		},
	}
	c.Flags().BoolVar(&headers, "headers", false, "the header of the message")
	c.Flags().BoolVar(&body, "body", false, "the whole message")
	o.flags(c)
	return c
}

func showQuarantined(w io.Writer, q admin.Quarantined) {
	until := "for ever"
	if !q.Until.IsZero() {
		until = "until " + q.Until.Local().Format(time.DateTime)
	}
	fmt.Fprintf(w, "%s  %s  %d octets\nfrom <%s>  to %s  subject %q\nin %s %s", q.ID, q.Since.Local().Format(time.DateTime), q.Size,
		story.Clean(q.From), story.Clean(q.To), story.Clean(q.Subject), q.In, until)
	if q.Rule != "" {
		fmt.Fprintf(w, ", by %s", q.Rule)
	}
	fmt.Fprintf(w, "\n")
}

func quarantineVerb(at *place, what, short, more string) *cobra.Command {
	var b bulk
	o := admin.QuarantineOrder{What: what}
	c := &cobra.Command{
		Use: what + " FILTER...", Short: short,
		Long: strings.TrimSpace(short+".\n"+more) + "\n\nOne message is named by its ID. Where a filter chooses more, their number is shown and a yes asked for.\n\n" + queue.FilterHelp,
		Args: atLeast(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.Filter = strings.Join(args, " ")
			return quarantineOrder(c, at.client(), o, b)
		},
	}
	b.flags(c)
	c.Flags().StringVar(&o.In, "in", "", "only this quarantine")
	if what == "release" {
		c.Flags().BoolVar(&o.Force, "force", false, "also what the policy, asked again, would stop for another reason")
	}
	return c
}

// quarantineOrder has the gateway do something, after a yes where more than one
// message is meant.
func quarantineOrder(c *cobra.Command, client *admin.Client, o admin.QuarantineOrder, b bulk) error {
	count := o
	count.DryRun = true
	r, err := client.QuarantineAct(c.Context(), count)
	if err != nil {
		return err
	}
	say := func(text string) error {
		if b.asJSON {
			return lines(c.OutOrStdout(), []admin.QuarantineResult{r})
		}
		_, err := fmt.Fprintln(c.OutOrStdout(), text)
		return err
	}
	if b.dryRun {
		return say(fmt.Sprintf("would %s %s", o.What, many(r.Messages, "message")))
	}
	if r.Messages == 0 {
		return fmt.Errorf("no message in quarantine that %q chooses: see forepost quarantine list", o.Filter)
	}
	if r.Messages > 1 && !b.yes && !b.asJSON {
		if err := confirm(c, fmt.Sprintf("%s %s? [y/N] ", o.What, many(r.Messages, "message"))); err != nil {
			return err
		}
	}
	if r, err = client.QuarantineAct(c.Context(), o); err != nil {
		return err
	}
	for _, why := range r.Refused {
		fmt.Fprintf(c.ErrOrStderr(), "forepost: %s %s\n", o.What, story.Clean(why))
	}
	if b.asJSON {
		if err := say(""); err != nil {
			return err
		}
	}
	switch {
	case r.Done == 0:
		return failed
	case r.Done < r.Messages:
		return coded{fmt.Errorf("%s: %d of %d messages", o.What, r.Done, r.Messages), exitPartly}
	case b.asJSON:
		return nil
	}
	return say(fmt.Sprintf("%s: %s", o.What, many(r.Done, "message")))
}
