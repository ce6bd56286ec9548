package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	stdmime "mime"
	"net"
	"net/textproto"
	"os"
	"os/user"
	"strings"
	"syscall"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
)

// maxHeader bounds what is read before the recipients are known.
const maxHeader = 1 << 20

// submit reads a message and hands it over. Either all recipients are taken, or
// nobody gets it: who is told of a failure may send again.
func (l *letter) submit(c net.Conn, in *bufio.Reader) (int, error) {
	head, over, err := l.header(in)
	if err != nil {
		return inputCode(err), err
	}
	t := textproto.NewConn(c)
	_, greeting, err := t.ReadResponse(220)
	if err != nil {
		return codeOf(err, exUnavailable), err
	}
	host, _, _ := strings.Cut(greeting, " ")
	if head, err = l.complete(head, host); err != nil {
		return exSoftUsage, err
	}
	if code, err := l.envelope(t, host); err != nil {
		return code, err
	}
	if _, err := ask(t, 354, "DATA"); err != nil {
		return codeOf(err, exDataErr), err
	}
	w := t.DotWriter()
	io.WriteString(w, head) // what is lost here the reply tells
	if !over {
		if err := l.copyBody(w, in); err != nil {
			c.Close() // without the end of the data nothing is taken
			return inputCode(err), err
		}
	}
	if err := w.Close(); err != nil {
		return exTempFail, err
	}
	if _, _, err := t.ReadResponse(250); err != nil {
		return codeOf(err, exDataErr), err
	}
	ask(t, 221, "QUIT")
	return 0, nil
}

// header reads the header with its empty line; over tells that the message ends
// with it.
func (l *letter) header(in *bufio.Reader) (head string, over bool, err error) {
	var b strings.Builder
	for b.Len() < maxHeader {
		line, err := in.ReadString('\n')
		if err != nil && err != io.EOF {
			return "", false, err
		}
		bare := strings.TrimRight(line, "\r\n")
		switch {
		case bare == "." && !l.dots, line == "":
			return b.String(), true, nil
		case b.Len() == 0 && strings.HasPrefix(line, "From "): // of a mailbox file
			continue
		case bare != "" && bare[0] != ' ' && bare[0] != '\t' && !isField(bare):
			b.WriteString("\n" + bare + "\n") // a body without a header
			return b.String(), err == io.EOF, nil
		}
		b.WriteString(bare + "\n")
		if bare == "" {
			return b.String(), err == io.EOF, nil
		}
	}
	return "", false, errTooLong
}

func isField(line string) bool {
	name, _, ok := strings.Cut(line, ":")
	return ok && name != "" && !strings.ContainsAny(strings.TrimRight(name, " \t"), " \t")
}

// copyBody copies the rest, up to a line with a dot alone unless that means nothing.
func (l *letter) copyBody(w io.Writer, in *bufio.Reader) error {
	if l.dots {
		_, err := io.Copy(w, in)
		return err
	}
	begins := true // of a line
	for {
		piece, err := in.ReadSlice('\n')
		if begins && (string(piece) == ".\n" || string(piece) == ".\r\n" || string(piece) == "." && err == io.EOF) {
			return nil
		}
		if _, werr := w.Write(piece); werr != nil {
			return werr
		}
		begins = err == nil
		switch {
		case err == io.EOF:
			return nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}

// complete finds the recipients, and adds what a message must have: the gateway
// adds Date and Message-ID, and takes Bcc out.
func (l *letter) complete(head, host string) (string, error) {
	p := mime.NewParser(mime.Limits{})
	io.WriteString(p, strings.ReplaceAll(head, "\n", "\r\n")+"\r\n") // a Parser never fails
	part := p.Close()
	if l.fromHeader {
		l.to = append(l.to, recipientsIn(part)...)
	}
	if len(l.to) == 0 {
		return "", errors.New("no recipients: name them, or give -t and a To field")
	}
	for i, to := range l.to {
		l.to[i] = qualify(to, host)
	}
	if !l.fromGiven {
		l.from = login()
	}
	if l.from != "" {
		l.from = qualify(l.from, host)
	}
	if len(part.All("From")) > 0 {
		return head, nil
	}
	from := l.from
	if from == "" {
		from = qualify(login(), host)
	}
	if l.name != "" {
		from = phrase(l.name) + " <" + from + ">"
	}
	if !strings.HasPrefix(head, "\n") && !strings.Contains(head, "\n\n") {
		head += "\n" // a header alone
	}
	return "From: " + from + "\n" + head, nil
}

// phrase is a display name (RFC 5322 section 3.2.5).
func phrase(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if enc := stdmime.QEncoding.Encode("utf-8", s); enc != s {
		return enc
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// recipientsIn are those of a message's own header; those of Resent fields alone
// where it is sent again (RFC 5322 section 3.6.6).
func recipientsIn(part *mime.Part) (list []string) {
	for _, prefix := range []string{"Resent-", ""} {
		for _, name := range []string{"To", "Cc", "Bcc"} {
			for _, f := range part.All(prefix + name) {
				boxes, _ := mime.Mailboxes(f.Raw)
				for _, b := range boxes {
					list = append(list, b.Address)
				}
			}
		}
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

// qualify adds the host to the name of a local user.
func qualify(address, host string) string {
	address = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(address), "<"), ">")
	if strings.Contains(address, "@") {
		return address
	}
	return address + "@" + host
}

// login is the name of the user who calls.
func login() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprintf("uid%d", os.Getuid())
}

// envelope says who sends and who is to get it.
func (l *letter) envelope(t *textproto.Conn, host string) (int, error) {
	if _, err := ask(t, 250, "EHLO "+host); err != nil {
		return codeOf(err, exUnavailable), err
	}
	from, err := path(l.from)
	if err != nil {
		return exSoftUsage, err
	}
	line := "MAIL FROM:" + from
	if l.body == "8BITMIME" || l.body == "7BIT" {
		line += " BODY=" + l.body
	}
	if l.ret != "" {
		line += " RET=" + l.ret
	}
	if l.envID != "" {
		line += " ENVID=" + xtext(l.envID)
	}
	if _, err := ask(t, 250, line); err != nil {
		return codeOf(err, exNoPerm), err
	}
	for _, to := range l.to {
		p, err := path(to)
		if err != nil {
			return exNoUser, err
		}
		line := "RCPT TO:" + p
		if l.notify != "" {
			line += " NOTIFY=" + l.notify
		}
		if _, err := ask(t, 250, line); err != nil {
			return codeOf(err, exNoUser), fmt.Errorf("%s: %w; nobody got the message", to, err)
		}
	}
	return 0, nil
}

// path is an address as SMTP has it; "" is the null path.
func path(address string) (string, error) {
	if address == "" {
		return "<>", nil
	}
	a, err := mail.ParseAddress(address, true)
	if err != nil {
		return "", fmt.Errorf("%q is no mail address: %w", address, err)
	}
	return a.Path(), nil
}

// xtext encodes as RFC 3461 section 4 wants it.
func xtext(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < '!' || c > '~' || c == '+' || c == '=' {
			fmt.Fprintf(&b, "+%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func ask(t *textproto.Conn, want int, line string) (string, error) {
	if err := t.PrintfLine("%s", line); err != nil {
		return "", err
	}
	_, said, err := t.ReadResponse(want)
	return said, err
}

// errTooLong is a message without a body that ends.
var errTooLong = errors.New("the header of the message is too long")

// inputCode is the exit code of an error in reading the message.
func inputCode(err error) int {
	switch {
	case errors.Is(err, errTooLong):
		return exDataErr
	case errors.Is(err, syscall.EBADF), errors.Is(err, os.ErrClosed), errors.Is(err, os.ErrInvalid):
		return exNoInput
	}
	return exIOErr
}

// codeOf is the exit code of an error: what may work later is to be tried again.
func codeOf(err error, permanent int) int {
	var said *textproto.Error
	var nonsense textproto.ProtocolError
	switch {
	case errors.As(err, &nonsense):
		return exProtocol
	case !errors.As(err, &said), said.Code < 500:
		return exTempFail
	case strings.HasPrefix(said.Msg, "5.1.2 "):
		return exNoHost
	case strings.HasPrefix(said.Msg, "5.3.5 "):
		return exConfig
	}
	return permanent
}
