package main

import (
	"errors"
	"fmt"
	"net/smtp"
	"net/textproto"
	"strings"
	"testing"
)

const linksConfig = `
hostname = "mx.local.test"
domain "local.test" {
  route = route.store
}
filter "uribl" "surbl" {
  zone     = "multi.test"
  on_error = defer
}
listener "edge" {
  address = "127.0.0.1:0"
  tls     = off
  policy  = policy.inbound
}
dns {
  zone = %q
}
policy "inbound" {
  data {
    reject "links" {
      when = uribl.surbl.hits > 0
      text = "5.7.1 ${join(" ", uribl.surbl.domains)} is on ${uribl.surbl.zone}"
    }
  }
}
`

// Who sends a link to a domain on a list, however it is hidden, is refused at the
// end of the message and told which; other links pass, and where the list does not
// serve us nobody's mail is refused for it.
func TestLinksOnAList(t *testing.T) {
	g := serveGateway(t, fmt.Sprintf(linksConfig, writeFile(t, "zone.json", `{
  "evil.com.multi.test": {"A": ["127.0.0.8"]},
  "unserved.com.multi.test": {"A": ["127.0.0.1"]}
}`)))
	g.addUser("bob@local.test", "correct horse battery")
	sent := func(body string) string {
		text := "From: ann@send.test\r\nSubject: look\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n" + body + "\r\n"
		err := smtp.SendMail(g.address("smtp", "edge"), nil, "ann@send.test", []string{"bob@local.test"}, []byte(text))
		var e *textproto.Error
		if errors.As(err, &e) {
			return fmt.Sprint(e.Code, " ", e.Msg)
		}
		return fmt.Sprint(err)
	}
	refused := sent(`<a href="http://bank.com@WWW.%65vil.com.:8080/">bank.com</a>`)
	for _, c := range []struct{ body, reply, got string }{
		{"listed", "550 5.7.1 evil.com is on multi.test", refused},
		{"not listed", "<nil>", sent(`<a href="http://good.com/">`)},
		{"not served", "451 ", sent(`<a href="http://unserved.com/">`)},
		{"not served, and listed", "550 5.7.1 evil.com is on", sent(`http://unserved.com/ http://evil.com/`)},
	} {
		if !strings.HasPrefix(c.got, c.reply) {
			t.Errorf("%s: %q, want %q", c.body, c.got, c.reply)
		}
	}
	_, id, _ := strings.Cut(refused, "(")
	id, _, _ = strings.Cut(id, ")")
	waitFor(t, func() (string, bool) {
		code, out, errs := forepost("explain", id, "--data", g.data())
		return fmt.Sprint(code, out, errs), code == 0 && strings.Contains(out, "inbound.data.reject.links") && strings.Contains(out, "evil.com (127.0.0.8)")
	})
}
