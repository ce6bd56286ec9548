package main

import (
	"net/smtp"
	"strings"
	"testing"
)

const stripConfig = `
hostname = "gw.test"
listener "edge" {
  address = "127.0.0.1:0"
  tls     = off
  policy  = policy.programs
}
imap "mail" {
  address = "127.0.0.1:0"
}
domain "local.test" {
  route = route.store
}
policy "programs" {
  data {
    strip "programs" {
      when         = rcpt.local != "lab"
      extensions   = ["exe"]
      replace_with = "No programs by mail, please."
    }
  }
}
`

const withProgram = "From: a@send.test\r\nSubject: program\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=q\r\n\r\n" +
	"--q\r\nContent-Type: text/plain\r\n\r\nHello\r\n--q\r\nContent-Type: application/octet-stream; name=x.exe\r\n" +
	"Content-Transfer-Encoding: base64\r\n\r\nTVqQAAMAAAAEAAAA\r\n--q--\r\n"

// TestStripThroughTheGate: of one message bob gets a text in place of the
// program, and the laboratory every octet; explain tells who got what.
func TestStripThroughTheGate(t *testing.T) {
	g := serveGateway(t, stripConfig)
	g.addUser("bob@local.test", "secret")
	g.addUser("lab@local.test", "secret")
	if err := smtp.SendMail(g.address("smtp", "edge"), nil, "a@send.test", []string{"bob@local.test", "lab@local.test"}, []byte(withProgram)); err != nil {
		t.Fatal(err)
	}
	var bob, lab []string
	waitFor(t, func() (string, bool) {
		bob, lab = fetchAll(t, g, "bob@local.test", "secret", "INBOX"), fetchAll(t, g, "lab@local.test", "secret", "INBOX")
		return "it does not arrive", len(bob) == 1 && len(lab) == 1
	})
	if got := below(t, lab[0], "From:"); got != withProgram {
		t.Errorf("the laboratory has\n%s", got)
	}
	got := below(t, bob[0], "From:")
	if strings.Contains(got, "TVqQ") || !strings.Contains(got, "\r\n--q\r\nContent-Type: text/plain; charset=utf-8\r\n") ||
		!strings.Contains(got, "No programs by mail, please.\r\n\r\nRemoved: x.exe (application/octet-stream, 16 octets)\r\n") {
		t.Errorf("bob has\n%s", got)
	}
	front, _, _ := strings.Cut(withProgram, "Content-Type: application/octet-stream")
	if !strings.HasPrefix(got, front) || !strings.HasSuffix(got, "\r\n--q--\r\n") {
		t.Errorf("more than the part was touched:\n%s", got)
	}
	id := idIn.FindString(bob[0])
	if _, out, _ := forepost("explain", "--data", g.data(), id); !strings.Contains(out, "removed x.exe") {
		t.Errorf("of %s explain tells\n%s", id, out)
	}
}
