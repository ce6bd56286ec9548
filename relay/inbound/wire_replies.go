package inbound

import (
	"bytes"
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
	"500 5.5.4 Unknown MAIL FROM argument":       "555 5.5.4 A parameter is not known here",
	"500 5.5.4 Unknown RCPT TO argument":         "555 5.5.4 A parameter is not known here",
	"503 5.5.1 Already authenticated":            "503 5.5.1 AUTH was done already",
	"235 2.0.0 Authentication succeeded":         "235 2.7.0 Authentication succeeded", // RFC 4954 section 6
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
		if line := w.engine[:i]; i >= 4 && line[3] == '-' {
			w.before = append(append(w.before, line[4:]...), '\n')
		} else {
			w.said(line)
			w.before = w.before[:0]
		}
		w.engine = append(w.engine[:0], w.engine[i+2:]...)
	}
}

// said deals with the last line of a reply of go-smtp; w.before has the texts of
// the lines before it.
func (w *wire) said(line []byte) {
	if w.fresh { // its greeting: ours was sent, or TLS has just begun
		w.fresh = false
		return
	}
	code, _ := strconv.Atoi(string(line[:min(3, len(line))]))
	switch {
	case w.mute:
	case w.each != nil:
		for _, a := range w.each {
			w.counted(a.code, a.enhanced, a.text)
		}
		w.each = nil
	case code == 250 && (w.verb == "EHLO" || w.verb == "LHLO"):
		w.put(code, "", w.cfg.Hostname+"\n"+strings.Join(w.talk.keywords(), "\n"))
	case code == 334:
		w.sasl = true
		w.put(code, "", strings.TrimPrefix(string(line), "334 "))
	case code == 250 && w.verb == "MAIL":
		w.mailTaken()
	case code == 250 && ours[w.verb] != "":
		w.split(ours[w.verb])
	case code == 354:
		w.data, w.size = dataOpen, 0
		if w.verb == "DATA" { // behind BDAT the octets come without being asked for
			w.counted(code, "", "End the data with <CR><LF>.<CR><LF>")
		}
	default:
		if text, ok := reworded[string(line)]; ok {
			w.split(text)
			return
		}
		w.split(string(line))
	}
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
func (w *wire) split(last string) {
	code, _ := strconv.Atoi(last[:min(3, len(last))])
	text := strings.TrimPrefix(last[min(3, len(last)):], " ")
	enhanced := ""
	if first, rest, ok := strings.Cut(text, " "); ok && isEnhanced(first) {
		enhanced, text = first, rest
	}
	w.counted(code, enhanced, string(w.before)+text)
}

func isEnhanced(s string) bool {
	return len(s) >= 5 && len(s) <= 9 && s[1] == '.' && strings.IndexByte("245", s[0]) >= 0 && strings.Count(s, ".") == 2
}

// greet opens the connection, RFC 5321 section 3.1.
func (w *wire) greet() {
	w.put(220, "", w.cfg.Hostname+" "+w.cfg.Protocol.greeting()+" Forepost")
}

// answer is a reply of the wire's own.
func (w *wire) answer(code int, enhanced, text string) {
	if !w.closed {
		w.counted(code, enhanced, text)
	}
}

// refuse is answer for a Reply.
func (w *wire) refuse(r mail.Reply) { w.answer(r.Code(), r.Enhanced(), r.Text) }

// counted puts a reply out and counts refusals: too many, and the client hears
// 421 in place of the last. The lines of text end in LF, the last one apart.
func (w *wire) counted(code int, enhanced, text string) {
	if code >= 400 {
		w.talk.refused(w.verb, strconv.Itoa(code)+" "+enhanced+" "+strings.ReplaceAll(text, "\n", " "))
	}
	if code >= 500 && !(w.cfg.Protocol == LMTP && (w.verb == "DATA" || w.verb == "BDAT")) { // there each recipient has a reply
		if w.errors++; w.errors >= w.cfg.MaxErrors {
			code, enhanced, text = 421, "4.7.0", "Too many errors, closing the connection"
		}
	}
	w.put(code, enhanced, text)
	id := string(w.talk.id())
	if id != "" && named(code, w.verb) && !strings.Contains(text[strings.LastIndexByte(text, '\n')+1:], id) {
		w.out = append(append(append(w.out[:len(w.out)-2], " ("...), id...), ")\r\n"...)
	}
	if len(w.out) > bufSize { // a flood of pipelined commands
		w.flush()
	}
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
func (w *wire) put(code int, enhanced, text string) {
	for more := true; more; {
		var line string
		line, text, more = strings.Cut(text, "\n")
		w.out = strconv.AppendInt(w.out, int64(code), 10)
		if more {
			w.out = append(w.out, '-')
		} else {
			w.out = append(w.out, ' ')
		}
		if enhanced != "" {
			w.out = append(append(w.out, enhanced...), ' ')
		}
		w.out = append(append(w.out, oneLine(line)...), "\r\n"...)
	}
	if code == 421 {
		w.closed = true
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
