package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/cmd/internal/story"
	"github.com/spf13/cobra"
)

func userShow(at *place) *cobra.Command {
	var o output
	c := &cobra.Command{
		Use: "show ADDRESS", Short: "Show an account, by its name or an alias: how it logs in, what it keeps, what it may send, where it was seen", Args: exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			b, done, err := book(c.Context(), at)
			if err != nil {
				return err
			}
			u, err := b.User(c.Context(), args[0])
			if err := errors.Join(err, done()); err != nil {
				return err
			}
			if done, err := o.one(c.OutOrStdout(), u); done || err != nil {
				return err
			}
			return writeUser(c.OutOrStdout(), u)
		},
	}
	o.flags(c)
	return c
}

// logins are the ways to log in, as people read them.
var logins = map[string]string{"none": "not at all: it has no password", "password": "PLAIN and LOGIN: its password is an imported hash", "scram": "PLAIN, LOGIN and SCRAM-SHA-256"}

// writeUser tells of an account, a line for each thing.
func writeUser(w io.Writer, u admin.UserDetail) error {
	var b strings.Builder
	line := func(what string, said ...string) {
		for i, s := range said {
			if i > 0 {
				what = ""
			}
			fmt.Fprintf(&b, "%-11s %s\n", what, story.Clean(s))
		}
	}
	line("account", u.Name)
	line("aliases", u.Aliases...)
	if u.Config {
		line("made in", "the configuration")
	}
	if u.Disabled {
		line("state", "disabled: it cannot log in, mail for it is taken")
	}
	line("logs in", logins[u.Login])
	line("sends as", u.SendsAs...)
	var sent []string
	for _, s := range u.Sent {
		sent = append(sent, sentLine(s))
	}
	line("has sent", sent...)
	if u.Guesses > 0 {
		slowed := ""
		if u.Slowed {
			slowed = ": its logins from there are slowed"
		}
		line("attacked", fmt.Sprintf("%d wrong passwords from unknown addresses in half an hour%s", u.Guesses, slowed))
	}
	line("seen from", u.SeenFrom...)
	limit := "no limit"
	if u.Quota > 0 {
		limit = fmt.Sprintf("of %d", u.Quota)
	}
	line("keeps", fmt.Sprintf("%d octets (%s) in %d messages", u.Bytes, limit, u.Messages))
	for _, m := range u.Mailboxes {
		line("", fmt.Sprintf("%s: %d, unseen %d", m.Name, m.Messages, m.Unseen))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
