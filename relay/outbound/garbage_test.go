package outbound

import (
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/route"
)

// Whatever a server says instead of a reply, the mail waits and the operator
// reads what happened.
func TestGarbage(t *testing.T) {
	cases := []struct{ why, script, want string }{
		{"nothing", "drop", "soft 451 4.4.2 The server closed the connection while we waited for its greeting"},
		{"half a line", "> 220 he\ndrop", "soft 451 4.4.2 The server closed the connection while we waited for its greeting"},
		{"HTTP", "S: HTTP/1.1 400 Bad Request\neof", `soft 451 4.4.2 The server's reply makes no sense ("HTTP/1.1 400 Bad Request")...`},
		{"a code out of range", "S: 999 hi\neof", `soft 451 4.4.2 The server's reply makes no sense ("999 hi")...`},
		{"a short line", "S: 22\neof", `soft 451 4.4.2 The server's reply makes no sense ("22")...`},
		{"no blank after the code", "S: 220hi\neof", `soft 451 4.4.2 The server's reply makes no sense ("220hi")...`},
		{"codes that differ", "S: 220-a\nS: 250 b\neof", "soft 451 4.4.2 The server's reply makes no sense (its lines say 220 and 250)..."},
		{"bare LF", `> 220 hi\n` + "\neof", "soft 451 4.4.2 The server's reply makes no sense (a line does not end in CRLF)..."},
		{"a giant line", "> 220 " + strings.Repeat("x", 1<<16) + "\neof", "soft 451 4.4.2 The server's reply makes no sense (a line is longer than 4096 octets)..."},
		{"lines without end", "> " + strings.Repeat(`220-x\r\n`, 1000) + "\neof", "soft 451 4.4.2 The server's reply makes no sense (it does not end)..."},
		{"354 for a greeting", "S: 354 go on\neof", "soft 451 4.4.2 The server's reply makes no sense (it says 354)..."},
		{"controls are not passed on", `S: 554 a\0b` + bye, "hard 554 5.0.0 a?b (remote)"},
		{"250 for DATA", opening + `
			S: 250 HELP
			C: MAIL FROM:<a@from.test>
			S: 250 ok
			C: RCPT TO:<b@to.test>
			S: 250 ok
			C: DATA
			S: 250 ok
			eof`, "soft 451 4.4.2 The server's reply makes no sense (it says 250) while we waited for the reply to DATA"},
		{"354 for a message: it may have been taken", opening + `
			S: 250 HELP
			C: MAIL FROM:<a@from.test>
			S: 250 ok
			C: RCPT TO:<b@to.test>
			S: 250 ok
			C: DATA
			S: 354 ok` + body + `
			S: 354 ok
			eof`, "soft 451 4.4.2 The server's reply makes no sense (it says 354) while we waited for its answer to the message, which it may have taken"},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			cl := NewSMTP(options(t, hosts(fake(t, c.script))))
			check(t, deliver(t, cl, &route.Route{Name: "mx"}, envelope("b@to.test"), message), c.want)
		})
	}
}
