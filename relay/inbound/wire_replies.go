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
	if i := bytes.Index(p, crlf); i == len(p)-2 && len(w.engine) == 0 { // most writes are a line
		w.sentence(p[:i])
		return len(p), nil
	}
	w.engine = append(w.engine, p...)
	for {
		i := bytes.Index(w.engine, crlf)
		if i < 0 {
			return len(p), nil
		}
		w.sentence(w.engine[:i])
		w.engine = append(w.engine[:0], w.engine[i+2:]...)
	}
}

var crlf = []byte("\r\n")

// sentence takes one line of a reply of go-smtp.
func (w *wire) sentence(line []byte) {
	if len(line) >= 4 && line[3] == '-' {
		w.before = append(append(w.before, line[4:]...), '\n')
		return
	}
	w.said(line)
	w.before = w.before[:0]
}

// said deals with the last line of a reply of go-smtp; w.before has the texts of
// the lines before it.
func (w *wire) said(line []byte) {
	if w.fresh { // its greeting: ours was sent, or TLS has just begun
		w.fresh = false
		return
	}
	code := codeOf(line)
	switch {
	case w.mute:
	case w.each != nil:
		for _, a := range w.each {
			w.counted(a.code, a.enhanced, a.text)
		}
		w.each = nil
	case code == 250 && (w.verb == "EHLO" || w.verb == "LHLO"):
		w.greeted = true
		w.put(code, "", w.cfg.Hostname+"\n"+strings.Join(w.talk.keywords(), "\n"))
	case code == 334:
		w.sasl = true
		w.put(code, "", strings.TrimPrefix(string(line), "334 "))
	case code == 250 && w.well():
	case code == 354:
		w.data, w.size = dataOpen, 0
		if w.verb == "DATA" { // behind BDAT the octets come without being asked for
			w.fine("354 End the data with <CR><LF>.<CR><LF>")
		}
	default:
		w.authed = w.authed || code == 235
		if text, ok := reworded[string(line)]; ok {
			w.split(text)
			return
		}
		w.split(string(line))
	}
}

// codeOf is the reply code at the start of a line, 0 where there is none.
func codeOf[T string | []byte](line T) int {
	if len(line) < 3 {
		return 0
	}
	n := 0
	for i := range 3 {
		if line[i] < '0' || line[i] > '9' {
			return 0
		}
		n = 10*n + int(line[i]-'0')
	}
	return n
}

// well says in our words that a command was done; false for those that have none
// of ours.
func (w *wire) well() bool {
	switch w.verb {
	case "HELO":
		w.greeted = true
		w.counted(250, "", "Hello")
	case "MAIL":
		w.mailTaken()
	case "RCPT":
		w.fine("250 2.1.5 Recipient OK")
	case "RSET":
		w.fine("250 2.0.0 Reset")
	case "NOOP":
		w.fine("250 2.0.0 OK")
	default:
		return false
	}
	return true
}

// split takes the codes of a reply apart from its text: go-smtp puts the
// enhanced code on the last line only, RFC 2034 section 4 wants it on each.
func (w *wire) split(last string) {
	code := codeOf(last)
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

// tell says how the data are answered, whatever go-smtp says.
func (w *wire) tell(a answer) {
	w.one[0] = a
	w.each = w.one[:]
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
		w.out = appendID(w.out[:len(w.out)-2], id)
	}
	w.stem()
}

// fine is counted for a whole reply of one line that is no refusal and names the
// transaction, and the client has heard no 421.
func (w *wire) fine(line string) {
	w.out = appendID(append(w.out, line...), string(w.talk.id()))
	w.stem()
}

// appendID ends a line with the transaction's ID, where there is one.
func appendID(line []byte, id string) []byte {
	if id == "" {
		return append(line, "\r\n"...)
	}
	return append(append(append(line, " ("...), id...), ")\r\n"...)
}

// stem sends what is kept back where commands are pipelined in a flood.
func (w *wire) stem() {
	if len(w.out) > bufSize {
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
	if badOctet(s) == control {
		s = strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return '?'
			}
			return r
		}, s)
	}
	if len(s) > 480 {
		s = strings.ToValidUTF8(s[:460], "") + "..." + s[max(len(s)-17, 460):]
	}
	return s
}
