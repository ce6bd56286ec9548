package outbound

import "github.com/forepost/forepost/relay/mail"

// parameters are deliveries that are about what a message needs and what a
// server offers.
var parameters = []talk{
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
		want: []string{"delivered 250 done (reports) (remote)", "delivered 250 done (reports) (remote)"},
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
		why:    "really 8-bit, and a server without 8BITMIME: converted, RFC 6152 3",
		change: func(e *mail.Envelope) { e.EightBit, e.To = true, e.To[:1] },
		text:   "Subject: x\r\n\r\n\u00e9\r\n",
		script: opening + `
			S: 250 PIPELINING
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 354 go on
			< Content-Transfer-Encoding: quoted-printable
			< MIME-Version: 1.0
			< Content-Type: text/plain; charset=utf-8
			< Subject: x
			<
			< =C3=A9
			< .
			S: 250 done` + bye,
		want: []string{"delivered 250 done (remote)"},
	},
	{
		why:    "8-bit and signed: it cannot be converted, and is returned with the reason",
		change: func(e *mail.Envelope) { e.EightBit, e.To = true, e.To[:1] },
		text:   "Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\n\u00e9\r\n--s--\r\n",
		script: opening + "S: 250 PIPELINING" + bye,
		want:   []string{"hard 554 5.6.3 The message has 8-bit content, which the server does not take (no 8BITMIME), and it cannot be converted: it is signed (multipart/signed)..."},
	},
	{
		why:    "in chunks, RFC 3030: no dot is doubled, bare LF still becomes CRLF, the last line ends; a priority goes on, RFC 6710",
		change: func(e *mail.Envelope) { e.Priority, e.To = 4, e.To[:1] },
		text:   "Subject: x\r\n\r\n.dot\nend",
		script: opening + `
			S: 250-PIPELINING
			S: 250-CHUNKING
			S: 250 MT-PRIORITY
			C: MAIL FROM:<a@from.test> MT-PRIORITY=4
			C: RCPT TO:<b@to.test>
			S: 250 ok
			S: 250 ok
			C: BDAT 25 LAST
			< Subject: x
			<
			< .dot
			< end
			S: 250 done` + bye,
		want: []string{"delivered 250 done (remote)"},
	},
	{
		why:    "binary to a server that takes it: as it came",
		change: func(e *mail.Envelope) { e.Binary, e.To = true, e.To[:1] },
		text:   "Content-Transfer-Encoding: binary\r\n\r\n..\x00\r\n",
		script: opening + `
			S: 250-CHUNKING
			S: 250 BINARYMIME
			C: MAIL FROM:<a@from.test> BODY=BINARYMIME
			S: 250 ok
			C: RCPT TO:<b@to.test>
			S: 250 ok
			C: BDAT 42 LAST
			< Content-Transfer-Encoding: binary
			<
			*
			S: 250 done` + bye,
		want: []string{"delivered 250 done (remote)"},
	},
	{
		why: "in chunks, one recipient refused, and the message refused",
		script: opening + `
			S: 250 CHUNKING
			C: MAIL FROM:<a@from.test>
			S: 250 ok
			C: RCPT TO:<b@to.test>
			S: 550 5.1.1 who
			C: RCPT TO:<c@to.test>
			S: 250 ok
			~ BDAT
			< Subject: hello
			<
			< .dot
			< end
			S: 554 5.7.1 no` + bye,
		want: []string{"hard 550 5.1.1 who (remote)", "hard 554 5.7.1 no (remote)"},
	},
	{
		why: "in chunks, nobody is accepted: nothing is sent",
		script: opening + `
			S: 250-PIPELINING
			S: 250 CHUNKING
			C: MAIL FROM:<a@from.test>
			C: RCPT TO:<b@to.test>
			C: RCPT TO:<c@to.test>
			S: 250 ok
			S: 550 5.1.1 who
			S: 550 5.1.1 who` + bye,
		want: []string{"hard 550 5.1.1 who (remote)", "hard 550 5.1.1 who (remote)"},
	},
	{
		why:    "binary, RFC 3030 3: in base64 where it goes as lines",
		change: func(e *mail.Envelope) { e.Binary, e.To = true, e.To[:1] },
		text:   "Content-Transfer-Encoding: binary\r\n\r\n\x00\n",
		script: plain + `
			C: MAIL FROM:<a@from.test> BODY=8BITMIME
			C: RCPT TO:<b@to.test>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 354 go on
			C: Content-Transfer-Encoding: base64
			C:
			C: AAo=
			C: .
			S: 250 done` + bye,
		want: []string{"delivered 250 done (remote)"},
	},
	{
		why:    "binary and signed: returned",
		change: func(e *mail.Envelope) { e.Binary, e.To = true, e.To[:1] },
		text:   "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: binary\r\n\r\n\n\r\n--b--\r\n",
		script: plain + bye,
		want:   []string{"hard 554 5.6.3 The message has signed binary content..."},
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
}
