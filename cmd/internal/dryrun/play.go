// Package dryrun asks a configuration what it would say, without taking mail: a
// message from a file, or a session typed by hand. The words go through the very
// server that the gateway has (relay/inbound), over a pipe instead of a network.
package dryrun

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/forepost/forepost/cmd/internal/appliance"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// Client is who connects.
type Client struct {
	Listener string     // "" is the first one of the configuration
	IP       netip.Addr // as the server sees it
	Helo     string     // default: the address in brackets
	TLS      bool       // the session is encrypted
	Login    string     // the account, "" for none; see appliance.DryOptions
}

// Message is what it sends.
type Message struct {
	From string // of MAIL, without angle brackets; "" is the null path
	To   []string
	Text []byte // with CRLF
}

// Said is one reply of the server.
type Said struct {
	To    string   // the command
	Lines []string // of the reply
}

// Answer is what came of a message.
type Answer struct {
	Said []Said // to the commands from MAIL on that were refused, and to the end of the message
	// Record is what the trail would keep; nil where the session was refused
	// before MAIL.
	Record *trail.Record
	// Tx is what the rules were asked about last, as far as it came; nil where they
	// were asked nothing.
	Tx    *pipeline.Transaction
	Noted pipeline.Ledger // about the first recipient
}

// Play sends a message to the gateway and tells what it says. The session is the
// only one, and ends with it. An error is about what was asked, not about mail.
func Play(ctx context.Context, d *appliance.Dry, c Client, m Message) (a Answer, err error) {
	w := &watch{}
	srv, err := d.Serve(c.Listener, c.TLS, w.plan, w)
	if err != nil {
		return a, err
	}
	defer srv.Close()
	implicit, err := begins(d, c)
	if err != nil {
		return a, err
	}
	l, err := dial(srv, c.IP, implicit)
	if err != nil {
		return a, err
	}
	defer l.Close()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	t := talk{l: l, a: &a}
	t.run(c, m)
	l.Close()
	<-l.gone // the record is written by then
	if err := srv.Shutdown(ctx); err != nil {
		return a, err
	}
	if t.err != nil && !errors.Is(t.err, io.EOF) {
		return a, t.err
	}
	a.Record = w.last()
	a.Tx, a.Noted = w.seen()
	return a, ctx.Err()
}

// begins tells whether the session is encrypted from its first octet.
func begins(d *appliance.Dry, c Client) (bool, error) {
	ls, err := d.Listener(c.Listener)
	return c.TLS || ls.TLS == "implicit", err
}

// talk is a client that sends one message, command by command.
type talk struct {
	l   *line
	a   *Answer
	err error
}

func (t *talk) run(c Client, m Message) {
	if !t.expect("connect", '2') || !t.greet(c) {
		return
	}
	if c.Login != "" {
		secret := base64.StdEncoding.EncodeToString([]byte("\x00" + c.Login + "\x00x"))
		if !t.ask("AUTH PLAIN "+secret, '2') {
			return
		}
	}
	if !t.ask(mailCommand(m), '2') {
		return
	}
	taken := 0
	for _, to := range m.To {
		if t.ask("RCPT TO:<"+to+">", '2') {
			taken++
		}
	}
	if taken > 0 && t.ask("DATA", '3') {
		t.data(m.Text, taken)
	}
	t.ask("QUIT", '2')
}

func (t *talk) greet(c Client) bool {
	name := c.Helo
	if name == "" {
		name = literal(c.IP)
	}
	verb := "EHLO "
	if t.l.lmtp {
		verb = "LHLO "
	}
	return t.ask(verb+name, '2')
}

// literal is an address as RFC 5321 section 4.1.3 writes it.
func literal(ip netip.Addr) string {
	if ip.Is6() && !ip.Is4In6() {
		return "[IPv6:" + ip.String() + "]"
	}
	return "[" + ip.Unmap().String() + "]"
}

func mailCommand(m Message) string {
	cmd := fmt.Sprintf("MAIL FROM:<%s> SIZE=%d BODY=8BITMIME", m.From, len(m.Text))
	if strings.ContainsFunc(m.From+strings.Join(m.To, ""), func(r rune) bool { return r > '~' }) {
		cmd += " SMTPUTF8"
	}
	return cmd
}

// ask sends a command and tells whether its reply is of the class.
func (t *talk) ask(cmd string, class byte) bool {
	if t.err == nil {
		t.err = t.l.send(cmd)
	}
	return t.expect(cmd, class)
}

func (t *talk) expect(cmd string, class byte) bool {
	if t.err != nil {
		return false
	}
	lines, err := t.l.reply()
	if err != nil {
		t.err = err
		return false
	}
	t.a.Said = append(t.a.Said, Said{cmd, lines})
	return lines[0] != "" && lines[0][0] == class
}

// data sends the message with its dots doubled (RFC 5321 section 4.5.2). LMTP
// answers for each recipient that it took.
func (t *talk) data(text []byte, taken int) {
	if t.err == nil {
		_, t.err = t.l.Write(stuffed(text))
	}
	if !t.l.lmtp {
		taken = 1
	}
	for range taken {
		t.expect(".", '2')
	}
}

func stuffed(text []byte) []byte {
	var b bytes.Buffer
	if bytes.HasPrefix(text, []byte(".")) {
		b.WriteByte('.')
	}
	b.Write(bytes.ReplaceAll(text, []byte("\r\n."), []byte("\r\n..")))
	if !bytes.HasSuffix(text, []byte("\r\n")) {
		b.WriteString("\r\n")
	}
	b.WriteString(".\r\n")
	return b.Bytes()
}

// Path reads an address as it is written by people: with angle brackets or
// without, "" and <> for the null path.
func Path(s string) (string, error) {
	s = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(s), "<"), ">")
	if s == "" {
		return "", nil
	}
	if _, err := mail.ParseAddress(s, true); err != nil {
		return "", fmt.Errorf("%q is no mail address: %w", s, err)
	}
	return s, nil
}
