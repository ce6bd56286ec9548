package outbound

import (
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/route"
)

const (
	opening = `
		S: 220 mx1.test ESMTP
		C: EHLO gate.test
		S: 250-mx1.test greets gate.test
	`
	plain = opening + `
		S: 250-PIPELINING
		S: 250 8BITMIME
	`
	body = `
		< Subject: hello
		<
		< ..dot
		< end
		< .
	`
	bye = `
		C: QUIT
		S: 221 bye
	`
)

// dialogues are deliveries over one connection.
var dialogues = []struct {
	why    string
	change func(*mail.Envelope)
	text   string // the message, where it is not the usual one
	script string
	want   []string
}{
	{
		why: "pipelined: the server answers after it has seen all commands",
		script: plain + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: RCPT TO:<c@to.test>
			C: DATA
			S: 250 2.1.0 ok
			S: 250 2.1.5 ok
			S: 250 2.1.5 ok
			S: 354 go on` + body + `
			S: 250 2.0.0 queued as 8A1` + bye,
		want: []string{"delivered 250 2.0.0 queued as 8A1 (remote)", "delivered 250 2.0.0 queued as 8A1 (remote)"},
	},
	{
		why: "not pipelined: each command after the answer to the one before",
		script: opening + `
			S: 250 SIZE
			C: MAIL FROM:<a@from.test> SIZE=29
			S: 250 ok
			C: RCPT TO:<b@to.test>
			S: 250 ok
			C: RCPT TO:<c@to.test>
			S: 251 forwarded
			C: DATA
			S: 354 go on` + body + `
			S: 250 done` + bye,
		want: []string{"delivered 250 done (remote)", "delivered 250 done (remote)"},
	},
	{
		why: "a server that knows no EHLO, RFC 5321 3.2",
		script: `
			S: 220 old
			C: EHLO gate.test
			S: 500 what?
			C: HELO gate.test
			S: 250 hello
			C: MAIL FROM:<a@from.test>
			S: 250 ok
			C: RCPT TO:<b@to.test>
			S: 250 ok
			C: RCPT TO:<c@to.test>
			S: 250 ok
			C: DATA
			S: 354 go on` + body + `
			S: 250 done` + bye,
		want: []string{"delivered 250 done (remote)", "delivered 250 done (remote)"},
	},
	{
		why: "each recipient has its own answer",
		script: plain + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: RCPT TO:<c@to.test>
			C: DATA
			S: 250 ok
			S: 550-5.1.1 no such user
			S: 550 5.1.1 here
			S: 250 ok
			S: 354 go on` + body + `
			S: 451 4.3.0 disk trouble` + bye,
		want: []string{"hard 550 5.1.1 no such user here (remote)", "soft 451 4.3.0 disk trouble (remote)"},
	},
	{
		why: "nobody is taken: no message goes out",
		script: plain + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: RCPT TO:<c@to.test>
			C: DATA
			S: 250 ok
			S: 550 no
			S: 450 later
			S: 503 no valid recipients` + bye,
		want: []string{"hard 550 5.2.0 no (remote)", "soft 450 4.2.0 later (remote)"},
	},
	{
		why: "nobody is taken, and the server waits for a message all the same, RFC 2920 3.1",
		script: plain + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: RCPT TO:<c@to.test>
			C: DATA
			S: 250 ok
			S: 550 5.1.1 no
			S: 550 5.1.1 no
			S: 354 go on
			C: .
			S: 554 nobody` + bye,
		want: []string{"hard 550 5.1.1 no (remote)", "hard 550 5.1.1 no (remote)"},
	},
	{
		why: "nobody is taken, without pipelining: DATA is not said",
		script: opening + `
			S: 250 HELP
			C: MAIL FROM:<a@from.test>
			S: 250 ok
			C: RCPT TO:<b@to.test>
			S: 550 5.1.1 no
			C: RCPT TO:<c@to.test>
			S: 550 4.1.1 wrong class` + bye,
		want: []string{"hard 550 5.1.1 no (remote)", "hard 550 5.1.1 wrong class (remote)"},
	},
	{
		why: "the sender is refused: that is the answer for all, whatever comes after it",
		script: plain + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: RCPT TO:<c@to.test>
			C: DATA
			S: 550 5.7.1 not you
			S: 503 MAIL first
			S: 503 MAIL first
			S: 503 MAIL first` + bye,
		want: []string{"hard 550 5.7.1 not you (remote)", "hard 550 5.7.1 not you (remote)"},
	},
	{
		why: "DATA is refused",
		script: plain + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: RCPT TO:<c@to.test>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 250 ok
			S: 452 4.3.1 full` + bye,
		want: []string{"soft 452 4.3.1 full (remote)", "soft 452 4.3.1 full (remote)"},
	},
	{
		why: "552 for a recipient is too many of them, RFC 5321 4.5.3.1.10, unless the mailbox is full",
		script: plain + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: RCPT TO:<c@to.test>
			C: DATA
			S: 250 ok
			S: 552 too many recipients
			S: 552 5.2.2 mailbox full
			S: 503 none` + bye,
		want: []string{"soft 452 4.5.3 too many recipients (remote)", "hard 552 5.2.2 mailbox full (remote)"},
	},
	{
		why: "DSN parameters are passed on, in xtext",
		change: func(e *mail.Envelope) {
			e.Ret, e.EnvID = "HDRS", "id+1 =x"
			e.To[0].Notify, e.To[0].Original = mail.NotifySuccess|mail.NotifyDelay, "rfc822;o+b@to.test"
			e.To[1].Notify, e.To[1].Original = mail.NotifyNever, "utf-8;\u00f6@to.test"
		},
		script: opening + `
			S: 250-pipelining
			S: 250 DSN
			C: MAIL FROM:<a@from.test> RET=HDRS ENVID=id+2B1+20+3Dx
			C: RCPT TO:<b@to.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;o+2Bb@to.test
			C: RCPT TO:<c@to.test> NOTIFY=NEVER
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 250 ok
			S: 354 go on` + body + `
			S: 250 done` + bye,
		want: []string{"delivered 250 done (remote)", "delivered 250 done (remote)"},
	},
	{
		why: "and left out where the server does not know them",
		change: func(e *mail.Envelope) {
			e.Ret, e.EnvID, e.To[0].Notify, e.To[0].Original = "FULL", "x", mail.NotifyNever, "rfc822;b@to.test"
			e.To = e.To[:1]
		},
		script: plain + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 354 go on` + body + `
			S: 250 done` + bye,
		want: []string{"delivered 250 done (remote)"},
	},
	{
		why: "a local part that wants to be a parameter stays quoted",
		change: func(e *mail.Envelope) {
			e.From = mail.Address{Local: "a> SIZE=1 <b", Domain: "from.test"}
			e.To = []mail.Recipient{{Address: mail.Address{Local: `x"y`, Domain: "to.test"}}}
		},
		script: plain + `
			C: MAIL FROM:<"a> SIZE=1 <b"@from.test>
			C: RCPT TO:<"x\"y"@to.test>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 354 go on` + body + `
			S: 250 done` + bye,
		want: []string{"delivered 250 done (remote)"},
	},
	{
		why: "an address with a line end in it goes nowhere",
		change: func(e *mail.Envelope) {
			e.To = []mail.Recipient{{Address: mail.Address{Local: "x\r\nRSET", Domain: "to.test"}}}
		},
		script: opening + `
			S: 250 HELP
			C: MAIL FROM:<a@from.test>
			S: 250 ok
			eof`,
		want: []string{"soft 451 4.4.2 The connection failed (a command with a line end in it was about to be sent)..."},
	},
	{
		why:    "a bounce has the empty sender",
		change: func(e *mail.Envelope) { e.From, e.To = mail.Address{}, e.To[:1] },
		script: plain + `
			C: MAIL FROM:<>
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 354 go on` + body + `
			S: 250 done` + bye,
		want: []string{"delivered 250 done (remote)"},
	},
	{
		why:    "the message is larger than the server takes, RFC 1870: it is not asked",
		script: opening + "S: 250 SIZE 28" + bye,
		want: []string{
			"hard 552 5.3.4 The message has 29 octets, and the server takes at most 28",
			"hard 552 5.3.4 The message has 29 octets, and the server takes at most 28",
		},
	},
	{
		why:    "8BITMIME is said where the sender said it",
		change: func(e *mail.Envelope) { e.EightBit, e.To = true, e.To[:1] },
		script: plain + `
			C: MAIL FROM:<a@from.test> BODY=8BITMIME
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 354 go on` + body + `
			S: 250 done` + bye,
		want: []string{"delivered 250 done (remote)"},
	},
	{
		why:    "said to be 8-bit, but is not: a server without 8BITMIME can have it",
		change: func(e *mail.Envelope) { e.EightBit, e.To = true, e.To[:1] },
		script: opening + `
			S: 250 PIPELINING
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 354 go on` + body + `
			S: 250 done` + bye,
		want: []string{"delivered 250 done (remote)"},
	},
	{
		why:    "really 8-bit, and a server without 8BITMIME, RFC 6152 3",
		change: func(e *mail.Envelope) { e.EightBit, e.To = true, e.To[:1] },
		text:   "Subject: x\r\n\r\n\u00e9\r\n",
		script: opening + "S: 250 PIPELINING" + bye,
		want:   []string{"hard 554 5.6.3 The message has 8-bit content..."},
	},
	{
		why:    "8-bit that nobody declared goes as it is",
		change: func(e *mail.Envelope) { e.To = e.To[:1] },
		text:   "Subject: x\r\n\r\n\u00e9\r\n",
		script: opening + `
			S: 250 PIPELINING
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 354 go on
			< Subject: x
			<
			< ` + "\u00e9" + `
			< .
			S: 250 done` + bye,
		want: []string{"delivered 250 done (remote)"},
	},
	{
		why: "an address outside ASCII, and a server without SMTPUTF8: that one cannot go, the other can",
		change: func(e *mail.Envelope) {
			e.SMTPUTF8, e.To[0].Address.Local = true, "b\u00f6b"
		},
		script: plain + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<c@to.test>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 354 go on` + body + `
			S: 250 done` + bye,
		want: []string{"hard 550 5.6.7 An address or header field...", "delivered 250 done (remote)"},
	},
	{
		why:    "a header field outside ASCII under SMTPUTF8, and a server without it",
		change: func(e *mail.Envelope) { e.SMTPUTF8 = true },
		text:   "Subject: \u00e9\r\n\r\nx\r\n",
		script: plain + bye,
		want:   []string{"hard 550 5.6.7 An address or header field...", "hard 550 5.6.7 An address or header field..."},
	},
	{
		why:    "and one with it",
		change: func(e *mail.Envelope) { e.SMTPUTF8, e.To = true, e.To[:1] },
		text:   "Subject: \u00e9\r\n\r\nx\r\n",
		script: opening + `
			S: 250-PIPELINING
			S: 250 SMTPUTF8
			C: MAIL FROM:<a@from.test> SMTPUTF8
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 354 go on
			< Subject: ` + "\u00e9" + `
			<
			< x
			< .
			S: 250 done` + bye,
		want: []string{"delivered 250 done (remote)"},
	},
	{
		why:    "SMTPUTF8 that nothing needs is not asked for: ASCII in the header, more in the body",
		change: func(e *mail.Envelope) { e.SMTPUTF8, e.To = true, e.To[:1] },
		text:   "Subject: e\r\n\r\n\u00e9\r\n",
		script: plain + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 354 go on
			< Subject: e
			<
			< ` + "\u00e9" + `
			< .
			S: 250 done` + bye,
		want: []string{"delivered 250 done (remote)"},
	},
	{
		why:    "no bare CR or LF goes out, and a last line without an end gets one (SMTP smuggling)",
		change: func(e *mail.Envelope) { e.To = e.To[:1] },
		text:   "Subject: x\r\n\r\na\n.\nb\r.\rc\r\r\n.\r\r\n.x",
		script: plain + `
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 354 go on
			< Subject: x
			<
			< a
			< ..
			< b
			< ..
			< c
			<
			< ..
			<
			< ..x
			< .
			S: 250 done` + bye,
		want: []string{"delivered 250 done (remote)"},
	},
	{
		why: "the greeting refuses for now", script: "S: 421 4.3.2 too busy\neof",
		want: []string{"soft 421 4.3.2 too busy (remote)", "soft 421 4.3.2 too busy (remote)"},
	},
	{
		why: "the greeting refuses for good, RFC 7504", script: "S: 521 no mail here" + bye,
		want: []string{"hard 521 5.3.2 no mail here (remote)", "hard 521 5.3.2 no mail here (remote)"},
	},
	{
		why: "a greeting over many lines", script: `
			S: 220-one
			S: 220-two
			S: 220 three
			C: EHLO gate.test
			S: 450 4.7.1 not now` + bye,
		want: []string{"soft 450 4.7.1 not now (remote)", "soft 450 4.7.1 not now (remote)"},
	},
}

func TestDialogues(t *testing.T) {
	for _, d := range dialogues {
		t.Run(d.why, func(t *testing.T) {
			env := envelope("b@to.test", "c@to.test")
			if d.change != nil {
				d.change(&env)
			}
			text := d.text
			if text == "" {
				text = message
			}
			c := NewSMTP(options(t, hosts(fake(t, d.script))))
			check(t, deliver(t, c, &route.Route{Name: "mx"}, env, text), d.want...)
		})
	}
}

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
