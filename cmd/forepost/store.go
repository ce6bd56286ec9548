package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/forepost/forepost/cmd/internal/appliance"
	"github.com/forepost/forepost/cmd/internal/story"
	"github.com/forepost/forepost/relay/journal"
	"github.com/spf13/cobra"
)

func storeCommand() *cobra.Command {
	c := &cobra.Command{Use: "store", Short: "The data directory: what to do when it is damaged"}
	c.AddCommand(storeSalvage())
	return c
}

func storeSalvage() *cobra.Command {
	var data, name, to string
	c := &cobra.Command{
		Use:   "salvage",
		Short: "Copy what can be read of a damaged journal, and tell what cannot",
		Long: "Copy what can be read of a damaged journal, or of one of another version, into a new directory beside it, and\n" +
			"tell what cannot: file, place, why, and which messages have lost their text. The gateway must not run. The\n" +
			"damaged journal is not changed; how the copy takes its place is told at the end. Exit codes: 0 nothing was lost;\n" +
			"5 something was; 1 nothing could be saved.",
		Args: exactly(0),
		RunE: func(c *cobra.Command, args []string) error {
			if !slices.Contains(appliance.Journals, name) {
				return coded{fmt.Errorf("%q is no journal of a data directory: %s", name, strings.Join(appliance.Journals, ", ")), exitUsage}
			}
			if to == "" {
				to = name + ".salvaged"
			}
			if _, err := os.Stat(filepath.Join(data, name)); err != nil {
				return fmt.Errorf("%s is no data directory of Forepost with a journal %q: %w", data, name, err)
			}
			s, err := appliance.Salvage(c.Context(), data, name, to)
			tellSalvaged(c.OutOrStdout(), s)
			if err != nil {
				return err
			}
			return afterSalvage(c.OutOrStdout(), data, name, s)
		},
	}
	c.Flags().StringVar(&data, "data", defaultData, "the data directory")
	c.Flags().StringVar(&name, "journal", "mail", "which of its journals: "+strings.Join(appliance.Journals, ", "))
	c.Flags().StringVar(&to, "to", "", "the new directory in it (default: the journal's name and .salvaged)")
	return c
}

// tellSalvaged tells what was copied and each thing that was not.
func tellSalvaged(w io.Writer, s appliance.Salvaged) {
	for _, l := range s.Lost {
		fmt.Fprintln(w, lossLine(l))
	}
	if s.Segments > 0 {
		fmt.Fprintf(w, "copied %s of %s to %s\n", many(s.Frames, "frame"), many(s.Segments, "segment"), s.To)
	}
}

func lossLine(l journal.Loss) string {
	what := "LOST"
	if l.Torn {
		what = "torn"
	}
	text := fmt.Sprintf("%s  %s, octets %d to %d: %s", what, l.File, l.Offset, l.Offset+l.Octets, l.Why)
	if l.Torn {
		text += "; the end of what was being written, which nobody was promised"
	}
	return text
}

// afterSalvage tells what the copy is good for, and what to do now.
func afterSalvage(w io.Writer, data, name string, s appliance.Salvaged) error {
	for _, in := range s.Hollow {
		var to []string
		for _, r := range in.Envelope.To {
			to = append(to, r.Address.String())
		}
		fmt.Fprintf(w, "LOST  the text of message %s, taken %s, from <%s> to %s: tell the sender\n", in.Envelope.ID,
			in.Envelope.Received.Local().Format(time.DateTime), story.Clean(in.Envelope.From.String()), story.Clean(strings.Join(to, ", ")))
	}
	if s.Mailbox > 0 {
		fmt.Fprintf(w, "LOST  the text of %s in mailboxes\n", many(s.Mailbox, "message"))
	}
	if s.Segments == 0 {
		return fmt.Errorf("nothing of %s can be read", filepath.Join(data, name))
	}
	if s.Refused != nil {
		return fmt.Errorf("the copy has what could be read, and the gateway does not take it: %w", s.Refused)
	}
	if name == "mail" {
		fmt.Fprintf(w, "the copy has %s in the queue and %s\n", many(s.Queued, "message"), many(s.Accounts, "account"))
	}
	fmt.Fprintf(w, "to use it: mv %s %[1]s.damaged && mv %s %[1]s\n", filepath.Join(data, name), s.To)
	lost := slices.ContainsFunc(s.Lost, func(l journal.Loss) bool { return !l.Torn })
	if lost || len(s.Hollow) > 0 || s.Mailbox > 0 {
		return coded{fmt.Errorf("something was lost: it is told above"), exitPartly}
	}
	return nil
}
