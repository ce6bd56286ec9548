package imapd

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fetchmail reads what is unseen, part by part, and marks it.
func TestFetchmail(t *testing.T) {
	fetchmail := tool(t, "fetchmail")
	h := serve(t, nil)
	h.put(t, message(t, "simple"), `\Seen`)
	h.put(t, message(t, "mixed"))
	host, port, _ := net.SplitHostPort(h.addr)
	dir := t.TempDir()
	rc, out := filepath.Join(dir, "rc"), filepath.Join(dir, "out")
	text := fmt.Sprintf("poll %s protocol IMAP service %s user %q password %q no rewrite sslproto \"\" mda \"cat >> %s\"\n",
		host, port, testUser, testPassword, out)
	if err := os.WriteFile(rc, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "", fetchmail, "-f", rc, "--pidfile", filepath.Join(dir, "pid"), "--keep", "--invisible")
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.ReplaceAll(message(t, "mixed"), []byte("\r\n"), []byte("\n"))
	if !bytes.Contains(got, want[bytes.Index(want, []byte("preamble")):]) || bytes.Contains(got, []byte("WG mtg summary")) {
		t.Errorf("fetchmail took %q", got)
	}
	if !h.inbox(t).Snapshot().Messages[1].Has(`\Seen`) {
		t.Error("what was fetched is not \\Seen")
	}
}

// offlineimap carries mailboxes both ways.
func TestOfflineimap(t *testing.T) {
	offlineimap := tool(t, "offlineimap")
	h := serve(t, nil)
	texts := [][]byte{message(t, "simple"), message(t, "mixed")}
	for _, text := range texts {
		h.put(t, text, `\Flagged`)
	}
	host, port, _ := net.SplitHostPort(h.addr)
	dir := t.TempDir()
	rc := filepath.Join(dir, "rc")
	text := fmt.Sprintf("[general]\naccounts = a\nmetadata = %s/meta\n[Account a]\nlocalrepository = l\nremoterepository = r\n"+
		"[Repository l]\ntype = Maildir\nlocalfolders = %s/mail\n"+
		"[Repository r]\ntype = IMAP\nremotehost = %s\nremoteport = %s\nssl = no\nstarttls = no\nremoteuser = %s\nremotepass = %s\n",
		dir, dir, host, port, testUser, testPassword)
	if err := os.WriteFile(rc, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "", offlineimap, "-c", rc, "-o", "-u", "quiet")
	sameAsMaildir(t, filepath.Join(dir, "mail", "INBOX"), texts)
	local := []byte("Subject: from offlineimap\r\n\r\nbody\r\n")
	name := filepath.Join(dir, "mail", "INBOX", "cur", "1700000000.M1P1.here:2,S")
	if err := os.WriteFile(name, bytes.ReplaceAll(local, []byte("\r\n"), []byte("\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "", offlineimap, "-c", rc, "-o", "-u", "quiet")
	last := h.inbox(t).Snapshot().Messages[2]
	if got := octetsOf(t, last); !bytes.HasSuffix(got, []byte("body\r\n")) || !last.Has(`\Seen`) {
		t.Errorf("%q, %v", got, last.Flags)
	}
}

// mutt deletes, copies and flags by keys; it enables UTF8=ACCEPT and CONDSTORE and
// idles between its commands.
func TestMutt(t *testing.T) {
	mutt, script := tool(t, "mutt"), tool(t, "script")
	h := serve(t, nil)
	for range 3 {
		h.put(t, message(t, "simple"))
	}
	dir := t.TempDir()
	rc := filepath.Join(dir, "muttrc")
	text := fmt.Sprintf("set imap_user=%q\nset imap_pass=%q\nset ssl_starttls=no\nset ssl_force_tls=no\nset imap_condstore=yes\n"+
		"set header_cache=%q\nset confirmappend=no\nset delete=yes\nset move=no\nset mail_check=1\nset copy=no\n"+
		"set wait_key=no\nset beep=no\n"+
		"push '<first-entry><flag-message><first-entry><next-entry><delete-message><sync-mailbox><last-entry><copy-message><kill-line>=Archive<enter>y<quit>'\n",
		testUser, testPassword, filepath.Join(dir, "cache"))
	text += fmt.Sprintf("set folder=\"imap://%s/\"\n", h.addr)
	if err := os.WriteFile(rc, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TERM", "xterm")
	t.Setenv("HOME", dir)
	run(t, "", script, "-qec", strings.Join([]string{mutt, "-n", "-F", rc, "-f", "imap://" + h.addr + "/INBOX"}, " "), "/dev/null")
	snap := h.inbox(t).Snapshot()
	if len(snap.Messages) != 2 || !snap.Messages[0].Has(`\Flagged`) {
		t.Fatalf("%d messages, %+v", len(snap.Messages), snap.Messages[0].Flags)
	}
	a, _ := h.store.Account(testUser)
	box, err := a.Mailbox("Archive")
	if err != nil || len(box.Snapshot().Messages) != 1 {
		t.Error("nothing was copied", err)
	}
}

func TestImapfilter(t *testing.T) {
	imapfilter := tool(t, "imapfilter")
	h := serve(t, nil)
	h.put(t, message(t, "simple"))
	h.put(t, message(t, "mixed"))
	host, port, _ := net.SplitHostPort(h.addr)
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	rc := filepath.Join(dir, "config.lua")
	text := fmt.Sprintf("options.starttls = false\na = IMAP{server=%q, port=%s, username=%q, password=%q}\n"+
		"found = a.INBOX:contain_subject('summary')\nfound:move_messages(a['Filtered'])\na.INBOX:contain_body('Bern'):mark_seen()\n",
		host, port, testUser, testPassword)
	if err := os.WriteFile(rc, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "", imapfilter, "-c", rc)
	acc, _ := h.store.Account(testUser)
	box, err := acc.Mailbox("Filtered")
	if err != nil || len(box.Snapshot().Messages) != 1 || len(h.inbox(t).Snapshot().Messages) != 1 {
		t.Error("nothing was moved", err)
	}
}
