package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/cmd/internal/story"
	"github.com/forepost/forepost/relay/mail"
	"github.com/spf13/cobra"
)

func queueCommand() *cobra.Command {
	var at place
	c := &cobra.Command{Use: "queue", Short: "See and handle the mail that waits"}
	at.flags(c)
	c.AddCommand(queueList(&at))
	for _, v := range []struct{ what, short string }{
		{"retry", "Try messages again now"},
		{"hold", "Keep messages from being tried until they are released"},
		{"release", "Let held messages go"},
		{"delete", "Throw waiting messages away, without a notice to the sender"},
	} {
		c.AddCommand(&cobra.Command{
			Use: v.what + " ID...", Short: v.short, Args: cobra.MinimumNArgs(1),
			RunE: func(c *cobra.Command, args []string) error { return queueDo(c, at.client(), v.what, args) },
		})
	}
	return c
}

func queueDo(c *cobra.Command, client *admin.Client, what string, ids []string) error {
	done := 0
	for _, id := range ids {
		if err := client.QueueDo(c.Context(), mail.ID(id), what); err != nil {
			fmt.Fprintf(c.ErrOrStderr(), "forepost: %s %s: %v\n", what, id, err)
			continue
		}
		done++
	}
	switch {
	case done == len(ids):
		return nil
	case done > 0:
		return coded{fmt.Errorf("%d of %d done", done, len(ids)), exitPartly}
	}
	return failed
}

func queueList(at *place) *cobra.Command {
	var asJSON bool
	var limit int
	c := &cobra.Command{
		Use:   "list",
		Short: "List waiting messages, oldest first, with the reason why they wait",
		Args:  exactly(0),
		RunE: func(c *cobra.Command, args []string) error {
			es, err := at.client().Queue(c.Context(), limit)
			if err != nil {
				return err
			}
			if asJSON {
				return lines(c.OutOrStdout(), es)
			}
			return queueTable(c.OutOrStdout(), es)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	c.Flags().IntVar(&limit, "limit", 1000, "how many at the most")
	return c
}

func queueTable(w io.Writer, es []admin.QueueEntry) error {
	if len(es) == 0 {
		_, err := fmt.Fprintln(w, "the queue is empty")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tSINCE\tSIZE\tFROM\tTO\tTRIES\tNEXT\tREASON")
	for _, e := range es {
		for _, r := range e.To {
			next := r.State
			if !r.Next.IsZero() {
				next = r.Next.Local().Format("01-02 15:04:05")
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t<%s>\t%s\t%d\t%s\t%s\n", e.ID, e.Since.Local().Format(time.DateTime), story.Size(e.Size),
				story.Clean(e.From), story.Clean(r.Address), r.Tries, next, strings.TrimSpace(story.Clean(r.Reason)))
		}
	}
	return t.Flush()
}
