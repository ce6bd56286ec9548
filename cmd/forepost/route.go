package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/cmd/internal/story"
	"github.com/spf13/cobra"
)

func routeCommand() *cobra.Command {
	var at place
	c := &cobra.Command{Use: "route", Short: "Stop and try the ways that mail goes out"}
	at.flags(c)
	c.AddCommand(routePause(&at), routeResume(&at), routeTest(&at), routePaused(&at))
	return c
}

func routePause(at *place) *cobra.Command {
	var p admin.RoutePause
	var length time.Duration
	c := &cobra.Command{
		Use:   "pause ROUTE",
		Short: "Stop deliveries over a route, until it is resumed or for a time; a restart does not end it",
		Args:  exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			p.Route = args[0]
			if length < 0 {
				return coded{fmt.Errorf("--for %s is not a time to come", length), exitUsage}
			}
			if length > 0 {
				p.Until = time.Now().Add(length)
			}
			if err := at.client().PauseRoute(c.Context(), p); err != nil {
				return err
			}
			_, err := fmt.Fprintln(c.OutOrStdout(), pauseLine(p))
			return err
		},
	}
	c.Flags().DurationVar(&length, "for", 0, "how long (2h, 30m); without it until it is resumed")
	c.Flags().StringVar(&p.Why, "reason", "", "why; it stands at every message that waits")
	return c
}

func routeResume(at *place) *cobra.Command {
	return &cobra.Command{
		Use:   "resume ROUTE",
		Short: "Let a paused route go on",
		Args:  exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			return at.client().ResumeRoute(c.Context(), args[0])
		},
	}
}

func routePaused(at *place) *cobra.Command {
	var o output
	c := &cobra.Command{
		Use:   "paused",
		Short: "List the routes that are paused",
		Args:  exactly(0),
		RunE: func(c *cobra.Command, args []string) error {
			ps, err := at.client().Pauses(c.Context())
			if err != nil {
				return err
			}
			return show(c, &o, ps, table[admin.RoutePause]{head: []string{"ROUTE", "UNTIL", "WHY"}, rows: pauseRow, none: "no route is paused"})
		},
	}
	o.flags(c)
	return c
}

func pauseRow(p admin.RoutePause) [][]string {
	until := "resumed"
	if !p.Until.IsZero() {
		until = p.Until.Local().Format(time.DateTime)
	}
	return [][]string{{p.Route, until, p.Why}}
}

func pauseLine(p admin.RoutePause) string {
	s := "route " + p.Route + " is paused"
	if !p.Until.IsZero() {
		s += " until " + p.Until.Local().Format(time.DateTime)
	}
	if p.Why != "" {
		s += ": " + story.Clean(p.Why)
	}
	return s
}

func routeTest(at *place) *cobra.Command {
	var o output
	c := &cobra.Command{
		Use:   "test ADDRESS",
		Short: "Try where mail for an address goes: hosts, connection, TLS, recipient; nothing is sent",
		Args:  exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := at.client().TestRoute(c.Context(), strings.Trim(args[0], "<>"))
			if err != nil {
				return err
			}
			w := c.OutOrStdout()
			done, err := o.one(w, r)
			if !done {
				fmt.Fprintf(w, "route %s\n", r.Route)
				for _, s := range r.Steps {
					mark := "ok  "
					if !s.OK {
						mark = "FAIL"
					}
					fmt.Fprintf(w, "%s  %-9s  %s\n", mark, s.What, story.Clean(s.Said))
				}
			}
			if err == nil && !r.OK {
				return failed
			}
			return err
		},
	}
	o.flags(c)
	return c
}
