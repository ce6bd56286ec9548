package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/cmd/internal/story"
	"github.com/forepost/forepost/relay/report"
	"github.com/spf13/cobra"
)

func reportsCommand() *cobra.Command {
	var at place
	q := admin.ReportsQuery{}
	var since string
	var o output
	list := func(c *cobra.Command, args []string) (err error) {
		if q.Since, err = sinceOf(since); err != nil {
			return err
		}
		rs, err := at.client().Reports(c.Context(), q)
		if err != nil {
			return err
		}
		return show(c, &o, rs, table[report.Summary]{head: []string{"UNTIL", "ID", "KIND", "FROM", "ABOUT", "COUNT", "PASS", "FAIL"}, rows: reportRow, none: "no reports"})
	}
	c := &cobra.Command{
		Use:   "reports",
		Short: "See the DMARC and TLS reports that others sent about our domains",
		Args:  exactly(0),
		RunE:  list,
	}
	at.flags(c)
	c.PersistentFlags().StringVar(&q.Domain, "domain", "", "only about this domain")
	c.PersistentFlags().StringVar(&since, "since", "30d", "how far back: 12h, 30d")
	all := &cobra.Command{Use: "list", Short: "List them, the latest first", Args: exactly(0), RunE: list}
	o.flags(c)
	o.flags(all)
	c.AddCommand(all, reportsShow(&at), reportsRead())
	return c
}

func reportRow(r report.Summary) [][]string {
	return [][]string{{r.End.UTC().Format("2006-01-02 15:04"), r.ID, string(r.Kind), r.Org, r.Domain, strconv.Itoa(r.Messages), strconv.Itoa(r.Pass), strconv.Itoa(r.Fail)}}
}

func reportsShow(at *place) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show who sent mail as our domain, by address, and how it fared",
		Args:  exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			rs, err := at.client().Reports(c.Context(), admin.ReportsQuery{ID: args[0]})
			if err != nil {
				return err
			}
			if len(rs) == 0 {
				return fmt.Errorf("there is no report %s: forepost reports lists them", args[0])
			}
			return showReports(c.OutOrStdout(), rs, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return c
}

func reportsRead() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "read FILE...",
		Short: "Read reports in files (XML, JSON, zip, gzip or whole messages) and show them; nothing is kept",
		Args:  exactlySome,
		RunE: func(c *cobra.Command, args []string) error {
			bad := 0
			for _, name := range args {
				if err := readReport(c.OutOrStdout(), name, asJSON); err != nil {
					fmt.Fprintf(c.ErrOrStderr(), "forepost: %s: %v\n", name, err)
					bad++
				}
			}
			switch {
			case bad == 0:
				return nil
			case bad < len(args):
				return coded{fmt.Errorf("%d of %d files were not read", bad, len(args)), exitPartly}
			}
			return failed
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return c
}

// exactlySome wants at least one argument.
func exactlySome(c *cobra.Command, args []string) error {
	if err := cobra.MinimumNArgs(1)(c, args); err != nil {
		return coded{fmt.Errorf("%w\nSee: %s --help", err, c.CommandPath()), exitUsage}
	}
	return nil
}

func readReport(w io.Writer, name string, asJSON bool) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, report.MaxMessage+1))
	if err != nil {
		return err
	}
	r, err := report.Read(text)
	if err != nil {
		return err
	}
	if asJSON {
		return lines(w, []*report.Report{r})
	}
	if r.Kind == report.KindFeedback {
		_, err := fmt.Fprintf(w, "%s: a feedback report (%s) about a single message: it is for people to read\n", name, story.Clean(r.Feedback))
		return err
	}
	return showReports(w, []report.Summary{report.Summarise(r)}, false)
}

func showReports(w io.Writer, rs []report.Summary, asJSON bool) error {
	if asJSON {
		return lines(w, rs)
	}
	for _, r := range rs {
		if err := showReport(w, r); err != nil {
			return err
		}
	}
	return nil
}

func showReport(w io.Writer, r report.Summary) error {
	what := "messages"
	if r.Kind == report.KindTLS {
		what = "sessions"
	}
	fmt.Fprintf(w, "%s report of %s about %s (%s)\n%s to %s UTC, report ID %s\n%d %s: %d pass, %d fail\n", r.Kind, story.Clean(r.Org), story.Clean(r.Domain),
		story.Clean(r.Policy), r.Begin.UTC().Format(time.DateTime), r.End.UTC().Format(time.DateTime), story.Clean(r.ReportID), r.Messages, what, r.Pass, r.Fail)
	if r.Mail != "" {
		fmt.Fprintf(w, "brought by %s\n", story.Clean(r.Mail))
	}
	t, flush := columns(w)
	if r.Kind == report.KindTLS {
		fmt.Fprintln(t, "IP\tMX\tCOUNT\tFAILURE")
	} else {
		fmt.Fprintln(t, "IP\tCOUNT\tDMARC\tDKIM\tSPF\tDISPOSITION\tFROM")
	}
	for _, x := range r.Rows {
		if r.Kind == report.KindTLS {
			fmt.Fprintf(t, "%s\t%s\t%d\t%s\n", story.Clean(x.IP), story.Clean(x.MX), x.Count, story.Clean(x.Failure))
			continue
		}
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", story.Clean(x.IP), x.Count, map[bool]string{true: "pass", false: "fail"}[x.Pass],
			story.Clean(x.DKIM), story.Clean(x.SPF), story.Clean(x.Disposition), story.Clean(x.From))
	}
	if r.Left > 0 {
		fmt.Fprintf(t, "others\t%d\n", r.Left)
	}
	return flush()
}

// sinceOf reads a duration that may be in days: "30d".
func sinceOf(s string) (time.Duration, error) {
	var days int
	if n, err := fmt.Sscanf(s, "%dd", &days); n == 1 && err == nil && s == fmt.Sprintf("%dd", days) && days >= 0 && days < 10000 {
		return time.Duration(days) * 24 * time.Hour, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, coded{fmt.Errorf("--since %q is no duration: write 12h or 30d", s), exitUsage}
	}
	return d, nil
}
