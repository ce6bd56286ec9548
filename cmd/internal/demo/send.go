package demo

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/textproto"
	"regexp"
	"strings"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// reply is what the gateway said last, and the ID in it.
type reply struct {
	text string // "550 5.7.1 ... (4bQz4Zk00dPqf)"
	id   mail.ID
}

// idInReply finds the ID of a transaction in a reply.
var idInReply = regexp.MustCompile(`\b[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{13}\b`)

// send brings a message to the gateway as any client would, from the act's
// address, and returns the reply that decided about it.
func (a act) send(ctx context.Context, server string, data []byte) (reply, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(a.client)}, Timeout: 10 * time.Second}
	conn, err := d.DialContext(ctx, "tcp", server)
	if err != nil {
		return reply{}, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return reply{}, err
	}
	t := talk{Conn: textproto.NewConn(conn)}
	t.expect("")
	t.expect("EHLO " + a.helo)
	if a.login {
		t.expect("AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00"+account+"\x00"+password)))
	}
	t.expect("MAIL FROM:<" + a.from + ">")
	t.expect("RCPT TO:<" + a.to + ">")
	t.expect("DATA")
	if t.ok() {
		t.data(data)
	}
	if t.err != nil {
		return reply{}, t.err
	}
	said := t.last
	t.code = 0
	t.expect("QUIT")
	return reply{text: said, id: mail.ID(idInReply.FindString(said))}, nil
}

// talk is a dialogue that stops at the first refusal.
type talk struct {
	*textproto.Conn
	code int
	last string
	err  error
}

// ok tells whether nothing was refused so far.
func (t *talk) ok() bool { return t.err == nil && t.code < 400 }

// expect sends a line ("" for none) and reads the reply.
func (t *talk) expect(line string) {
	if !t.ok() {
		return
	}
	if line != "" {
		if t.err = t.PrintfLine("%s", line); t.err != nil {
			return
		}
	}
	t.read()
}

func (t *talk) read() {
	code, text, err := t.ReadResponse(0)
	if err != nil {
		t.err = fmt.Errorf("reading a reply: %w", err)
		return
	}
	t.code, t.last = code, fmt.Sprintf("%d %s", code, strings.ReplaceAll(text, "\n", " "))
}

func (t *talk) data(b []byte) {
	w := t.DotWriter()
	// DotWriter makes CRLF of LF; the message has CRLF already.
	if _, t.err = w.Write(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))); t.err != nil {
		return
	}
	if t.err = w.Close(); t.err == nil {
		t.read()
	}
}
