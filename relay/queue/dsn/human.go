package dsn

import (
	"bytes"
	"fmt"

	"github.com/forepost/forepost/relay/mail"
)

var openings = [...]string{
	Failed:    "Your message could not be delivered to:",
	Delayed:   "Your message has not been delivered yet to the following recipients. It is still being tried: you need not send it again.",
	Relayed:   "Your message was passed on to a mail server that does not report deliveries, for:",
	Delivered: "Your message was delivered to:",
}

// human is the part for people: what happened, to whom, what the server said,
// and what to do.
func (r *Report) human() []byte {
	var b bytes.Buffer
	lines(&b, "", openings[r.Action])
	for i := range r.Recipients {
		b.WriteString("\r\n")
		r.tell(&b, &r.Recipients[i])
	}
	b.WriteString("\r\n")
	if !r.Envelope.Received.IsZero() {
		lines(&b, "", "Your message reached us at "+date(r.Envelope.Received)+".")
	}
	lines(&b, "", fmt.Sprintf("If you ask the postmaster of %s about it, give this ID: %s", r.Hostname, r.Envelope.ID))
	return b.Bytes()
}

func lines(b *bytes.Buffer, indent, text string) {
	for _, l := range wrap(text, 76-len(indent)) {
		b.WriteString(indent + l + "\r\n")
	}
}

func (r *Report) tell(b *bytes.Buffer, to *Recipient) {
	b.WriteString("  " + r.address(to.Address) + "\r\n")
	if !to.Reply.IsZero() {
		lines(b, "    ", r.who(to))
		lines(b, "      ", shorten(clean(to.Reply.String(), r.utf8())))
	}
	if r.Action == Delayed && !to.Until.IsZero() {
		lines(b, "    ", "It will be tried until "+date(to.Until)+".")
	}
	if r.Action == Failed {
		lines(b, "    ", advice(to))
	}
}

// who introduces a refusal.
func (r *Report) who(to *Recipient) string {
	host := clean(hostName(to.Host), false)
	switch {
	case to.Remote && host != "" && to.Expired:
		return "It was tried for a long time and is now given up. The server " + host + " last said:"
	case to.Remote && host != "":
		return "The server " + host + " said:"
	case to.Expired:
		return "It was tried for a long time and is now given up. The last trouble was:"
	}
	return "The reason:"
}

// advice is what a sender can do, by the enhanced code (RFC 3463 section 3).
func advice(to *Recipient) string {
	s := to.Reply.Subject
	switch {
	case to.Expired:
		return "Please try again later, or reach the recipient another way."
	case to.Reply.Class == mail.Permanent && s == [2]int{1, 10}: // RFC 7505: null MX
		return "This domain takes no mail. Please check the address."
	case s == [2]int{2, 2}:
		return "The mailbox is full. Please try again later, or tell the recipient another way."
	case s == [2]int{3, 4} || s == [2]int{2, 3}:
		return "The message is too large for the recipient. Please send it in smaller parts."
	case s[0] == 1:
		return "Please check the address for a spelling error."
	case s[0] == 7:
		return "The recipient's side refuses this message by its rules. Please ask the recipient another way."
	}
	return "Please check the address, and if it is right, tell the recipient another way."
}
