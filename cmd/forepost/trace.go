package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/cmd/internal/story"
	"github.com/forepost/forepost/relay/trail"
	"github.com/spf13/cobra"
)

func traceCommand() *cobra.Command {
	var at place
	var o output
	var follow bool
	q := admin.TraceQuery{}
	since, until := "48h", ""
	c := &cobra.Command{
		Use:   "trace [TEXT]",
		Short: "Find messages by address, domain, subject, client, verdict, rule or ID, refused ones too, newest first",
		Long: "Find messages, refused ones too, newest first. TEXT is an address, a domain (@example.com: as sender or\n" +
			"recipient), words of the subject, a Message-ID, an IP address or network, an account, or an ID. Words are\n" +
			"whole words, and all must be there. The exit code is 1 where nothing is found.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if len(args) > 0 {
				q.Text = args[0]
			}
			if q.Since, err = ago(since); err == nil && until != "" {
				q.Until, err = ago(until)
			}
			if err != nil {
				return coded{err, exitUsage}
			}
			if follow {
				return followTrace(c.Context(), c.OutOrStdout(), at.client(), q, &o)
			}
			return trace(c, at.client(), q, since, &o)
		},
	}
	at.flags(c)
	f := c.Flags()
	f.StringVar(&since, "since", since, "how far back (36h, 7d), or from when (2026-11-20, 2026-11-20T09:14)")
	f.StringVar(&until, "until", "", "up to when, likewise")
	f.StringVar(&q.From, "from", "", "the sender, or its domain (@example.com)")
	f.StringVar(&q.To, "to", "", "a recipient, or its domain")
	f.StringVar(&q.IP, "ip", "", "the client, or its network (203.0.113.0/24)")
	f.StringVar(&q.Verdict, "verdict", "", "accept, reject, defer, drop, discard, quarantine, hold, bounce")
	f.StringVar(&q.Rule, "rule", "", "a rule that did something, or (in shadow) would have: inbound.rcpt.reject.dnsbl, or the end of it")
	f.StringVar(&q.Tag, "tag", "", "a tag that a rule gave")
	f.IntVar(&q.Limit, "limit", 100, "how many at the most")
	o.flags(c)
	f.BoolVarP(&follow, "follow", "f", false, "tell messages as they come, until interrupted")
	return c
}

func trace(c *cobra.Command, client *admin.Client, q admin.TraceQuery, since string, o *output) error {
	rs, err := client.Trace(c.Context(), q)
	if err != nil {
		return err
	}
	if len(rs) == 0 {
		return fmt.Errorf("no such message since %s; --since looks further back", since)
	}
	return show(c, o, rs, table[trail.Record]{head: []string{"TIME", "ID", "FROM", "TO", "VERDICT", "WHY"},
		rows: func(r trail.Record) [][]string { return [][]string{traceRow(&r)} }})
}

// ago reads "36h", "7d" or a time, and tells how long ago that is.
func ago(s string) (time.Duration, error) {
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return d, nil
	}
	var n int
	if _, err := fmt.Sscanf(s, "%dd", &n); err == nil && fmt.Sprintf("%dd", n) == s && n >= 0 {
		return time.Duration(n) * 24 * time.Hour, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", time.DateTime, time.RFC3339} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			if d := time.Since(t); d > 0 {
				return d, nil
			}
			return 0, fmt.Errorf("%s is yet to come", s)
		}
	}
	return 0, fmt.Errorf("%q is no time: write 36h, 7d or 2026-11-20", s)
}

// followTrace prints records as they come.
func followTrace(ctx context.Context, w io.Writer, client *admin.Client, q admin.TraceQuery, o *output) error {
	err := client.Follow(ctx, q, func(r *trail.Record) error {
		if done, err := o.one(w, r); done || err != nil {
			return err
		}
		_, err := fmt.Fprintln(w, strings.Join(traceRow(r), "  "))
		return err
	})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func traceRow(r *trail.Record) []string {
	from := ""
	if r.From != nil {
		from = "<" + *r.From + ">"
	}
	action, why := "", ""
	if len(r.Outcomes) > 0 {
		action, why = r.Outcomes[0].Action, r.Outcomes[0].Rule
	}
	return []string{r.Time.Local().Format("01-02 15:04:05"), string(r.ID), story.Clean(from), story.Clean(strings.Join(r.To, ",")), action, why}
}
