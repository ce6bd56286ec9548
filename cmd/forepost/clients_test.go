package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const clientsConfig = `
hostname = "mx.local.test"
domain "local.test" {
  route = route.store
}
listener "edge" {
  address = "127.0.0.1:0"
  policy  = policy.open
}
listener "submission" {
  address = "127.0.0.1:0"
  auth    = accounts
  policy  = policy.open
}
imap "mail" {
  address = "127.0.0.1:0"
}
imap "tls" {
  address = "127.0.0.1:0"
  tls     = implicit
}
pop3 "mail" {
  address = "127.0.0.1:0"
}
pop3 "tls" {
  address = "127.0.0.1:0"
  tls     = implicit
}
dns {
  zone = "zone.json"
}
policy "open" {}
`

// oddMessage has what breaks on the way most easily: dots at the start of
// lines, a long line, trailing blanks, no text at the end.
var oddMessage = "From: me@friend.test\r\nTo: bob@local.test\r\nSubject: byte for byte\r\nX-Empty:\r\n\r\n" +
	".\r\n..\r\n.leading dot\r\ntrailing blanks   \r\n\tand a tab\r\n" + strings.Repeat("x", 900) + "\r\n\r\n\r\n"

// A message that swaks sends is read by curl, mbsync and fetchmail, byte for
// byte below the fields that the gateway put on top.
func TestRealClients(t *testing.T) {
	need(t, "swaks", "curl", "mbsync", "fetchmail", "python3")
	g := serveClients(t)
	file := filepath.Join(g.dir, "message.eml")
	// As it goes over the wire: swaks would add lines of its own at the end.
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(oddMessage, "\r\n.", "\r\n..")+".\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := runProgram(t, g, "swaks", "--server", g.address("smtp", "edge"), "-tls", "--no-data-fixup", "--from", "me@friend.test", "--to", "bob@local.test", "--data", "@"+file)
	if !strings.Contains(out, "TLS started") {
		t.Errorf("swaks did not use STARTTLS:\n%s", out)
	}
	waitFor(t, func() (string, bool) {
		return "the message did not arrive", mailbox(t, g, "bob@local.test", "secret")["byte for byte"] == 1
	})
	for _, c := range []struct {
		name string
		read func(t *testing.T, g *gateway) string
	}{
		{"curl imap", curlWith("imap", "mail", "/INBOX;MAILINDEX=1")},
		{"curl imaps", curlWith("imaps", "tls", "/INBOX;MAILINDEX=1", "-k")},
		{"curl imap with STARTTLS", curlWith("imap", "mail", "/INBOX;MAILINDEX=1", "-k", "--ssl-reqd")},
		{"curl pop3", curlWith("pop3", "mail", "/1")},
		{"curl pop3s", curlWith("pop3s", "tls", "/1", "-k")},
		{"curl pop3 with STLS", curlWith("pop3", "mail", "/1", "-k", "--ssl-reqd")},
		{"mbsync", mbsync},
		{"imaplib", imaplib},
		{"poplib", poplib},
		{"fetchmail", fetchmail}, // last: it deletes what it fetched
	} {
		t.Run(c.name, func(t *testing.T) {
			got := below(t, c.read(t, g), "From: me@friend.test")
			if got != oddMessage {
				t.Errorf("read back\n%s\nwant\n%s", shortened(got), shortened(oddMessage))
			}
		})
	}
	if left := mailbox(t, g, "bob@local.test", "secret"); len(left) != 0 {
		t.Errorf("fetchmail fetched without keep, and INBOX has %v", left)
	}
}

// shortened is a message for people: a run of x is one.
func shortened(s string) string {
	return fmt.Sprintf("%q", regexp.MustCompile("x{9,}").ReplaceAllString(s, "x..."))
}

func serveClients(t *testing.T) *gateway { return serveConfig(t, clientsConfig) }

// serveConfig serves a configuration with the zone "zone.json" and the account of
// bob.
func serveConfig(t *testing.T, config string) *gateway {
	t.Helper()
	g := &gateway{t: t, dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(g.dir, "zone.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	g.write(strings.Replace(config, "zone.json", filepath.Join(g.dir, "zone.json"), 1))
	g.start()
	t.Cleanup(func() { g.end(15) })
	g.addUser("bob@local.test", "secret")
	return g
}

// runProgram runs a program that must succeed, with a home of its own.
func runProgram(t *testing.T, g *gateway, name string, args ...string) string {
	t.Helper()
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), "HOME="+g.dir, "FETCHMAILHOME="+g.dir)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func curlWith(scheme, server, path string, options ...string) func(*testing.T, *gateway) string {
	return func(t *testing.T, g *gateway) string {
		kind := strings.TrimSuffix(scheme, "s")
		args := append([]string{"-sS", "-u", "bob@local.test:secret", scheme + "://" + g.address(kind, server) + path}, options...)
		return runProgram(t, g, "curl", args...)
	}
}

func mbsync(t *testing.T, g *gateway) string {
	maildir := filepath.Join(g.dir, "maildir")
	rc := filepath.Join(g.dir, "mbsyncrc")
	text := fmt.Sprintf("IMAPStore far\nHost 127.0.0.1\nPort %s\nUser bob@local.test\nPass secret\nSSLType None\nAuthMechs LOGIN\n\n"+
		"MaildirStore near\nPath %s/\nInbox %s/INBOX\n\nChannel mail\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nSync All\nSyncState *\n",
		g.port("imap", "mail"), maildir, maildir)
	if err := os.WriteFile(rc, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(maildir, 0o700); err != nil {
		t.Fatal(err)
	}
	runProgram(t, g, "mbsync", "-c", rc, "mail")
	files, err := filepath.Glob(filepath.Join(maildir, "INBOX", "*", "*:2,*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("mbsync made %v, %v", files, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	text = strings.ReplaceAll(string(b), "\n", "\r\n")                         // a Maildir has LF
	return regexp.MustCompile("X-TUID: [^\r]*\r\n").ReplaceAllString(text, "") // mbsync's own
}

const imaplibScript = `
import imaplib, sys
c = imaplib.IMAP4('127.0.0.1', int(sys.argv[1]))
c.login('bob@local.test', 'secret')
c.select('INBOX')
typ, found = c.search(None, 'SUBJECT', '"byte for"', 'BODY', '"leading dot"')
assert found == [b'1'], found
assert c.store('1', '+FLAGS', r'(\Flagged work)')[0] == 'OK'
assert c.create('Archive')[0] == 'OK' and c.copy('1', 'Archive')[0] == 'OK'
assert c.select('Archive')[1] == [b'1']
assert b'\\Flagged' in c.fetch('1', '(FLAGS)')[1][0]
c.store('1', '+FLAGS', r'\Deleted'); c.expunge()
assert c.select('Archive')[1] == [b'0']
c.select('INBOX')
sys.stdout.buffer.write(c.fetch('1', '(BODY.PEEK[])')[1][0][1])
c.logout()
`

func imaplib(t *testing.T, g *gateway) string {
	return runProgram(t, g, "python3", "-c", imaplibScript, g.port("imap", "mail"))
}

const poplibScript = `
import poplib, sys
c = poplib.POP3('127.0.0.1', int(sys.argv[1]))
c.user('bob@local.test'); c.pass_('secret')
n, size = c.stat()
assert n == 1, n
lines, octets = c.retr(1)[1:]
data = b''.join(l + b'\r\n' for l in lines)
assert len(data) == size, (len(data), size)
assert c.top(1, 0)[1][-1] == b''
assert len(c.uidl()[1]) == 1
sys.stdout.buffer.write(data)
c.quit()
`

func poplib(t *testing.T, g *gateway) string {
	return runProgram(t, g, "python3", "-c", poplibScript, g.port("pop3", "mail"))
}

func fetchmail(t *testing.T, g *gateway) string {
	box := filepath.Join(g.dir, "fetched")
	rc := filepath.Join(g.dir, "fetchmailrc")
	text := fmt.Sprintf("poll 127.0.0.1 protocol pop3 port %s auth password\n  user \"bob@local.test\" password \"secret\" sslproto \"\"\n"+
		"  fetchall no keep no rewrite mda \"cat > %s\"\n", g.port("pop3", "mail"), box)
	if err := os.WriteFile(rc, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	runProgram(t, g, "fetchmail", "-f", rc, "--nodetach", "--nosyslog", "--pidfile", filepath.Join(g.dir, "fetchmail.pid"), "--invisible")
	b, err := os.ReadFile(box)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n", "\r\n")
}
