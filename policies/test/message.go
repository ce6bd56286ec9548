package test

import (
	"encoding/base64"
	"fmt"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/relay/mail"
)

// written is a message as a case writes it.
type written struct {
	from, subject, text, html string
	to, attachments           []string
	headers                   map[string]string
}

// message is a whole message from file(), or its fields; what is no field is a
// fact about it (has_macros).
func (b *binder) message(n *node) {
	if s, ok := n.leaf.(string); ok {
		b.sc.message = mail.Bytes(crlf(s))
		return
	}
	w := &written{headers: map[string]string{}}
	b.fields(n, "message", map[string]func(*node){
		"from":        func(n *node) { b.text(n, "message.from", &w.from) },
		"subject":     func(n *node) { b.text(n, "message.subject", &w.subject) },
		"text":        func(n *node) { b.text(n, "message.text", &w.text) },
		"html":        func(n *node) { b.text(n, "message.html", &w.html) },
		"to":          func(n *node) { w.to = b.texts(n, "message.to") },
		"attachments": func(n *node) { w.attachments = b.texts(n, "message.attachments") },
		"headers": func(n *node) {
			b.fields(n, "headers", nil, func(key string, n *node) {
				var s string
				b.text(n, "headers", &s)
				w.headers[key] = s
			})
		},
	}, func(key string, n *node) { b.state("msg."+key, n) })
	if w.from == "" {
		w.from = b.senderInCase()
	}
	b.sc.message = mail.Bytes(w.render())
}

// senderInCase is the author of a message that names none.
func (b *binder) senderInCase() string {
	if n := b.all["mail"]; n != nil && n.obj["from"] != nil {
		s, _ := n.obj["from"].leaf.(string)
		return s
	}
	return ""
}

func (b *binder) texts(n *node, name string) []string {
	ss, ok := n.texts()
	if !ok {
		b.wrong(diag.WrongType, n.at, name+" is a list of strings.", "")
	}
	return ss
}

// boundary parts what cases attach.
const boundary = "=_case"

// render is the message as octets.
func (w *written) render() string {
	var s strings.Builder
	if w.from != "" {
		field(&s, "From", encoded(w.from))
	}
	if len(w.to) > 0 {
		field(&s, "To", strings.Join(w.to, ", "))
	}
	field(&s, "Subject", mime.QEncoding.Encode("utf-8", w.subject))
	for _, k := range sortedKeys(w.headers) {
		field(&s, k, w.headers[k])
	}
	field(&s, "MIME-Version", "1.0")
	if w.html == "" && len(w.attachments) == 0 {
		part(&s, "text/plain; charset=utf-8", w.text)
		return s.String()
	}
	s.WriteString("Content-Type: multipart/mixed; boundary=\"" + boundary + "\"\r\n\r\n")
	begin := "--" + boundary + "\r\n"
	s.WriteString(begin)
	part(&s, "text/plain; charset=utf-8", w.text)
	if w.html != "" {
		s.WriteString("\r\n" + begin)
		part(&s, "text/html; charset=utf-8", w.html)
	}
	for _, name := range w.attachments {
		s.WriteString("\r\n" + begin + "Content-Type: application/octet-stream\r\n")
		field(&s, "Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
		s.WriteString("Content-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte("attached by a case")) + "\r\n")
	}
	s.WriteString("\r\n--" + boundary + "--\r\n")
	return s.String()
}

// encoded is a From as a message has it: what is written with a name that is
// not ASCII is encoded.
func encoded(from string) string {
	if a, err := netmail.ParseAddress(from); err == nil && a.Name != "" {
		return a.String()
	}
	return from
}

func field(s *strings.Builder, name, value string) {
	fmt.Fprintf(s, "%s: %s\r\n", name, strings.NewReplacer("\r", " ", "\n", " ").Replace(value))
}

func part(s *strings.Builder, typ, text string) {
	s.WriteString("Content-Type: " + typ + "\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
	w := quotedprintable.NewWriter(s)
	// A strings.Builder takes everything.
	_, _ = w.Write([]byte(crlf(text)))
	_ = w.Close()
	s.WriteString("\r\n")
}

// crlf makes line ends those of mail.
func crlf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}
