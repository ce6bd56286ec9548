package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/cmd/internal/story"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/trail"
	"github.com/spf13/cobra"
)

func explainCommand() *cobra.Command {
	var at place
	var asJSON bool
	var dry dryFlags
	c := &cobra.Command{
		Use:   "explain ID | explain --eml FILE --ip ADDRESS --from ADDRESS --rcpt ADDRESS",
		Short: "Tell the whole story of a message: every rule, every fact, what was said, where it is now",
		Long: "Tell the whole story of a message, refused ones too. The ID is the one in the reply that the sender saw,\n" +
			"in the log and in the Received field. The ID of a session (10 characters) tells of all its messages.\n\n" +
			"With --eml, tell what would become of a message in a file that came from there: a dry run by the code of the\n" +
			"SMTP port. The running gateway is not asked.",
		Args: func(c *cobra.Command, args []string) error {
			if dry.eml != "" {
				return exactly(0)(c, args)
			}
			return exactly(1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			if dry.eml != "" {
				return dry.explain(c, asJSON)
			}
			stories, err := at.client().Explain(c.Context(), mail.ID(args[0]))
			if err != nil {
				return err
			}
			if len(stories) == 0 {
				return fmt.Errorf("nothing is known of %s; the trail is kept for 30 days", args[0])
			}
			return tell(c.OutOrStdout(), stories, asJSON)
		},
	}
	at.flags(c)
	dry.client(c)
	dry.message(c)
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object for each message")
	return c
}

func tell(w io.Writer, stories []trail.Story, asJSON bool) error {
	for i, s := range stories {
		if asJSON {
			if err := json.NewEncoder(w).Encode(s); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := story.Write(w, s, time.Local); err != nil {
			return err
		}
	}
	return nil
}

func traceCommand() *cobra.Command {
	var at place
	var asJSON bool
	q := admin.TraceQuery{}
	c := &cobra.Command{
		Use:   "trace TEXT",
		Short: "Find messages by address or subject, refused ones too, newest first",
		Args:  exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			q.Text = args[0]
			rs, err := at.client().Trace(c.Context(), q)
			if err != nil {
				return err
			}
			if len(rs) == 0 {
				return fmt.Errorf("no message with %q in the last %s", q.Text, q.Since)
			}
			if asJSON {
				return lines(c.OutOrStdout(), rs)
			}
			return traceTable(c.OutOrStdout(), rs)
		},
	}
	at.flags(c)
	c.Flags().DurationVar(&q.Since, "since", 48*time.Hour, "how far back")
	c.Flags().IntVar(&q.Limit, "limit", 100, "how many at the most")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return c
}

func traceTable(w io.Writer, rs []trail.Record) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "TIME\tID\tFROM\tTO\tVERDICT\tWHY")
	for _, r := range rs {
		from := ""
		if r.From != nil {
			from = "<" + *r.From + ">"
		}
		action, why := "", ""
		if len(r.Outcomes) > 0 {
			action, why = r.Outcomes[0].Action, r.Outcomes[0].Rule
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Time.Local().Format("01-02 15:04:05"), r.ID, story.Clean(from),
			story.Clean(strings.Join(r.To, ",")), action, why)
	}
	return t.Flush()
}

// lines prints one JSON object a line.
func lines[T any](w io.Writer, list []T) error {
	enc := json.NewEncoder(w)
	for _, v := range list {
		if err := enc.Encode(v); err != nil {
			return err
		}
	}
	return nil
}

func statusCommand() *cobra.Command {
	var at place
	c := &cobra.Command{
		Use:   "status",
		Short: "Tell whether the gateway runs, what it listens on, how much waits",
		Args:  exactly(0),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := at.client().Status(c.Context())
			if err != nil {
				return err
			}
			w := c.OutOrStdout()
			fmt.Fprintf(w, "forepost %s, up since %s\nconfiguration %s, loaded %s\n%d in the queue\n", s.Version,
				s.Started.Local().Format(time.DateTime), s.Config, s.Loaded.Local().Format(time.DateTime), s.Queue)
			for _, e := range s.Servers {
				fmt.Fprintf(w, "  %-10s %-14s %s\n", e.Kind, e.Name, e.Address)
			}
			return nil
		},
	}
	at.flags(c)
	return c
}

func reloadCommand() *cobra.Command {
	var at place
	var quiet bool
	c := &cobra.Command{
		Use:   "reload",
		Short: "Read the configuration again; if it has a mistake, the running one stays",
		Args:  exactly(0),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := at.client().Reload(c.Context())
			if err != nil {
				return err
			}
			if r.Diagnostics != "" {
				fmt.Fprint(c.ErrOrStderr(), r.Diagnostics)
			}
			if !r.OK {
				return fmt.Errorf("not reloaded, the running configuration stays: %s", r.Error)
			}
			if !quiet {
				fmt.Fprintln(c.OutOrStdout(), "reloaded")
			}
			return nil
		},
	}
	at.flags(c)
	c.Flags().BoolVar(&quiet, "quiet", false, "say nothing when it went well")
	return c
}
