package pop3pickup

import (
	"context"
	"encoding/pem"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The clients below are the real ones; a test is skipped where its is not
// installed.

// listening is a server on real sockets: in the clear with STLS, and with TLS.
type listening struct {
	*house
	plain, secure string // ports
	cert          string // file
}

func listen(t *testing.T, program string) (*listening, string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not installed", program)
	}
	conf, _, der := certificate(t)
	l := &listening{house: build(t, Config{TLS: conf})}
	l.cert = filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(l.cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	l.plain = serve(t, l.s)
	implicit := l.s.c
	implicit.Implicit = true
	other := New(implicit)
	t.Cleanup(func() { other.Close() })
	l.secure = serve(t, other)
	l.put("From: a@example.org\nSubject: first\n\nbody\n.dot\n", "From: b@example.org\nSubject: second\n\n"+strings.Repeat("long line of text\n", 5000))
	return l, path
}

func serve(t *testing.T, s *Server) (port string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(ln)
	_, port, _ = net.SplitHostPort(ln.Addr().String())
	return port
}

// run runs a client and returns what it prints.
func run(t *testing.T, stdin string, path string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", path, args, err, out)
	}
	return string(out)
}

const poplibScript = `
import poplib, ssl, sys
host, plain, secure, cert = "localhost", int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
ctx = ssl.create_default_context(cafile=cert)
p = poplib.POP3(host, plain)
caps = p.capa()
assert "STLS" in caps and caps["EXPIRE"] == ["NEVER"] and "PIPELINING" in caps, caps
p.stls(context=ctx)
p.user("bob@example.com")
p.pass_("se sam")
assert p.stat()[0] == 2, p.stat()
resp, listing, octets = p.list()
assert len(listing) == 2, listing
resp, lines, octets = p.retr(1)
assert lines == [b"From: a@example.org", b"Subject: first", b"", b"body", b".dot"], lines
assert sum(len(l) + 2 for l in lines) == int(listing[0].split()[1]), listing
assert p.top(1, 0)[1] == lines[:3], p.top(1, 0)
assert p.top(1, 1)[1] == lines[:4], p.top(1, 1)
ids = p.uidl()[1]
assert p.uidl(1).split()[2] == ids[0].split()[1], ids
p.dele(1)
try:
    p.retr(1)
    raise SystemExit("a deleted message was given")
except poplib.error_proto:
    pass
p.rset()
p.dele(1)
p.quit()

s = poplib.POP3_SSL(host, secure, context=ctx)
s.user("bob@example.com")
s.pass_("se sam")
assert s.stat()[0] == 1, s.stat()
assert s.uidl()[1][0].split()[1] == ids[1].split()[1], "the UIDL changed between sessions"
assert len(s.retr(1)[1]) == 5003
s.quit()
print("done")
`

func TestPoplib(t *testing.T) {
	l, python := listen(t, "python3")
	if out := run(t, poplibScript, python, "-", l.plain, l.secure, l.cert); !strings.HasSuffix(out, "done\n") {
		t.Errorf("poplib said %s", out)
	}
	if got := l.left(); got != "From: b@example.org" {
		t.Errorf("left is %q", got)
	}
}

func TestCurl(t *testing.T) {
	l, curl := listen(t, "curl")
	common := []string{"-sS", "--cacert", l.cert, "-u", "bob@example.com:se sam"}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"list over POP3S", []string{"pop3s://localhost:" + l.secure + "/"}, "2 "},
		{"retr with STLS", []string{"--ssl-reqd", "pop3://localhost:" + l.plain + "/1"}, "From: a@example.org\r\nSubject: first\r\n\r\nbody\r\n.dot\r\n"},
		{"AUTH PLAIN", []string{"--login-options", "AUTH=PLAIN", "pop3s://localhost:" + l.secure + "/1"}, "Subject: first"},
		{"AUTH LOGIN", []string{"--login-options", "AUTH=LOGIN", "pop3s://localhost:" + l.secure + "/1"}, "Subject: first"},
		{"AUTH PLAIN with an initial response", []string{"--sasl-ir", "pop3s://localhost:" + l.secure + "/1"}, "Subject: first"},
		{"UIDL", []string{"-X", "UIDL", "pop3s://localhost:" + l.secure + "/"}, "2 "},
		{"dele", []string{"-l", "-X", "DELE", "pop3s://localhost:" + l.secure + "/2"}, ""},
	} {
		if out := run(t, "", curl, append(common, c.args...)...); !strings.Contains(out, c.want) {
			t.Errorf("%s: curl printed %q", c.name, out)
		}
	}
	if got := l.left(); got != "From: a@example.org" {
		t.Errorf("left is %q", got)
	}
}

// TestFetchmail fetches with TOP n 99999999 and keeps, then fetches and deletes.
func TestFetchmail(t *testing.T) {
	l, fetchmail := listen(t, "fetchmail")
	dir := t.TempDir()
	rc := filepath.Join(dir, "rc")
	box := filepath.Join(dir, "box")
	fetch := func(server, how string) {
		t.Helper()
		text := "set idfile " + filepath.Join(dir, "ids") + "\npoll localhost protocol pop3 service " + l.plain +
			" user 'bob@example.com' password 'se sam' sslproto '' " + how + " mda 'cat >> " + box + "'\n"
		if err := os.WriteFile(rc, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(fetchmail, "-f", rc, "--pidfile", filepath.Join(dir, "pid"), "-v")
		cmd.Env = append(os.Environ(), "HOME="+dir, "FETCHMAILHOME="+dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("fetchmail: %v\n%s", err, out)
		}
	}
	fetch(" uidl", "keep")
	if got := l.left(); got != "From: a@example.org From: b@example.org" {
		t.Errorf("left after keep is %q", got)
	}
	fetch("", "fetchall no keep")
	if got := l.left(); got != "" {
		t.Errorf("left is %q", got)
	}
	b, err := os.ReadFile(box)
	if err != nil || strings.Count(string(b), "Subject: first") != 2 || strings.Count(string(b), "long line of text") != 10_000 {
		t.Errorf("fetchmail got %d octets, %v", len(b), err)
	}
}
