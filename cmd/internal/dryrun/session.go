package dryrun

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/forepost/forepost/cmd/internal/appliance"
	"github.com/forepost/forepost/cmd/internal/story"
	"github.com/forepost/forepost/relay/trail"
)

// Session is a session typed by hand: SMTP commands come from in, the replies go
// to out, and after each the rules that ran. It ends with QUIT, with the end of
// in, or when the server closes. STARTTLS is done; no mail is taken.
func Session(ctx context.Context, d *appliance.Dry, c Client, in io.Reader, out io.Writer) error {
	w := &watch{}
	srv, err := d.Serve(c.Listener, c.TLS, w.plan, w)
	if err != nil {
		return err
	}
	defer srv.Close()
	implicit, err := begins(d, c)
	if err != nil {
		return err
	}
	l, err := dial(srv, c.IP, implicit)
	if err != nil {
		return err
	}
	defer l.Close()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	s := &session{l: l, w: w, in: bufio.NewReader(in), out: out}
	fmt.Fprintf(out, "A dry run as %s: the gateway answers as it would, and no mail is taken.\n", c.IP)
	err = s.run()
	if errors.Is(err, io.EOF) {
		err = nil
	}
	l.Close()
	<-l.gone // by then all is recorded
	s.told()
	return errors.Join(err, ctx.Err())
}

// session reads a command, sends it and waits for the reply, one after the
// other, so that a script behaves like a person.
type session struct {
	l    *line
	w    *watch
	in   *bufio.Reader
	out  io.Writer
	seen int // records told

	lmtp  bool
	taken int // recipients of the message
}

func (s *session) run() error {
	if _, err := s.answer(); err != nil {
		return err
	}
	s.lmtp = s.l.lmtp
	for {
		cmd, err := s.in.ReadString('\n')
		cmd = strings.TrimRight(cmd, "\r\n")
		if cmd == "" && err != nil {
			return err // the end of what is typed
		}
		verb := strings.ToUpper(strings.TrimSpace(cmd))
		if strings.HasPrefix(verb, "BDAT") {
			fmt.Fprintln(s.out, "    BDAT counts octets, which nobody types: use DATA.")
			continue
		}
		if err := s.l.send(cmd); err != nil {
			return err
		}
		code, err := s.answer()
		if err != nil {
			return err
		}
		if err := s.after(verb, code); err != nil {
			return err
		}
	}
}

// after does what a client does after a reply.
func (s *session) after(verb, code string) error {
	switch {
	case strings.HasPrefix(verb, "MAIL"):
		s.taken = 0
	case strings.HasPrefix(verb, "RCPT") && code == "250":
		s.taken++
	case code == "221" || code == "421":
		return io.EOF
	case code == "354":
		return s.data()
	case verb == "STARTTLS" && code == "220":
		if err := s.l.encrypt(); err != nil {
			return err
		}
		fmt.Fprintln(s.out, "    the session is encrypted now; say EHLO again")
	}
	return nil
}

// data sends lines up to one with a single dot, and no others: what the file
// ends without is no message.
func (s *session) data() error {
	for {
		text, err := s.in.ReadString('\n')
		if err != nil && text == "" {
			return err
		}
		text = strings.TrimRight(text, "\r\n")
		if err := s.l.send(text); err != nil {
			return err
		}
		if text == "." {
			return s.answers()
		}
	}
}

// answers shows the replies to the end of a message: LMTP has one for each
// recipient that it took.
func (s *session) answers() error {
	n := 1
	if s.lmtp {
		n = s.taken
	}
	for range n {
		if _, err := s.answer(); err != nil {
			return err
		}
	}
	return nil
}

// answer shows a reply and which rules ran for it.
func (s *session) answer() (code string, err error) {
	lines, err := s.l.reply()
	if err != nil {
		return "", err
	}
	for _, text := range lines {
		fmt.Fprintln(s.out, text)
	}
	if err := story.Rules(s.out, s.w.take()); err != nil {
		return "", err
	}
	s.told()
	return lines[len(lines)-1][:min(3, len(lines[len(lines)-1]))], nil
}

// told tells of messages that came to their end.
func (s *session) told() {
	if n := s.w.count(); n > s.seen {
		s.seen = n
		s.outcome(s.w.last())
	}
}

// outcome tells what would have become of each recipient.
func (s *session) outcome(r *trail.Record) {
	for _, o := range r.Outcomes {
		if len(o.To) == 0 {
			continue
		}
		text := "    " + strings.ToUpper(o.Action) + "  " + story.Clean(strings.Join(o.To, ", "))
		if o.Rule != "" {
			text += "  by " + o.Rule
		}
		if o.Where != "" {
			text += "  into " + story.Clean(o.Where)
		}
		if len(o.Tags) > 0 {
			text += "  tagged " + story.Clean(strings.Join(o.Tags, ", "))
		}
		fmt.Fprintln(s.out, text)
	}
	if r.Points != "" {
		fmt.Fprintln(s.out, "    score "+r.Points)
	}
}
