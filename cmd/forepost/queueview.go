package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/cmd/internal/story"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
	"github.com/spf13/cobra"
)

func queueList(at *place) *cobra.Command {
	var o output
	var limit int
	var terms termFlags
	c := &cobra.Command{
		Use:   "list [FILTER...]",
		Short: "List waiting messages, oldest first, with the reason why they wait",
		Long:  "List waiting messages, oldest first, with the reason why they wait.\n\n" + queue.FilterHelp,
		RunE: func(c *cobra.Command, args []string) error {
			filter, err := terms.add(args)
			if err != nil {
				return err
			}
			es, err := at.client().QueueList(c.Context(), filter, limit)
			if err != nil {
				return err
			}
			t := table[admin.QueueEntry]{head: []string{"ID", "SINCE", "SIZE", "FROM", "TO", "TRIES", "NEXT", "REASON"}, rows: queueRows, none: "the queue is empty"}
			if filter != "" {
				t.none = "no message waits that this chooses"
			}
			return show(c, &o, es, t)
		},
	}
	o.flags(c)
	terms.flags(c)
	c.Flags().IntVar(&limit, "limit", 1000, "how many at the most; 0 for all")
	return c
}

// queueRows has a line for each recipient.
func queueRows(e admin.QueueEntry) (rows [][]string) {
	for _, r := range e.To {
		next := r.State
		if !r.Next.IsZero() {
			next = r.Next.Local().Format("01-02 15:04:05")
		}
		rows = append(rows, []string{string(e.ID), e.Since.Local().Format(time.DateTime), story.Size(e.Size), "<" + e.From + ">",
			r.Address, strconv.Itoa(r.Tries), next, reasonLine(r)})
	}
	return rows
}

// reasonLine is why a recipient waits and who said so, in one line.
func reasonLine(r admin.QueueRecipient) string {
	s := strings.Join(strings.Fields(story.Clean(r.Reason)), " ")
	if r.Host != "" {
		s += " (" + story.Clean(r.Host) + ")"
	}
	return s
}

func queueShow(at *place) *cobra.Command {
	var o output
	var headers, body bool
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show a waiting message: where each recipient stands; its header, or all of it",
		Args:  exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			client, id, w := at.client(), mail.ID(args[0]), c.OutOrStdout()
			if headers || body {
				text, err := client.QueueText(c.Context(), id, body)
				if err == nil {
					_, err = w.Write(text)
				}
				return err
			}
			es, err := client.QueueShow(c.Context(), id)
			switch {
			case err != nil:
				return err
			case len(es) == 0:
				return fmt.Errorf("%s is not in the queue: forepost explain %s tells what became of it", id, id)
			}
			done, err := o.data(w, len(es), func(i int) any { return es[i] })
			for i := 0; i < len(es) && !done; i++ {
				showEntry(w, es[i])
			}
			return err
		},
	}
	o.flags(c)
	c.Flags().BoolVar(&headers, "headers", false, "the header as it goes out")
	c.Flags().BoolVar(&body, "body", false, "the whole message as it goes out")
	return c
}

func showEntry(w io.Writer, e admin.QueueEntry) {
	fmt.Fprintf(w, "%s from <%s>, %s, taken %s", e.ID, story.Clean(e.From), story.Size(e.Size), e.Since.Local().Format(time.DateTime))
	if e.Listener != "" {
		fmt.Fprintf(w, " by %s", e.Listener)
	}
	fmt.Fprintln(w)
	for _, r := range e.To {
		fmt.Fprintf(w, "  <%s> %s", story.Clean(r.Address), r.State)
		if r.Tries > 0 {
			fmt.Fprintf(w, ", %s", many(r.Tries, "attempt"))
		}
		if !r.Next.IsZero() {
			fmt.Fprintf(w, ", next %s", r.Next.Local().Format(time.DateTime))
		}
		if r.Route != "" {
			fmt.Fprintf(w, ", route %s", r.Route)
		}
		if len(r.Tags) > 0 {
			fmt.Fprintf(w, ", tagged %s", strings.Join(r.Tags, " "))
		}
		if l := reasonLine(r); l != "" {
			fmt.Fprintf(w, "\n    %s", l)
		}
		fmt.Fprintln(w)
	}
}

func queueSummary(at *place) *cobra.Command {
	var o output
	c := &cobra.Command{
		Use:   "summary",
		Short: "The queue in numbers, and the reasons why most of it waits",
		Args:  exactly(0),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := at.client().QueueSummary(c.Context())
			if err != nil {
				return err
			}
			w := c.OutOrStdout()
			if done, err := o.one(w, s); done || err != nil {
				return err
			}
			fmt.Fprintf(w, "%s: %d waiting, %d in line, %d under way, %d held", many(s.Messages, "message"), s.Waiting, s.Ready, s.Active, s.Held)
			if s.Messages > 0 {
				fmt.Fprintf(w, "; the oldest is %s old", span(s.Oldest))
			}
			fmt.Fprintln(w)
			for _, p := range s.Paused {
				fmt.Fprintln(w, pauseLine(p))
			}
			for _, r := range s.Reasons {
				fmt.Fprintf(w, "%8d  %s\n", r.Recipients, story.Clean(r.Reason))
			}
			return nil
		},
	}
	o.flags(c)
	return c
}

func queueShape(at *place) *cobra.Command {
	var o output
	var terms termFlags
	c := &cobra.Command{
		Use:   "shape [FILTER...]",
		Short: "Count waiting recipients by domain and age in minutes",
		Long:  "Count waiting recipients by domain and by the age of their messages in minutes, as qshape does, with a reason for each domain.\n\n" + queue.FilterHelp,
		RunE: func(c *cobra.Command, args []string) error {
			filter, err := terms.add(args)
			if err != nil {
				return err
			}
			rows, err := at.client().QueueShape(c.Context(), filter)
			if err != nil {
				return err
			}
			if w := c.OutOrStdout(); onTerminal(w) && !o.asJSON && o.format == "" {
				return shapeTable(w, rows)
			}
			return show(c, &o, rows, table[admin.ShapeRow]{head: append(append([]string{"DOMAIN", "T"}, shapeAges...), "REASON"), rows: shapeRow, none: "the queue is empty"})
		},
	}
	o.flags(c)
	terms.flags(c)
	return c
}

// shapeAges head the columns of ages, in minutes.
var shapeAges = []string{"5", "10", "20", "40", "80", "160", "320", "640", "1280", "1280+"}

func shapeRow(r admin.ShapeRow) [][]string {
	row := []string{r.Domain, strconv.Itoa(r.Total)}
	for _, n := range r.Ages {
		row = append(row, strconv.Itoa(n))
	}
	return [][]string{append(row, r.Reason)}
}

// shapeTable is for people: the numbers stand under each other, and their sum above.
func shapeTable(w io.Writer, rows []admin.ShapeRow) error {
	total := admin.ShapeRow{Domain: "TOTAL"}
	for _, r := range rows {
		total.Total += r.Total
		for i, n := range r.Ages {
			total.Ages[i] += n
		}
	}
	t := tabwriter.NewWriter(w, 0, 8, 1, ' ', tabwriter.AlignRight) // the domain, too, as in qshape
	fmt.Fprintln(t, "DOMAIN\tT\t"+strings.Join(shapeAges, "\t")+"\t  LAST REPLY")
	for _, r := range append([]admin.ShapeRow{total}, rows...) {
		fmt.Fprintf(t, "%s\t%d\t", story.Clean(r.Domain), r.Total)
		for _, n := range r.Ages {
			fmt.Fprintf(t, "%d\t", n)
		}
		fmt.Fprintf(t, "  %s\n", story.Clean(r.Reason))
	}
	return t.Flush()
}
