package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"text/template"

	"github.com/forepost/forepost/cmd/internal/story"
	"github.com/spf13/cobra"
)

// output is how a list comes out: a table for people on a terminal, the same with a tab
// between cells where another program reads it, one JSON object a line, or a template for
// each entry.
type output struct {
	asJSON bool
	format string
}

func (o *output) flags(c *cobra.Command) {
	c.Flags().BoolVar(&o.asJSON, "json", false, "one JSON object a line")
	c.Flags().StringVar(&o.format, "format", "", "a Go template for each entry, with the members of --json in Go's spelling: '{{.ID}} {{.From}}'")
	c.PreRunE = func(*cobra.Command, []string) error { // before the gateway is asked
		if o.asJSON && o.format != "" {
			return coded{errors.New("--json and --format are two ways of the same: give one"), exitUsage}
		}
		_, err := o.template()
		return err
	}
}

func (o *output) template() (*template.Template, error) {
	t, err := template.New("--format").Parse(o.format)
	if err != nil {
		return nil, coded{err, exitUsage}
	}
	return t, nil
}

// table is how entries look in lines. A cell may hold anything: it is made harmless.
type table[T any] struct {
	head []string
	rows func(T) [][]string // an entry may take several
	none string             // what a person is told of an empty list
}

// show writes a list. That it is empty is no datum: it is said on standard error.
func show[T any](c *cobra.Command, o *output, list []T, as table[T]) error {
	w := c.OutOrStdout()
	switch done, err := o.data(w, len(list), func(i int) any { return list[i] }); {
	case done || err != nil:
		return err
	case len(list) == 0:
		_, err := fmt.Fprintln(c.ErrOrStderr(), as.none)
		return err
	}
	w, flush := columns(w)
	var text bytes.Buffer
	text.WriteString(strings.Join(as.head, "\t") + "\n")
	for _, e := range list {
		for _, row := range as.rows(e) {
			for i, cell := range row {
				if i > 0 {
					text.WriteByte('\t')
				}
				text.WriteString(strings.Join(strings.Fields(story.Clean(cell)), " "))
			}
			text.WriteByte('\n')
		}
	}
	if _, err := text.WriteTo(w); err != nil {
		return err
	}
	return flush()
}

// columns is where lines with tabs between their cells are written to: in columns
// for people, as they are for programs. flush ends the table.
func columns(w io.Writer) (to io.Writer, flush func() error) {
	if !onTerminal(w) {
		return w, func() error { return nil }
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	return t, t.Flush
}

// data writes entries as JSON or by the template; done is false where neither is asked for.
func (o *output) data(w io.Writer, n int, entry func(int) any) (done bool, err error) {
	if !o.asJSON && o.format == "" {
		return false, nil
	}
	t, err := o.template()
	for i := 0; i < n && err == nil; i++ {
		if o.asJSON {
			err = lines(w, []any{entry(i)})
			continue
		}
		var line bytes.Buffer
		if err = t.Execute(&line, entry(i)); err != nil {
			return true, coded{err, exitUsage} // a member that there is not
		}
		line.WriteByte('\n')
		_, err = line.WriteTo(w)
	}
	return true, err
}

// one writes a single entry as data.
func (o *output) one(w io.Writer, entry any) (done bool, err error) {
	return o.data(w, 1, func(int) any { return entry })
}

// onTerminal tells whether a person reads what is written to a stream, or types what is
// read from it.
func onTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}
