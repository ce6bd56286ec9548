package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The command lines of programs, as they were seen: what each hands to sendmail.
var calls = []struct {
	program, stdin string
	args           []string
	from           string // the envelope sender that arrives, "" for the caller's
}{
	{"PHP's mail()", "To: bob@gw.test\nSubject: %s\nX-PHP-Originating-Script: 0:x.php\n\nhello\n", []string{"-t", "-i"}, ""},
	{"PHP's mail() with -f", "To: bob@gw.test\nSubject: %s\n\nhello\n", []string{"-t", "-i", "-fann@gw.test"}, "ann@gw.test"},
	{"Debian's cron", "From: root (Cron Daemon)\nTo: bob@gw.test\nSubject: %s\nMIME-Version: 1.0\n\nout\n", []string{"-i", "-FCronDaemon", "-B8BITMIME", "-oem", "bob@gw.test"}, ""},
	{"cronie", "From: \"(Cron Daemon)\" <ann@gw.test>\nTo: bob@gw.test\nSubject: %s\n\nout\n", []string{"-FCronDaemon", "-i", "-odi", "-oem", "-oi", "-t", "-f", "ann@gw.test"}, "ann@gw.test"},
	{"mutt", "From: me@gw.test\nTo: bob@gw.test\nSubject: %s\n\nhi\n", []string{"-oem", "-oi", "-f", "ann@gw.test", "-N", "failure,delay", "-R", "hdrs", "-B", "8BITMIME", "--", "bob@gw.test"}, "ann@gw.test"},
	{"git send-email", "From: A <ann@gw.test>\nTo: bob@gw.test\nSubject: %s\n\n---\n diff\n", []string{"-i", "-f", "ann@gw.test", "bob@gw.test"}, "ann@gw.test"},
	{"bsd-mailx", "To: bob@gw.test\nSubject: %s\n\nhi\n", []string{"-i", "-t"}, ""},
	{"procmail's forward", "From someone Fri Nov 27 00:00:00 2026\nFrom: ann@gw.test\nTo: list@gw.test\nSubject: %s\n\nhi\n", []string{"-oi", "-f", "ann@gw.test", "bob@gw.test"}, "ann@gw.test"},
	{"a mailing list's bounce", "From: ann@gw.test\nTo: bob@gw.test\nSubject: %s\n\nhi\n", []string{"-oQ/var/spool/x", "-oee", "-G", "-i", "-f", "", "--", "bob@gw.test"}, "<>"},
	{"an old script", "From: ann@gw.test\nTo: bob@gw.test\nSubject: %s\n\nhi\n", []string{"-odb", "-eq", "-em", "-Ac", "-n", "-v", "-U", "-h", "5", "-p", "-r", "Ann <ann@gw.test>", "Bob <bob@gw.test>, bob@gw.test"}, "ann@gw.test"},
}

// TestCallsOfPrograms: each of those command lines sends what it should, from whom it
// should.
func TestCallsOfPrograms(t *testing.T) {
	g := serveGateway(t, sendmailConfig)
	for _, name := range []string{"bob", "ann"} {
		g.addUser(name+"@gw.test", "secret")
	}
	sendmail := filepath.Join(mailer(t), "sendmail")
	for _, c := range calls {
		if code, out := g.call(fmt.Sprintf(c.stdin, c.program), sendmail, c.args...); code != 0 {
			t.Errorf("%s: %q ends with %d: %s", c.program, c.args, code, out)
		}
	}
	waitFor(t, func() (string, bool) {
		box := mailbox(t, g, "bob@gw.test", "secret")
		for _, c := range calls {
			if box[c.program] != 1 {
				return fmt.Sprint("bob has ", box), false
			}
		}
		return "", len(box) == len(calls)
	})
	for _, m := range fetchAll(t, g, "bob@gw.test", "secret", "INBOX") {
		for _, c := range calls {
			if c.program == subjectOf(m) && c.from != "" && !strings.HasPrefix(m, "Return-Path: <"+strings.Trim(c.from, "<>")+">\r\n") {
				t.Errorf("%s: want it from %s:\n%s", c.program, c.from, m)
			}
		}
	}
}

// TestSendmailWithoutRights: a user of the machine without any rights sends, as whom the
// kernel says he is; the queue and the control socket are not his.
func TestSendmailWithoutRights(t *testing.T) {
	need(t, "setpriv")
	if os.Getuid() != 0 {
		t.Skip("needs root, to be somebody else")
	}
	dir := forEverybody(t)
	g := &gateway{t: t, dir: t.TempDir()}
	g.write(sendmailConfig + fmt.Sprintf("control {\n  socket = %q\n}\n", filepath.Join(dir, "control.sock")))
	g.socket = filepath.Join(dir, "control.sock")
	g.start()
	t.Cleanup(func() { g.end(15) })
	g.addUser("bob@gw.test", "secret")
	as := func(stdin, program string, args ...string) (int, string) {
		return g.call(stdin, "setpriv", append([]string{"--reuid=65534", "--regid=65534", "--clear-groups", filepath.Join(dir, program)}, args...)...)
	}
	if code, out := as("Subject: from nobody\nTo: bob@gw.test\n\nhello\n", "sendmail", "-t"); code != 0 {
		t.Fatalf("it ends with %d: %s", code, out)
	}
	waitFor(t, func() (string, bool) {
		return "nothing arrives", len(fetchAll(t, g, "bob@gw.test", "secret", "INBOX")) == 1
	})
	got := fetchAll(t, g, "bob@gw.test", "secret", "INBOX")[0]
	for _, w := range []string{"Return-Path: <nobody@gw.test>", "From: nobody@gw.test\r\n", "(userid 65534"} {
		if !strings.Contains(got, w) {
			t.Errorf("%q is not in\n%s", w, got)
		}
	}
	if code, out := as("", "mailq"); code != exNoPerm || !strings.Contains(out, "permi") {
		t.Errorf("mailq ends with %d: %s", code, out)
	}
	if err := os.Chmod(filepath.Join(dir, "sendmail.sock"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := as("Subject: x\n\nx\n", "sendmail", "bob@gw.test"); code != exNoPerm || !strings.Contains(out, "may not send") {
		t.Errorf("without the door it ends with %d: %s", code, out)
	}
}

// forEverybody is a directory that all users reach, with the binary under the names of
// sendmail.
func forEverybody(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "forepost-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", binary, filepath.Join(dir, "forepost")).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	for name := range calledAs {
		if err := os.Symlink("forepost", filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestSendmailDoors: what a program hears where the door is not what it should be.
func TestSendmailDoors(t *testing.T) {
	g := serveGateway(t, "hostname = \"gw.test\"\ndomain \"gw.test\" {\n  route = route.store\n}\nimap \"mail\" {\n  address = \"127.0.0.1:0\"\n}\n")
	g.addUser("bob@gw.test", "secret")
	sendmail := filepath.Join(mailer(t), "sendmail")
	if code, out := g.call("Subject: x\n\nx\n", sendmail, "bob@gw.test"); code != exConfig || !strings.Contains(out, "has a listener") {
		t.Errorf("a gateway without a listener: it ends with %d: %s", code, out)
	}
	g.end(15)
	for _, c := range []struct {
		says string
		code int
	}{{"HTTP/1.1 400 Bad Request\r\n\r\n", exProtocol}, {"554 5.3.2 no\r\n", exUnavailable}, {"421 4.3.2 later\r\n", exTempFail}, {"", exTempFail}} {
		ln, err := net.Listen("unix", filepath.Join(g.data(), "sendmail.sock"))
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for c1, err := ln.Accept(); err == nil; c1, err = ln.Accept() {
				io.WriteString(c1, c.says)
				c1.Close()
			}
		}()
		if code, out := g.call("Subject: x\n\nx\n", sendmail, "bob@gw.test"); code != c.code || out == "" {
			t.Errorf("a door that says %q: it ends with %d, want %d: %s", c.says, code, c.code, out)
		}
		ln.Close()
	}
}

// TestSendmailInput: a message that cannot be read is not sent.
func TestSendmailInput(t *testing.T) {
	g := serveGateway(t, sendmailConfig)
	g.addUser("bob@gw.test", "secret")
	sendmail := filepath.Join(mailer(t), "sendmail")
	for script, want := range map[string]int{"exec %s bob@gw.test < /": exIOErr, "exec %s bob@gw.test 0>/dev/null": exNoInput} {
		if code, out := g.call("", "sh", "-c", fmt.Sprintf(script, sendmail)); code != want || out == "" {
			t.Errorf("%s: it ends with %d, want %d: %s", script, code, want, out)
		}
	}
	if code, out := g.call("", "sh", "-c", "exec "+filepath.Join(filepath.Dir(sendmail), "mailq")+" > /dev/full"); code != exIOErr {
		t.Errorf("mailq to a full disk ends with %d: %s", code, out)
	}
	if n := len(fetchAll(t, g, "bob@gw.test", "secret", "INBOX")); n != 0 {
		t.Errorf("%d messages arrived", n)
	}
}
