package imapd

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/imapstore"
)

// Real clients, as Debian 12 has them. packaging/check.sh installs them; where
// one is missing its test is skipped.

func tool(t *testing.T, name string) string {
	t.Helper()
	p, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return p
}

func run(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	c.Stdin = strings.NewReader(stdin)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func TestImaplib(t *testing.T) {
	python := tool(t, "python3")
	h := serve(t, nil)
	h.put(t, message(t, "simple"))
	h.put(t, message(t, "mixed"))
	_, port, _ := net.SplitHostPort(h.addr)
	out := run(t, "", python, "testdata/imaplib_session.py", port, testUser, testPassword)
	if !strings.HasSuffix(out, "all well\n") {
		t.Error(out)
	}
}

func TestCurl(t *testing.T) {
	curl := tool(t, "curl")
	h := serve(t, nil)
	text := message(t, "mixed")
	h.put(t, text)
	at := "imap://" + h.addr
	login := testUser + ":" + testPassword
	if got := run(t, "", curl, "-sS", "-u", login, at+"/INBOX;MAILINDEX=1"); got != string(text) {
		t.Errorf("curl read %q", got)
	}
	if !h.inbox(t).Snapshot().Messages[0].Has(`\Seen`) { // it asks for BODY[]
		t.Error("a message that was read is not \\Seen")
	}
	simple := message(t, "simple")
	file := filepath.Join(t.TempDir(), "m.eml")
	if err := os.WriteFile(file, simple, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "", curl, "-sS", "-u", login, "-T", file, at+"/INBOX")
	if got := run(t, "", curl, "-sS", "-u", login, at+"/INBOX;UID=2"); got != string(simple) {
		t.Errorf("what curl appended came back as %q", got)
	}
	if got := run(t, "", curl, "-sS", "-u", login, at+"/INBOX?SUBJECT%20summary"); strings.TrimSpace(got) != "* SEARCH 2" {
		t.Errorf("curl found %q", got)
	}
}

// mbsync carries a mailbox to a maildir and back, byte for byte and with flags.
func TestMbsync(t *testing.T) {
	mbsync := tool(t, "mbsync")
	h := serve(t, nil)
	texts := manyMessages(t)
	for i, text := range texts {
		h.put(t, text, []string{`\Seen`, `\Flagged`, `\Answered`}[:i%4]...)
	}
	dir := t.TempDir()
	rc := mbsyncConfig(t, dir, h.addr)
	run(t, "", mbsync, "-q", "-c", rc, "-a")
	sameAsMaildir(t, filepath.Join(dir, "mail", "INBOX"), texts)

	local := []byte("Subject: from the maildir\r\n\r\nbody\r\n")
	name := filepath.Join(dir, "mail", "INBOX", "cur", "1700000000.M1P1.here:2,FS")
	if err := os.WriteFile(name, bytes.ReplaceAll(local, []byte("\r\n"), []byte("\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	gone := h.inbox(t).Snapshot().Messages[0].UID
	if err := h.inbox(t).Expunge(context.Background(), []imapstore.UID{gone}); err != nil {
		t.Fatal(err)
	}
	run(t, "", mbsync, "-q", "-c", rc, "-a")
	snap := h.inbox(t).Snapshot()
	added := snap.Messages[len(snap.Messages)-1]
	if !added.Has(`\Seen`) || !added.Has(`\Flagged`) {
		t.Errorf("flags of the message from the maildir: %v", added.Flags)
	}
	if got := octetsOf(t, added); !bytes.Equal(got, local) {
		t.Errorf("the message from the maildir is %q", got)
	}
	sameAsMaildir(t, filepath.Join(dir, "mail", "INBOX"), append(texts[1:], local))
}

func manyMessages(t *testing.T) (texts [][]byte) {
	texts = append(texts, message(t, "simple"), message(t, "mixed"))
	for i := range 20 {
		texts = append(texts, fmt.Appendf(nil, "Subject: number %d\r\n\r\n%s\r\n", i, strings.Repeat("line\r\n", i*i)))
	}
	return append(texts, []byte("Subject: \xfcml\xe4ut\r\n\r\n8-bit \xff\xfe\r\n"), []byte("Subject: no body\r\n\r\n"))
}

func mbsyncConfig(t *testing.T, dir, addr string) string {
	host, port, _ := net.SplitHostPort(addr)
	rc := filepath.Join(dir, "mbsyncrc")
	if err := os.MkdirAll(filepath.Join(dir, "mail"), 0o700); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("IMAPAccount a\nHost %s\nPort %s\nUser %s\nPass %s\nSSLType None\nAuthMechs *\n\n"+
		"IMAPStore far\nAccount a\n\nMaildirStore near\nPath %s/mail/\nInbox %s/mail/INBOX\nSubFolders Verbatim\n\n"+
		"Channel c\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nExpunge Both\nSyncState *\n",
		host, port, testUser, testPassword, dir, dir)
	if err := os.WriteFile(rc, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return rc
}

// sameAsMaildir compares a maildir with messages, apart from the lines that
// mbsync adds to know its own again.
func sameAsMaildir(t *testing.T, dir string, texts [][]byte) {
	t.Helper()
	have := map[string]int{}
	for _, sub := range []string{"cur", "new"} {
		files, _ := filepath.Glob(filepath.Join(dir, sub, "*"))
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			have[string(withoutTUID(b))]++
		}
	}
	for _, text := range texts {
		key := strings.ReplaceAll(string(text), "\r\n", "\n")
		if have[key]--; have[key] < 0 {
			t.Errorf("missing in the maildir: %.200q", key)
		}
	}
	for key, n := range have {
		if n > 0 {
			t.Errorf("too many in the maildir: %.200q", key)
		}
	}
}

func withoutTUID(b []byte) []byte {
	var out [][]byte
	for _, line := range bytes.SplitAfter(b, []byte("\n")) {
		if !bytes.HasPrefix(line, []byte("X-TUID: ")) {
			out = append(out, line)
		}
	}
	return bytes.Join(out, nil)
}

func octetsOf(t *testing.T, e *imapstore.Entry) []byte {
	t.Helper()
	r, err := e.Message.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return withoutTUID(b)
}
