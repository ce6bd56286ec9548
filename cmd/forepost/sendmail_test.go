package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
)

const sendmailConfig = `
hostname = "gw.test"
listener "edge" {
  address = "127.0.0.1:0"
  tls     = off
  policy  = policy.all
}
imap "mail" {
  address = "127.0.0.1:0"
}
domain "gw.test" {
  route = route.store
}
policy "all" {
  rcpt {
    reject "nowhere" {
      when = rcpt.domain == "nowhere.test"
      text = "5.1.2 There is no such domain"
    }
    reject "misconfigured" {
      when = rcpt.domain == "broken.test"
      text = "5.3.5 The system is configured wrongly"
    }
  }
  data {
    reject "words" {
      when = contains(msg.subject, "forbidden")
      text = "5.7.1 Not that word"
    }
    hold "wait" {
      when = contains(msg.subject, "wait")
    }
  }
}
`

// mailer is a directory with the binary under the names that programs call.
func mailer(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name := range calledAs {
		if err := os.Symlink(binary, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// call runs a program that sends mail through a gateway.
func (g *gateway) call(stdin, program string, args ...string) (code int, out string) {
	c := exec.Command(program, args...)
	c.Stdin = strings.NewReader(stdin)
	c.Env = append(os.Environ(), "FOREPOST_SOCKET="+g.control(), "MAILRC=/dev/null", "HOME="+g.dir)
	var b bytes.Buffer
	c.Stdout, c.Stderr = &b, &b
	err := c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), b.String()
	} else if err != nil {
		return -1, err.Error()
	}
	return 0, b.String()
}

// TestSendmail: what programs do with sendmail, and what arrives.
func TestSendmail(t *testing.T) {
	g := serveGateway(t, sendmailConfig)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bob", "ann", "eve"} {
		g.addUser(name+"@gw.test", "secret")
	}
	sendmail := filepath.Join(mailer(t), "sendmail")
	for _, c := range []struct {
		stdin string
		args  []string
		want  []string // in bob's copy
		not   string
	}{
		{"Subject: php\nTo: bob@gw.test\nBcc: ann@gw.test\n\nHello\n.\nafter the dot\n", []string{"-t", "-i"},
			[]string{"\r\nHello\r\n.\r\nafter the dot\r\n", "From: " + me.Username + "@gw.test\r\n", "\r\nDate: ", "\r\nMessage-ID: <", "Return-Path: <" + me.Username + "@gw.test>", "(userid "}, "Bcc:"},
		{"Subject: cron\nFrom: root (Cron Daemon)\n\noutput\n.\nnot this\n", []string{"-FCronDaemon", "-B8BITMIME", "-oem", "bob"}, []string{"\r\noutput\r\n", "From: root (Cron Daemon)\r\n"}, "not this"},
		{"Subject: sender\n\nx\n", []string{"-f", "ann@gw.test", "-F", "Ann \"A\" Ä", "-oi", "--", "bob@gw.test"}, []string{"Return-Path: <ann@gw.test>", "From: =?utf-8?q?", "<ann@gw.test>\r\n"}, ""},
		{"Subject: null\nFrom: a@gw.test\n\nx\n", []string{"-f<>", "-N", "never", "-R", "hdrs", "-V", "a=b c", "-O", "IgnoreDots=true", "bob@gw.test"}, []string{"Return-Path: <>\r\n"}, ""},
		{"just text\nand more\n", []string{"-i", "bob@gw.test"}, []string{"\r\n\r\njust text\r\nand more\r\n"}, ""},
		{"Subject: crlf\r\n\r\nold\r\nends\r\n", []string{"-ti", "bob@gw.test"}, []string{"Subject: crlf\r\n", "\r\n\r\nold\r\nends\r\n"}, "\r\r"},
		{"Resent-To: bob@gw.test\nTo: nobody@gw.test\nSubject: again\n\nx\n", []string{"-t"}, []string{"Subject: again"}, ""},
	} {
		before := len(fetchAll(t, g, "bob@gw.test", "secret", "INBOX"))
		if code, out := g.call(c.stdin, sendmail, c.args...); code != 0 {
			t.Errorf("%q ends with %d: %s", c.args, code, out)
			continue
		}
		var all []string
		waitFor(t, func() (string, bool) {
			all = fetchAll(t, g, "bob@gw.test", "secret", "INBOX")
			return "nothing arrives", len(all) == before+1
		})
		got := all[before]
		for _, w := range c.want {
			if !strings.Contains(got, w) {
				t.Errorf("%q: %q is not in\n%s", c.args, w, got)
			}
		}
		if c.not != "" && strings.Contains(got, c.not) {
			t.Errorf("%q: %q is in\n%s", c.args, c.not, got)
		}
	}
	if n := len(fetchAll(t, g, "ann@gw.test", "secret", "INBOX")); n != 1 {
		t.Errorf("Bcc: ann has %d messages", n)
	}
}

// TestSendmailCodes: programs read the exit codes.
func TestSendmailCodes(t *testing.T) {
	g := serveGateway(t, sendmailConfig)
	g.addUser("bob@gw.test", "secret")
	dir := mailer(t)
	sendmail := filepath.Join(dir, "sendmail")
	for _, c := range []struct {
		stdin, says string
		code        int
		args        []string
	}{
		{"", "forepost serve", 64, []string{"-bd"}},
		{"", "no option -z", 64, []string{"-z"}},
		{"", "needs a value", 64, []string{"-f"}},
		{"Subject: x\n\nx\n", "no recipients", 64, nil},
		{"Subject: x\n\nx\n", "no recipients", 64, []string{"-t"}},
		{"Subject: x\n\nx\n", "sendmail: who@gw.test: 550 5.1.1 No such user here (", 67, []string{"bob@gw.test", "who@gw.test"}},
		{"Subject: x\n\nx\n", "is no mail address", 67, []string{"a b@gw.test"}},
		{"Subject: x\n\nx\n", "no such domain", 68, []string{"who@nowhere.test"}},
		{"Subject: x\n\nx\n", "configured wrongly", 78, []string{"who@broken.test"}},
		{"Subject: x\nX: " + strings.Repeat("y\n ", 1<<19) + "\n\nx\n", "too long", 65, []string{"bob@gw.test"}},
		{"", "bob@gw.test... deliverable\nwho@gw.test... not deliverable: 550 5.1.1 ", 67, []string{"-bv", "bob", "who@gw.test"}},
		{"", "bob@gw.test... deliverable\n", 0, []string{"-bv", "Bob <bob@gw.test>"}},
		{"", "no recipients", 64, []string{"-bv"}},
		{"Subject: forbidden\n\nx\n", "Not that word", 65, []string{"bob@gw.test"}},
		{"Subject: wait\n\nx\n", "", 0, []string{"-f", "a@gw.test", "bob@gw.test"}},
		{"", "", 0, []string{"-bi"}},
	} {
		if code, out := g.call(c.stdin, sendmail, c.args...); code != c.code || !strings.Contains(out, c.says) {
			t.Errorf("%q ends with %d, want %d: %s", c.args, code, c.code, out)
		}
	}
	if _, out := g.call("", filepath.Join(dir, "newaliases")); out != "" {
		t.Errorf("newaliases says %q", out)
	}
	if code, out := g.call("EHLO x\r\nMAIL FROM:<a@gw.test>\r\nRCPT TO:<bob@gw.test>\r\nQUIT\r\n", sendmail, "-bs"); code != 0 || !strings.HasPrefix(out, "220 gw.test") || strings.Count(out, "\n250 ") != 3 {
		t.Errorf("-bs ends with %d:\n%s", code, out)
	}
	code, out := g.call("", filepath.Join(dir, "mailq"))
	if code != 0 || !strings.Contains(out, "-Queue ID-") || !strings.Contains(out, "!") || !strings.Contains(out, "  a@gw.test\n") || !strings.Contains(out, "bob@gw.test\n") || !strings.HasSuffix(out, " in 1 Request.\n") {
		t.Errorf("mailq ends with %d:\n%s", code, out)
	}
	if n := len(fetchAll(t, g, "bob@gw.test", "secret", "INBOX")); n != 0 {
		t.Errorf("of what was refused, %d arrived", n)
	}
	g.end(15)
	for _, c := range []struct {
		name string
		code int
	}{{"sendmail", 75}, {"mailq", 69}} {
		if code, out := g.call("Subject: x\n\nx\n", filepath.Join(dir, c.name), "bob@gw.test"); code != c.code || out == "" {
			t.Errorf("%s without a gateway ends with %d: %s", c.name, code, out)
		}
	}
}

// TestMailPrograms: mutt and mailx send through us.
func TestMailPrograms(t *testing.T) {
	need(t, "mutt", "bsd-mailx")
	g := serveGateway(t, sendmailConfig)
	g.addUser("bob@gw.test", "secret")
	sendmail := filepath.Join(mailer(t), "sendmail")
	if code, out := g.call("from mutt\n", "mutt", "-n", "-F", "/dev/null", "-e", "set sendmail=\""+sendmail+" -oem -oi\"", "-e", "set copy=no", "-s", "by mutt", "bob@gw.test"); code != 0 {
		t.Errorf("mutt ends with %d: %s", code, out)
	}
	rc := writeFile(t, "mailrc", "set sendmail="+sendmail+"\n")
	if code, out := g.call("from mailx\n", "env", "MAILRC="+rc, "bsd-mailx", "-s", "by mailx", "bob@gw.test"); code != 0 {
		t.Errorf("mailx ends with %d: %s", code, out)
	}
	waitFor(t, func() (string, bool) { // mailx leaves sendmail behind
		box := mailbox(t, g, "bob@gw.test", "secret")
		return fmt.Sprint("bob has ", box), box["by mutt"] == 1 && box["by mailx"] == 1
	})
}
