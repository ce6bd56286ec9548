package replay

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Text writes the report for people. head is its first line's beginning:
// "Replayed", "On trial since ...:".
func (r *Report) Text(w io.Writer, head string) error {
	e := &errWriter{w: w}
	fmt.Fprintf(e, "%s %s from their decision records; no mail was touched.\n", head, messages(r.Messages, r.Recipients))
	if r.Messages > 0 {
		t := tabwriter.NewWriter(e, 0, 0, 3, ' ', tabwriter.AlignRight)
		fmt.Fprintln(t, "\tnow\tnew\tchange\t")
		for _, row := range r.Rows {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t\n", row.Action, number(row.Was), number(row.Now), signed(row.Now-row.Was+row.CannotTell))
		}
		t.Flush()
	}
	for _, l := range r.CannotTell {
		fmt.Fprintf(e, "  (cannot tell: %s that had %s; needs %s)\n", number(l.N), l.Was, l.Needs)
	}
	if r.Old > 0 {
		fmt.Fprintf(e, "  (passed over: %s records, which lack what a replay needs)\n", number(r.Old))
	}
	if r.Dropped > 0 {
		fmt.Fprintf(e, "  (passed over: %s messages, for which there was no time)\n", number(int(r.Dropped)))
	}
	for _, c := range r.Changes {
		fmt.Fprintf(e, "\n  %s %s → %s, %s\n", number(c.N), c.From, c.To, c.why())
		for _, d := range c.Domains {
			fmt.Fprintf(e, "    %6s  %s\n", number(d.N), d.Name)
		}
		if c.Others > 0 {
			fmt.Fprintf(e, "    %6s  others\n", number(c.Others))
		}
	}
	if len(r.Changes) == 0 && r.Messages > 0 {
		fmt.Fprintln(e, "\n  No verdict would change.")
	}
	if len(r.Would) > 0 {
		fmt.Fprintln(e, "\n  Rules in shadow would have acted:")
		for _, c := range r.Would {
			fmt.Fprintf(e, "    %6s  %s\n", number(c.N), c.Name)
		}
	}
	return e.err
}

// why names the rule that makes a change.
func (c *Change) why() string {
	switch {
	case c.Rule != "" && c.Lifted != "":
		return "by " + c.Rule + " (before by " + c.Lifted + ")"
	case c.Rule != "":
		return "by " + c.Rule
	case c.Lifted != "":
		return "no longer by " + c.Lifted
	}
	return "by no rule"
}

func messages(n, recipients int) string {
	s := number(n) + " messages"
	if n == 1 {
		s = "1 message"
	}
	if recipients != n {
		s += " (" + number(recipients) + " recipients)"
	}
	return s
}

// number writes thousands apart.
func number(n int) string {
	s := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return sign + s
}

func signed(n int) string {
	if n > 0 {
		return "+" + number(n)
	}
	return number(n)
}

// errWriter keeps the first error.
type errWriter struct {
	w   io.Writer
	err error
}

// Write passes on until something fails.
func (e *errWriter) Write(p []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	n, err := e.w.Write(p)
	e.err = err
	return n, err
}

// Notes tell what a replay takes as it was then, and what as it is now.
var Notes = []string{
	"Limits and greylists say what they said then. Lists are as their files are now.",
}

// Explain tells in words whether a message would fare otherwise today.
func (o *Outcome) Explain() string {
	var lines []string
	same := true
	for i := range o.Fates {
		f := &o.Fates[i]
		to := ""
		if f.To != "" && len(o.Fates) > 1 {
			to = " for " + f.To
		}
		switch {
		case f.Now.Action == CannotTell:
			same = false
			lines = append(lines, "cannot be told"+to+": it needs "+strings.Join(f.Lacks, ", "))
		case f.Changed():
			same = false
			line := "would be " + strings.ToUpper(f.Now.Action) + to
			if f.Now.Rule != "" {
				line += " by " + f.Now.Rule
			}
			lines = append(lines, line)
		}
	}
	if same {
		return "would be the same"
	}
	return strings.Join(lines, "; ")
}
