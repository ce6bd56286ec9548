package inbound

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/forepost/forepost/relay/mail"
)

// reworded are replies of go-smtp that we give otherwise, by their whole text.
// The contract test asks go-smtp for each of them.
var reworded = map[string]string{
	"502 5.5.1 Please introduce yourself first.": "503 5.5.1 Say EHLO or HELO first",
	"502 5.5.1 Missing MAIL FROM command.":       "503 5.5.1 Say MAIL first",
	"502 5.5.1 Missing RCPT TO command.":         "503 5.5.1 No recipient was accepted: say MAIL and RCPT first",
	"454 4.7.0 Invalid base64 data":              "501 5.5.2 The response is not base64",
	"501 5.0.0 Negotiation cancelled":            "501 5.7.0 AUTH was cancelled",
	"503 5.5.1 Already authenticated":            "503 5.5.1 AUTH was done already",
}

// Write takes what go-smtp says, line by line. Replies wait in the wire until
// the client is waited for.
func (w *wire) Write(p []byte) (int, error) {
	w.engine = append(w.engine, p...)
	for {
		i := bytes.Index(w.engine, []byte("\r\n"))
		if i < 0 {
			return len(p), nil
		}
		line := string(w.engine[:i])
		w.engine = append(w.engine[:0], w.engine[i+2:]...)
		w.lines = append(w.lines, line)
		if len(line) < 4 || line[3] != '-' {
			lines := w.lines
			w.lines = nil
			w.said(lines)
		}
	}
}

// said deals with a whole reply of go-smtp.
func (w *wire) said(lines []string) {
	if w.fresh { // its greeting: ours was sent, or TLS has just begun
		w.fresh = false
		return
	}
	last := lines[len(lines)-1]
	code, _ := strconv.Atoi(last[:min(3, len(last))])
	switch {
	case code == 250 && (w.verb == "EHLO" || w.verb == "LHLO"):
		lines = append([]string{w.cfg.Hostname}, w.talk.keywords()...)
		w.put(code, "", lines)
		return
	case code == 334:
		w.sasl = true
		w.put(code, "", []string{strings.TrimPrefix(last, "334 ")})
		return
	case code == 250 && ours[w.verb] != "":
		last = ours[w.verb]
		lines = lines[:1]
	case code == 354:
		w.data, w.size = dataOpen, 0
		last = "354 End the data with <CR><LF>.<CR><LF>"
	}
	if text, ok := reworded[last]; ok {
		last, lines = text, lines[:1]
	}
	w.split(last, lines[:len(lines)-1])
}

// ours is how we say that it is well.
var ours = map[string]string{
	"HELO": "250 Hello",
	"MAIL": "250 2.1.0 Sender OK",
	"RCPT": "250 2.1.5 Recipient OK",
	"RSET": "250 2.0.0 Reset",
	"NOOP": "250 2.0.0 OK",
}

// split takes the codes of a reply apart from its text: go-smtp puts the
// enhanced code on the last line only, RFC 2034 section 4 wants it on each.
func (w *wire) split(last string, before []string) {
	code, _ := strconv.Atoi(last[:min(3, len(last))])
	text := strings.TrimPrefix(last[min(3, len(last)):], " ")
	enhanced := ""
	if first, rest, ok := strings.Cut(text, " "); ok && isEnhanced(first) {
		enhanced, text = first, rest
	}
	var lines []string
	for _, l := range before {
		lines = append(lines, l[min(4, len(l)):])
	}
	w.counted(code, enhanced, append(lines, text))
}

func isEnhanced(s string) bool {
	return len(s) >= 5 && len(s) <= 9 && s[1] == '.' && strings.IndexByte("245", s[0]) >= 0 && strings.Count(s, ".") == 2
}

// answer is a reply of the wire's own.
func (w *wire) answer(code int, enhanced, text string) {
	if !w.closed {
		w.counted(code, enhanced, []string{text})
	}
}

// refuse is answer for a Reply.
func (w *wire) refuse(r mail.Reply) {
	if !w.closed {
		w.counted(r.Code(), r.Enhanced(), strings.Split(r.Text, "\n"))
	}
}

// counted puts a reply out and counts refusals: too many, and the client hears
// 421 in place of the last.
func (w *wire) counted(code int, enhanced string, lines []string) {
	if code >= 400 {
		w.talk.refused(w.verb, fmt.Sprint(code, " ", enhanced, " ", strings.Join(lines, " ")))
	}
	if code >= 500 && !(w.cfg.Protocol == LMTP && w.verb == "DATA") { // there each recipient has a reply
		if w.errors++; w.errors >= w.cfg.MaxErrors {
			code, enhanced, lines = 421, "4.7.0", []string{"Too many errors, closing the connection"}
		}
	}
	if id := string(w.talk.id()); id != "" && named(code, w.verb) && !strings.Contains(lines[len(lines)-1], id) {
		lines[len(lines)-1] += " (" + id + ")"
	}
	w.put(code, enhanced, lines)
}

// named tells whether a reply names the transaction's ID.
func named(code int, verb string) bool {
	switch verb {
	case "HELO", "EHLO", "LHLO", "QUIT", "AUTH", "STARTTLS":
		return code == 421
	}
	return true
}

// put keeps a reply to be sent. After 421 nothing is read any more.
func (w *wire) put(code int, enhanced string, lines []string) {
	if enhanced != "" {
		enhanced += " "
	}
	for i, l := range lines {
		sep := '-'
		if i == len(lines)-1 {
			sep = ' '
		}
		w.out = fmt.Appendf(w.out, "%d%c%s%s\r\n", code, sep, enhanced, oneLine(l))
	}
	if code == 421 {
		w.closed = true
	}
	if len(w.out) > bufSize { // a flood of pipelined commands
		w.flush()
	}
}

// oneLine keeps a text from ending a line or going beyond the 512 octets of RFC
// 5321 section 4.5.3.1.5.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
	if len(s) > 480 {
		s = strings.ToValidUTF8(s[:460], "") + "..." + s[max(len(s)-17, 460):]
	}
	return s
}
