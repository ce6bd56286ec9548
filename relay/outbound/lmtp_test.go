package outbound

import (
	"path/filepath"
	"testing"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/route"
)

const lmtpOpening = `
	S: 220 store LMTP
	C: LHLO gate.test
	S: 250-store
	S: 250 PIPELINING
`

func TestLMTP(t *testing.T) {
	cases := []struct {
		why, script string
		want        []string
	}{
		{"each recipient that was taken has its own answer to the message, RFC 2033 4.2", lmtpOpening + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: RCPT TO:<c@to.test>
			C: RCPT TO:<d@to.test>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 550 5.1.1 nobody
			S: 250 ok
			S: 354 go on` + body + `
			S: 250 2.0.0 stored for b
			S: 452 4.2.2 d is full` + bye,
			[]string{"delivered 250 2.0.0 stored for b (remote)", "hard 550 5.1.1 nobody (remote)", "soft 452 4.2.2 d is full (remote)"}},
		{"it breaks off between two answers", lmtpOpening + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: RCPT TO:<c@to.test>
			C: RCPT TO:<d@to.test>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 250 ok
			S: 250 ok
			S: 354 go on` + body + `
			S: 250 2.0.0 stored
			drop`,
			[]string{"delivered 250 2.0.0 stored (remote)", "soft 451 4.4.2 The server closed the connection...", "soft 451 4.4.2 The server closed the connection..."}},
		{"a message for nobody gets no answers: the connection is given up", lmtpOpening + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: RCPT TO:<c@to.test>
			C: RCPT TO:<d@to.test>
			C: DATA
			S: 250 ok
			S: 550 5.1.1 no
			S: 550 5.1.1 no
			S: 550 5.1.1 no
			S: 354 go on
			eof`,
			[]string{"hard 550 5.1.1 no (remote)", "hard 550 5.1.1 no (remote)", "hard 550 5.1.1 no (remote)"}},
		{"no HELO where LHLO is not known: that server is no LMTP server", `
			S: 220 smtp
			C: LHLO gate.test
			S: 500 what?` + bye,
			[]string{"hard 500 5.5.2 what? (remote)", "hard 500 5.5.2 what? (remote)", "hard 500 5.5.2 what? (remote)"}},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			cl := NewLMTP(options(t, hosts(fake(t, c.script))))
			r := &route.Route{Name: "cyrus", Kind: route.LMTP}
			check(t, deliver(t, cl, r, envelope("b@to.test", "c@to.test", "d@to.test"), message), c.want...)
		})
	}
}

// The same address twice is two recipients with two answers.
func TestLMTPTwins(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lmtp.sock")
	fakeAt(t, path, lmtpOpening+`
		C: MAIL FROM:<a@from.test>
		C: RCPT TO:<b@to.test>
		C: RCPT TO:<b@to.test>
		C: DATA
		S: 250 ok
		S: 250 ok
		S: 250 ok
		S: 354 go on`+body+`
		S: 250 2.0.0 one
		S: 452 4.2.2 two`+bye)
	cl := NewLMTP(options(t, finder{{Name: path, Unix: path}}))
	r := &route.Route{Kind: route.LMTP, TLS: route.TLSRequire} // a socket needs no TLS
	as := cl.For(r).Deliver(t.Context(), envelope("b@to.test", "b@to.test"), &mail.Message{Blob: mail.Bytes(message)})
	check(t, show(as), "delivered 250 2.0.0 one (remote)", "soft 452 4.2.2 two (remote)")
	if as[0].Host != path {
		t.Errorf("host %s", as[0].Host)
	}
}
