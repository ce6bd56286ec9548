package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// contentConfig names no policy: what is built in judges.
const contentConfig = `
hostname = "mx.local.test"
domain "local.test" {
  route = route.store
}
listener "edge" {
  address = "127.0.0.1:0"
  tls     = off
}
imap "mail" {
  address = "127.0.0.1:0"
}
dns {
  zone = "zone.json"
}
`

// hostile is a message that hides a program, or costs careless readers dear: its line of
// threats, and the reply that is due.
type hostile struct{ line, text, want string }

// The lines MIME boundary ambiguity (amavis CVE-2024-28054, Cisco CVE-2025-20153), Filename
// ambiguity (Exim CVE-2024-39929), Nesting / recursion and Header bombs of threats, through
// the port of a gateway with the policy that is built in: a program that some reader would
// show is refused however it hides, what costs time does not, and an honest message passes.
func TestContentThreats(t *testing.T) {
	g := serveConfig(t, contentConfig)
	for _, h := range hostiles() {
		talk, err := newRawTalk(g.address("smtp", "edge")) // too many refusals would end it
		if err != nil {
			t.Fatal(err)
		}
		at := time.Now()
		reply, err := talk.send([]byte(strings.ReplaceAll(h.text, "\n", "\r\n")), false)
		if err != nil {
			t.Fatalf("%s: %.200q: %v", h.line, h.text, err)
		}
		talk.conn.Close()
		if !strings.HasPrefix(reply, h.want) {
			t.Errorf("%s: %.300q: the reply is %q, want %s", h.line, h.text, reply, h.want)
		}
		if took := time.Since(at); took > 20*time.Second {
			t.Errorf("%s: %.100q took %v", h.line, h.text, took)
		}
	}
	waitFor(t, func() (string, bool) {
		return "the honest message did not arrive", mailbox(t, g, "bob@local.test", "secret")["honest"] == 1
	})
}

const program = "\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename=a.exe\n\nMZ\n"

func hostiles() (list []hostile) {
	const head = "From: a@client.test\nTo: bob@local.test\nSubject: x\n"
	add := func(line, want, format string, args ...any) {
		list = append(list, hostile{line, head + fmt.Sprintf(format, args...), want})
	}
	const ambiguous = "550 5.6.0 The parts of the message can be read in more than one way"
	body := "\n--a\n\none\n--b" + program + "--a--\n--b--\n"
	for _, typ := range []string{"boundary=a; boundary=b", "boundary=b; boundary=\"a\"", "boundary=\"a\"; BOUNDARY=b", "boundary*=us-ascii''a; boundary=b", "boundary*0=a; boundary=b", "boundary=a (b); boundary=b"} {
		add("MIME boundary ambiguity", "550 5.", "Content-Type: multipart/mixed; %s\n%s", typ, body)
		add("MIME boundary ambiguity", ambiguous, "Content-Type: multipart/mixed; %s\n%s", typ, strings.NewReplacer("a.exe", "a.txt", "MZ", "hi").Replace(body))
	}
	add("MIME boundary ambiguity", ambiguous, "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=ab\n\n--ab\n\none\n--ab--\n--a--\n")
	for _, fields := range []string{
		"Content-Disposition: attachment; filename*1=exe; filename*0=\"a.\"", "Content-Disposition: attachment; filename*0*=utf-8''a%2E; filename*1*=e%78e",
		"Content-Disposition: attachment; filename=a.txt; filename*=utf-8''a.exe", "Content-Disposition: attachment; filename*=utf-8''a.txt; filename=a.exe",
		"Content-Type: x/y; name=a.exe\nContent-Disposition: attachment; filename=a.txt", "Content-Disposition: attachment; filename=\"=?utf-8?b?YS5leGU=?=\"",
		"Content-Disposition: attachment; filename=\"a.exe. \"", "Content-Disposition: attachment; filename=\"gpj\u202eexe.a.exe\"", "Content-Disposition: attachment; filename=a.exe (x)",
	} {
		add("Filename ambiguity", "550 5.7.1 Program files are not accepted here", "%s\n\nMZ\n", fields)
	}
	var nested strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&nested, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	add("Nesting / recursion", "550 5.6.0", "%s", nested.String()) // each begins like others: b1, b10
	add("Nesting / recursion", "250 2.0.0", "%s", strings.Repeat("Content-Type: message/rfc822\n\n", 100_000))
	const header = "552 5.3.4 The header of the message is larger than the limit"
	add("Header bombs", header, "%s\n", strings.Repeat("To: a@b.test\n", 500_000))
	add("Header bombs", header, "%s\n", "X-Y: "+strings.Repeat("z\n ", 2_500_000)+"\n")
	add("Header bombs", "250 2.0.0", "Cc: %s\n\n", strings.Repeat("a@b.test,\n ", 80_000)+"b@b.test")
	add("Header bombs", "250 2.0.0", "X-A: %s\n\n", strings.Repeat("(", 900)+strings.Repeat("\n "+strings.Repeat("(", 900), 900))
	add("Header bombs", "250 2.0.0", "X-B: %s\n\n", strings.Repeat("=?utf-8?q?x\n ", 70_000)+"x")
	list = append(list, hostile{"an honest message", strings.Replace(head, "Subject: x", "Subject: honest", 1) + "\nhello\n", "250 2.0.0"})
	return list
}
