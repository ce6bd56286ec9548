package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
)

// verify asks about the recipients (-bv), and sends nothing. Each is told of; the
// exit code is the highest of theirs.
func (l *letter) verify(c net.Conn, out io.Writer) (code int, err error) {
	if len(l.to) == 0 {
		return exSoftUsage, errors.New("no recipients: name them")
	}
	t := textproto.NewConn(c)
	_, greeting, err := t.ReadResponse(220)
	if err != nil {
		return codeOf(err, exUnavailable), err
	}
	host, _, _ := strings.Cut(greeting, " ")
	for _, to := range l.to {
		one := letter{to: []string{qualify(to, host)}}
		failed, err := one.envelope(t, host)
		said := "deliverable"
		var reply *textproto.Error
		switch {
		case errors.As(err, &reply):
			said = fmt.Sprintf("not deliverable: %d %s", reply.Code, reply.Msg)
		case err != nil:
			said = "not deliverable: " + err.Error()
		}
		if _, err := fmt.Fprintf(out, "%s... %s\n", one.to[0], said); err != nil {
			return exIOErr, err
		}
		code = max(code, failed)
	}
	ask(t, 221, "QUIT")
	return code, nil
}
