package inbound

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/forepost/forepost/relay/mail"
)

// command looks at a command line. It returns the line that go-smtp is to have,
// or "" where the wire has answered it.
func (w *wire) command(line string) string {
	verb, arg, _ := strings.Cut(line, " ")
	verb, arg = strings.ToUpper(verb), strings.TrimSpace(arg)
	w.verb = verb
	if bad := badOctet(line); bad == control || bad == eightBit && verb != "MAIL" && verb != "RCPT" {
		w.answer(501, "5.5.2", "The command has characters that do not belong there")
		return ""
	}
	switch verb {
	case "HELO", "EHLO", "LHLO":
		return w.hello(verb, arg)
	case "MAIL":
		return w.mail(arg)
	case "RCPT":
		return w.rcpt(arg)
	case "DATA":
		if w.talk.binary() { // RFC 3030 section 3
			w.answer(503, "5.5.1", "A message under BODY=BINARYMIME comes with BDAT")
			return ""
		}
		return w.plain(verb, arg)
	case "QUIT":
		return w.plain(verb, arg)
	case "RSET":
		if !w.idling() {
			return w.plain(verb, arg)
		}
	case "NOOP", "VRFY":
		if !w.idling() {
			return verb
		}
	case "HELP", "EXPN", "ETRN": // of ETRN (RFC 1985) there is no need: what waits for a client is sent to its servers
		if !w.idling() {
			w.answer(502, "5.5.1", verb+" is not implemented")
		}
	case "STARTTLS":
		w.startTLS(arg)
	case "AUTH":
		return w.auth(arg)
	case "BDAT":
		return w.bdat(arg)
	case "GET", "POST", "PUT", "HEAD", "CONNECT", "OPTIONS", "DELETE", "PATCH", "TRACE":
		// A browser or a proxy that was talked into speaking to us (ALPACA).
		w.answer(502, "5.7.0", "This is not a web server")
		w.closed = true
	case "XCLIENT":
		w.xclient(arg)
	case "PROXY":
		// Somebody who is no proxy of ours claims to be another.
		w.answer(502, "5.7.0", "PROXY is not taken from here")
		w.closed = true
	default:
		w.answer(500, "5.5.1", "Unknown command")
	}
	return ""
}

// Sorts of octets that a command should not have.
const (
	control = iota + 1
	eightBit
)

func badOctet(line string) (worst int) {
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c < ' ' || c == 0x7f:
			return control
		case c >= 0x80:
			worst = eightBit
		}
	}
	return worst
}

// maxName is the longest domain, RFC 5321 section 4.5.3.1.2.
const maxName = 255

// idling counts commands that lead nowhere and tells whether there were too many.
func (w *wire) idling() bool {
	if w.idle++; w.idle > maxIdle {
		w.answer(421, "4.7.0", "Too many commands without a message")
	}
	return w.closed
}

// plain is a command without arguments.
func (w *wire) plain(verb, arg string) string {
	if arg != "" {
		w.answer(501, "5.5.4", verb+" takes no argument")
		return ""
	}
	return verb
}

func (w *wire) hello(verb, arg string) string {
	if w.idling() {
		return ""
	}
	name, _, _ := strings.Cut(arg, " ")
	engine := verb
	if verb == "LHLO" {
		engine = "EHLO" // what is different in LMTP go-smtp need not know
	}
	switch lmtp := w.cfg.Protocol == LMTP; {
	case lmtp && verb != "LHLO": // RFC 2033 section 4.1
		w.answer(500, "5.5.1", "This is LMTP: say LHLO")
		return ""
	case !lmtp && verb == "LHLO":
		w.answer(500, "5.5.1", "This is not LMTP: say EHLO")
		return ""
	case name == "":
		return engine // go-smtp refuses it
	case len(name) > maxName:
		w.answer(501, "5.5.2", "The name is too long")
		return ""
	}
	if r := w.talk.hello(verb, name); !r.IsZero() {
		w.refuse(r)
		return ""
	}
	return engine + " " + name
}

// mail hands go-smtp the parameters of MAIL with a path that it cannot misread;
// the dialogue takes the address from the wire.
func (w *wire) mail(arg string) string {
	if r := w.talk.begin(); !r.IsZero() {
		w.refuse(r)
		return ""
	}
	path, params, err := parsePath(arg, "FROM:")
	if err == nil {
		w.path, err = mail.ParseAddress(path, hasParam(params, "SMTPUTF8"))
		w.text = asText(w.path, path)
	}
	if err == nil && sizeOver(params, w.cfg.MaxSize) {
		w.answer(552, "5.3.4", "The message is larger than the limit")
		return ""
	}
	if err == nil && !w.mayRequireTLS(params) {
		return ""
	}
	if err == nil {
		var ok bool
		if w.priority, params, ok = priorityParam(params); !ok {
			w.answer(501, "5.5.4", "MT-PRIORITY is a number from -9 to 9, once")
			return ""
		}
		w.body, params = bodyParam(params)
	}
	return w.withPath("MAIL FROM:<>", params, err, 7)
}

// mayRequireTLS refuses REQUIRETLS where there is no TLS, with the way to it (RFC
// 8689 section 4.1), and with a value.
func (w *wire) mayRequireTLS(params string) bool {
	_, times := param(params, "REQUIRETLS")
	switch {
	case times == 0:
		return true
	case !hasParam(params, "REQUIRETLS"):
		w.answer(501, "5.5.4", "REQUIRETLS takes no value")
		return false
	}
	if w.secure {
		return true
	}
	if w.cfg.TLS == nil {
		w.answer(555, "5.5.4", "REQUIRETLS is not offered here")
	} else {
		w.answer(530, "5.7.0", "REQUIRETLS needs TLS: begin with STARTTLS")
	}
	return false
}

// bodyParam is the value of BODY, the last one as go-smtp has it. To go-smtp
// BINARYMIME is 8BITMIME: it would not hear of DATA, which it hears for BDAT.
func bodyParam(params string) (body, engine string) {
	value, _ := param(params, "BODY")
	if body = strings.ToUpper(value); body != "BINARYMIME" {
		return body, params
	}
	fields := strings.Fields(params)
	for i, p := range fields {
		if name, value, _ := strings.Cut(p, "="); strings.EqualFold(name, "BODY") && strings.EqualFold(value, body) {
			fields[i] = "BODY=8BITMIME"
		}
	}
	return body, " " + strings.Join(fields, " ")
}

// sizeOver tells whether SIZE is over the limit, however many digits it has
// (RFC 1870 section 4 allows 20; go-smtp reads 32 bits).
func sizeOver(params string, limit int64) bool {
	for p := range strings.FieldsSeq(params) {
		name, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(name, "SIZE") {
			continue
		}
		n, err := strconv.ParseUint(value, 10, 63)
		return err == nil && int64(n) > limit || errors.Is(err, strconv.ErrRange)
	}
	return false
}

func (w *wire) rcpt(arg string) string {
	path, params, err := parsePath(arg, "TO:")
	if err == nil {
		w.path, err = parseRecipient(path, w.talk.utf8())
		w.text = asText(w.path, path)
	}
	return w.withPath("RCPT TO:A@B", params, err, 3)
}

// withPath is the command for go-smtp: with a path that costs it the least, since
// the session takes the address from the wire, and in capitals, which it need not
// make.
func (w *wire) withPath(cmd, params string, err error, detail int) string {
	if err != nil {
		w.refuse(addressReply(err, detail))
		return ""
	}
	if badOctet(params) != 0 {
		w.answer(501, "5.5.4", "The parameters have characters that do not belong there")
		return ""
	}
	return cmd + params
}

// param is the value of a parameter, the last one where there are several, and how
// often it is there.
func param(params, name string) (value string, times int) {
	for p := range strings.FieldsSeq(params) {
		if n, v, _ := strings.Cut(p, "="); strings.EqualFold(n, name) {
			value, times = v, times+1
		}
	}
	return value, times
}

// hasParam tells whether a parameter is there, without a value.
func hasParam(params, name string) bool {
	for p := range strings.FieldsSeq(params) {
		if strings.EqualFold(p, name) {
			return true
		}
	}
	return false
}

// xclient is XCLIENT: where it is taken go-smtp starts anew, as behind STARTTLS.
func (w *wire) xclient(arg string) {
	if w.idling() {
		return
	}
	r, anew := w.talk.xclient(arg)
	w.restart = anew
	switch {
	case !r.IsZero():
		w.refuse(r)
		w.closed = w.closed || anew // the client that was named is not served
	case anew:
		w.greet()
	}
}

// auth lets AUTH pass where it is offered: RFC 4954 section 4.
func (w *wire) auth(arg string) string {
	switch {
	case !w.cfg.Auth:
		w.answer(502, "5.5.1", "AUTH is not offered here")
	case w.authed: // go-smtp may have come anew since
		w.answer(503, "5.5.1", "AUTH was done already")
	case !w.talk.authAllowed():
		w.answer(538, "5.7.11", "AUTH needs TLS: begin with STARTTLS")
	default:
		return "AUTH " + arg
	}
	return ""
}

var _ io.ReadWriteCloser = (*wire)(nil)
