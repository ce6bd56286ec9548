package demo

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// stored is a message as a mailbox gave it back.
type stored struct {
	flags string // IMAP's, as written; "" over POP3
	data  []byte
}

func dial(address string) (net.Conn, error) {
	c, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		return nil, err
	}
	return c, c.SetDeadline(time.Now().Add(time.Minute))
}

// readIMAP reads a mailbox as a client would: LOGIN, SELECT, FETCH.
func readIMAP(address, user, pass, mailbox string) ([]stored, error) {
	c, err := dial(address)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	r := bufio.NewReader(c)
	if _, err := r.ReadString('\n'); err != nil {
		return nil, fmt.Errorf("imap greeting: %w", err)
	}
	for i, cmd := range []string{fmt.Sprintf("LOGIN %q %q", user, pass), fmt.Sprintf("SELECT %q", mailbox)} {
		if _, err := imapCommand(c, r, fmt.Sprintf("a%d", i), cmd); err != nil {
			return nil, err
		}
	}
	return imapCommand(c, r, "f", "UID FETCH 1:* (FLAGS BODY.PEEK[])")
}

var literal = regexp.MustCompile(`\{(\d+)\}\r\n$`)
var flagList = regexp.MustCompile(`FLAGS \(([^)]*)\)`)

// imapCommand sends a command and reads to its tagged reply; the messages are
// those of FETCH responses on the way.
func imapCommand(c net.Conn, r *bufio.Reader, tag, cmd string) (got []stored, err error) {
	if _, err := fmt.Fprintf(c, "%s %s\r\n", tag, cmd); err != nil {
		return nil, err
	}
	for {
		line, data, err := imapLine(r)
		if err != nil {
			return nil, fmt.Errorf("imap %s: %w", strings.Fields(cmd)[0], err)
		}
		if rest, ok := strings.CutPrefix(line, tag+" "); ok {
			if !strings.HasPrefix(rest, "OK") {
				return nil, fmt.Errorf("imap %s: %s", strings.Fields(cmd)[0], strings.TrimSpace(rest))
			}
			return got, nil
		}
		if m := flagList.FindStringSubmatch(line); m != nil && data != nil {
			got = append(got, stored{m[1], data})
		}
	}
}

// imapLine reads one response with the literal in it, if there is one.
func imapLine(r *bufio.Reader) (line string, data []byte, err error) {
	for {
		part, err := r.ReadString('\n')
		if err != nil {
			return "", nil, err
		}
		line += part
		m := literal.FindStringSubmatch(part)
		if m == nil {
			return line, data, nil
		}
		n, err := strconv.Atoi(m[1])
		if err != nil || n > 100<<20 {
			return "", nil, fmt.Errorf("a literal of %s octets", m[1])
		}
		data = make([]byte, n)
		if _, err := io.ReadFull(r, data); err != nil {
			return "", nil, err
		}
	}
}

// readPOP3 reads a maildrop as a client would: USER, PASS, LIST, RETR.
func readPOP3(address, user, pass string) ([]stored, error) {
	c, err := dial(address)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	t := textproto.NewConn(c)
	var list []string
	for _, cmd := range []string{"", "USER " + user, "PASS " + pass, "LIST"} {
		if err := pop3Command(t, cmd); err != nil {
			return nil, err
		}
	}
	if list, err = t.ReadDotLines(); err != nil {
		return nil, fmt.Errorf("pop3 LIST: %w", err)
	}
	var got []stored
	for _, line := range list {
		if err := pop3Command(t, "RETR "+strings.Fields(line)[0]); err != nil {
			return nil, err
		}
		b, err := t.ReadDotBytes() // line ends become LF
		if err != nil {
			return nil, fmt.Errorf("pop3 RETR: %w", err)
		}
		got = append(got, stored{data: []byte(strings.ReplaceAll(string(b), "\n", "\r\n"))})
	}
	return got, pop3Command(t, "QUIT")
}

func pop3Command(t *textproto.Conn, cmd string) error {
	if cmd != "" {
		if err := t.PrintfLine("%s", cmd); err != nil {
			return err
		}
	}
	line, err := t.ReadLine()
	if err == nil && !strings.HasPrefix(line, "+OK") {
		err = fmt.Errorf("%s", line)
	}
	if err != nil {
		return fmt.Errorf("pop3 %s: %w", strings.SplitN(cmd+" ", " ", 2)[0], err)
	}
	return nil
}
