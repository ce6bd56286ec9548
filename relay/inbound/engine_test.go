package inbound

import (
	"bufio"
	"io"
	"log"
	"net"
	"strings"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// TestEngine pins go-smtp to what the wire relies on: its literal words, and
// what it asks of a session. A new version of it that says otherwise shows here.
func TestEngine(t *testing.T) {
	client, server := net.Pipe()
	engine := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &probe{}, nil }))
	engine.ErrorLog = log.New(io.Discard, "", 0)
	engine.AllowInsecureAuth, engine.EnableDSN, engine.EnableSMTPUTF8 = true, true, true
	done := make(chan struct{})
	l := &oneShot{first: make(chan net.Conn, 1), done: done, addr: server.LocalAddr()}
	l.first <- server
	go engine.Serve(l)
	defer close(done)
	defer client.Close()

	in := bufio.NewReader(client)
	talk := []struct{ say, want string }{
		{"", "220  ESMTP Service Ready"},
		{"MAIL FROM:<a@b.test>", "502 5.5.1 Please introduce yourself first."},
		{"HELO", "501 5.5.2 Domain/address argument required for HELO"},
		{"EHLO x", "250 SIZE"},
		{"RCPT TO:<a@b.test>", "502 5.5.1 Missing MAIL FROM command."},
		{"DATA", "502 5.5.1 Missing RCPT TO command."},
		{"AUTH PLAIN !", "454 4.7.0 Invalid base64 data"},
		{"AUTH PLAIN", "334 "},
		{"*", "501 5.0.0 Negotiation cancelled"},
		{"AUTH PLAIN AA==", "235 2.0.0 Authentication succeeded"},
		{"AUTH PLAIN AA==", "503 5.5.1 Already authenticated"},
		{"MAIL FROM:<a@b.test> NEW=1", "500 5.5.4 Unknown MAIL FROM argument"},
		{"MAIL FROM:<a@b.test>", "250 2.0.0 Roger, accepting mail from <a@b.test>"},
		{"RCPT TO:<c@d.test> NEW=1", "500 5.5.4 Unknown RCPT TO argument"},
		{"RCPT TO:<refused@b.test>", "550 5.1.1 In the session's words"},
		{"RCPT TO:<c@d.test>", "250 2.0.0 I'll make sure <c@d.test> gets this"},
		{"DATA", "354 Go ahead. End your data with <CR><LF>.<CR><LF>"},
		{".", "250 2.0.0 Queued as X"}, // an SMTPError of code 250 is no error
		{"RCPT TO:<c@d.test>", "502 5.5.1 Missing MAIL FROM command."},
		{"RSET", "250 2.0.0 Session reset"},
		{"NOOP", "250 2.0.0 I have successfully done nothing"},
		{"VRFY x", "252 2.5.0 Cannot VRFY user, but will accept message"},
		{"QUIT", "221 2.0.0 Bye"},
	}
	asked := map[string]bool{}
	for _, c := range talk {
		if c.say != "" {
			io.WriteString(client, c.say+"\r\n")
		}
		line := ""
		for line == "" || len(line) > 3 && line[3] == '-' {
			l, err := in.ReadString('\n')
			if err != nil {
				t.Fatalf("%s: %v", c.say, err)
			}
			line = strings.TrimSuffix(l, "\r\n")
		}
		if line != c.want {
			t.Errorf("%s: got %q, want %q", c.say, line, c.want)
		}
		asked[line] = true
	}
	for text := range reworded {
		if !asked[text] {
			t.Errorf("%q is reworded, but go-smtp was not asked for it", text)
		}
	}
}

// probe is a session that takes nearly everything.
type probe struct{}

func (*probe) Reset()                               {}
func (*probe) Logout() error                        { return nil }
func (*probe) Mail(string, *smtp.MailOptions) error { return nil }
func (*probe) AuthMechanisms() []string             { return []string{sasl.Plain} }
func (*probe) Auth(string) (sasl.Server, error)     { return anybody{}, nil }
func (*probe) Data(r io.Reader) error {
	return &smtp.SMTPError{Code: 250, EnhancedCode: smtp.EnhancedCode{2, 0, 0}, Message: "Queued as X"}
}
func (*probe) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "refused") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "In the session's words"}
	}
	return nil
}

type anybody struct{}

func (anybody) Next(response []byte) ([]byte, bool, error) { return nil, response != nil, nil }
