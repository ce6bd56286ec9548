package outbound

import (
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

// talk is a delivery over one connection.
type talk struct {
	why    string
	change func(*mail.Envelope)
	text   string // the message, where it is not the usual one
	script string
	want   []string
}

// dialogues are about the order of things.
var dialogues = []talk{
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
	for _, d := range append(dialogues, parameters...) {
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
