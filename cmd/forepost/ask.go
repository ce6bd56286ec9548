package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
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
		Use:   "explain ID|- | explain --eml FILE --ip ADDRESS --from ADDRESS --rcpt ADDRESS",
		Short: "Tell the whole story of a message: every rule, every fact, what was said, where it is now",
		Long: "Tell the whole story of a message, refused ones too. The ID is the one in the reply that the sender saw,\n" +
			"in the log and in the Received field. The ID of a session (10 characters) tells of all its messages.\n" +
			"- reads IDs from standard input, one a line.\n\n" +
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
			if args[0] != "-" {
				return explain(c, at.client(), args[0], asJSON)
			}
			in := bufio.NewScanner(c.InOrStdin())
			for in.Scan() {
				if id := strings.TrimSpace(in.Text()); id != "" {
					if err := explain(c, at.client(), id, asJSON); err != nil {
						return err
					}
				}
			}
			return in.Err()
		},
	}
	at.flags(c)
	dry.client(c)
	dry.message(c)
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object for each message")
	return c
}

// explain tells of one ID, and whether the policy in force would judge otherwise.
func explain(c *cobra.Command, client *admin.Client, id string, asJSON bool) error {
	stories, err := client.Explain(c.Context(), mail.ID(id))
	if err != nil {
		return err
	}
	if len(stories) == 0 {
		return fmt.Errorf("nothing is known of %s; the trail is kept for 30 days", id)
	}
	if err := tell(c.OutOrStdout(), stories, asJSON); err != nil || asJSON || len(stories) != 1 || stories[0].Record == nil {
		return err
	}
	said, err := client.Today(c.Context(), stories[0].Record.ID)
	if err == nil && said != "" {
		fmt.Fprintf(c.OutOrStdout(), "\n  %s\n", said)
	}
	return err
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
	var o output
	c := &cobra.Command{
		Use:   "status",
		Short: "Tell whether the gateway runs, what it listens on, which certificates it shows, how much waits",
		Args:  exactly(0),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := at.client().Status(c.Context())
			if err != nil {
				return err
			}
			if done, err := o.one(c.OutOrStdout(), s); done || err != nil {
				return err
			}
			return writeStatus(c.OutOrStdout(), s, time.Now())
		},
	}
	at.flags(c)
	o.flags(c)
	return c
}

func writeStatus(w io.Writer, s admin.Status, now time.Time) error {
	var b strings.Builder
	fmt.Fprintf(&b, "forepost %s, up since %s\nconfiguration %s, loaded %s\n%d in the queue\n", s.Version,
		s.Started.Local().Format(time.DateTime), s.Config, s.Loaded.Local().Format(time.DateTime), s.Queue)
	for _, e := range s.Servers {
		fmt.Fprintf(&b, "  %-10s %-14s %s\n", e.Kind, e.Name, e.Address)
	}
	for _, c := range s.Certificates {
		sort := "certificate"
		if c.SelfSigned {
			sort = "self-signed certificate"
		}
		days := int(c.Expires.Sub(now) / (24 * time.Hour))
		ends := fmt.Sprintf("ends on %s, in %d days", c.Expires.Local().Format(time.DateOnly), days)
		if c.Expires.Before(now) {
			ends = "ENDED on " + c.Expires.Local().Format(time.DateOnly)
		}
		fmt.Fprintf(&b, "  %-10s %-14s %s for %s, %s\n", "tls", cmp.Or(c.Block, "-"), sort, strings.Join(c.Names, ", "), ends)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func reloadCommand() *cobra.Command {
	var at place
	var quiet bool
	var o admin.ReloadOptions
	c := &cobra.Command{
		Use:   "reload",
		Short: "Read the configuration again; if it has a mistake, or one of its tests fails, the running one stays",
		Args:  exactly(0),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := at.client().Reload(c.Context(), o)
			if err != nil {
				return err
			}
			if r.Diagnostics != "" {
				fmt.Fprint(c.ErrOrStderr(), r.Diagnostics)
			}
			if r.Tests != "" {
				fmt.Fprint(c.ErrOrStderr(), r.Tests)
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
	c.Flags().BoolVar(&o.NoTest, "no-test", false, "do not run the tests beside the configuration (*.test.hcl, tests/*.hcl)")
	return c
}
