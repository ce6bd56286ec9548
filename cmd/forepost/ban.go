package main

import (
	"fmt"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/cmd/internal/story"
	"github.com/spf13/cobra"
)

func banCommand() *cobra.Command {
	var at place
	c := &cobra.Command{Use: "ban", Short: "Addresses whose logins are not looked at, because they guess passwords"}
	at.flags(c)
	c.AddCommand(banList(&at), banAdd(&at), &cobra.Command{
		Use: "remove ADDRESS", Short: "End a ban, and forget what led to it", Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error { return at.client().RemoveBan(c.Context(), args[0]) },
	})
	return c
}

func banList(at *place) *cobra.Command {
	var o output
	c := &cobra.Command{
		Use: "list", Short: "List the bans in force", Args: exactly(0),
		RunE: func(c *cobra.Command, args []string) error {
			list, err := at.client().Bans(c.Context())
			if err != nil {
				return err
			}
			return show(c, &o, list, table[admin.Ban]{head: []string{"NETWORK", "UNTIL", "WHY"}, none: "nobody is banned", rows: func(b admin.Ban) [][]string {
				return [][]string{{b.Network, b.Until.Local().Format(time.DateTime), b.Why}}
			}})
		},
	}
	o.flags(c)
	return c
}

func banAdd(at *place) *cobra.Command {
	n := admin.NewBan{}
	c := &cobra.Command{
		Use: "add ADDRESS", Short: "Ban an address, or its network (192.0.2.0/24, 2001:db8::/56)", Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			n.Network = args[0]
			b, err := at.client().AddBan(c.Context(), n)
			if err == nil {
				fmt.Fprintln(c.OutOrStdout(), banLine(b))
			}
			return err
		},
	}
	c.Flags().DurationVar(&n.For, "for", 24*time.Hour, "how long (2h, 30m)")
	c.Flags().StringVar(&n.Why, "reason", "by hand", "why; the list shows it")
	return c
}

func banLine(b admin.Ban) string {
	return b.Network + "  until " + b.Until.Local().Format(time.DateTime) + "  " + story.Clean(b.Why)
}
