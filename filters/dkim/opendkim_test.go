package dkim

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
)

// opendkim-testmsg asks the servers of /etc/resolv.conf at port 53. It runs in a
// network and a file system of its own, in which these are a server of ours on
// loopback: the test starts itself there.
const (
	opendkim  = "/usr/sbin/opendkim-testmsg"
	insideDir = "FOREPOST_TEST_OPENDKIM" // the folder with what it is to look at
)

// TestOpendkimVerifiesOurs: RSA in all forms.
func TestOpendkimVerifiesOurs(t *testing.T) {
	if dir := os.Getenv(insideDir); dir != "" {
		verifyInside(t, dir)
		return
	}
	needOpendkim(t)
	k, dir := newKeyring(t), t.TempDir()
	list := dated(t)
	for i, text := range list {
		for j, f := range theForms {
			o := &k.signer.keys["example.test"][0]
			o.HeaderCanonicalization, o.BodyCanonicalization = f[0], f[1]
			fields, err := k.signer.Sign(t.Context(), "example.test", &mail.Message{Blob: mail.Bytes(text)})
			if err != nil || !strings.Contains(fields[0].Value, "rsa-sha256") {
				t.Fatal(fields, err)
			}
			put(t, dir, fmt.Sprintf("%03d-%d.eml", i, j), fields[0].String()+text)
		}
	}
	put(t, dir, "broken.eml", strings.Replace(get(t, dir, "000-0.eml"), "\r\nFrom:", "\r\nFrom: x", 1))
	records, err := json.Marshal(k.Records)
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "keys.json", string(records))
	c := exec.CommandContext(t.Context(), "unshare", "--net", "--mount", os.Args[0], "-test.run=^TestOpendkimVerifiesOurs$", "-test.count=1", "-test.v")
	c.Env = append(os.Environ(), insideDir+"="+dir)
	out, err := c.CombinedOutput()
	var verified, unread int
	for line := range strings.Lines(string(out)) {
		if _, said, ok := strings.Cut(line, "verdicts: "); ok {
			fmt.Sscanf(said, "%d verify, %d are unread", &verified, &unread)
		}
	}
	if err != nil || verified+unread != 4*len(list) || unread > len(list)/5 {
		t.Errorf("of %d: %v\n%s", 4*len(list), err, out)
	}
	t.Logf("%d messages in 4 forms; %d verify, %d it does not read at all", len(list), verified, unread)
}

func get(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// dated are the letters, with the Date without which opendkim reads none.
func dated(t *testing.T) (list []string) {
	t.Helper()
	for _, text := range letters(t) {
		p, err := mime.Parse(mail.Bytes(text), mime.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if len(p.All("Date")) == 0 {
			text = "Date: Mon, 23 Nov 2026 12:00:00 +0000\r\n" + text
		}
		list = append(list, text)
	}
	return list
}

func needOpendkim(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(opendkim); err != nil {
		t.Skip("opendkim-tools is not installed")
	}
	if out, err := exec.Command("unshare", "--net", "--mount", "ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Skipf("no network of our own can be made: %v: %s", err, out)
	}
}

// verifyInside is what happens in there.
func verifyInside(t *testing.T, dir string) {
	records, names := map[string]string{}, dns.Names{}
	if err := json.Unmarshal([]byte(get(t, dir, "keys.json")), &records); err != nil {
		t.Fatal(err)
	}
	for name, txt := range records {
		names[name] = map[string]any{"TXT": []string{txt}}
	}
	put(t, dir, "resolv.conf", "nameserver 127.0.0.1\n")
	for _, cmd := range [][]string{{"ip", "link", "set", "lo", "up"}, {"mount", "--bind", filepath.Join(dir, "resolv.conf"), "/etc/resolv.conf"}} {
		if out, err := exec.Command(cmd[0], cmd[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", cmd, err, out)
		}
	}
	s := dns.NewServer(dns.MustZone(names))
	if err := s.Start("127.0.0.1:53"); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	files, n, unread := must(filepath.Glob(filepath.Join(dir, "*.eml"))), 0, 0
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		c := exec.CommandContext(t.Context(), opendkim, "-t", dir)
		c.Stdin = f
		out, err := c.CombinedOutput()
		f.Close()
		switch good := err == nil && len(out) == 0; {
		case filepath.Base(file) == "broken.eml":
			if good {
				t.Error("a broken signature verifies")
			}
		case strings.Contains(string(out), "dkim_chunk(): Syntax error"):
			unread++ // it finds fault with the header as such, signed or not
		case !good:
			t.Errorf("%s: %v: %s", filepath.Base(file), err, out)
		default:
			n++
		}
	}
	t.Logf("verdicts: %d verify, %d are unread", n, unread)
}

func must(files []string, err error) []string {
	if err != nil {
		panic(err) // the pattern is constant
	}
	return files
}

// TestOpendkimSignsWithSHA1: the one form that opendkim-testmsg has is rsa-sha1,
// which nobody may believe (RFC 8301 section 3.1).
func TestOpendkimSignsWithSHA1(t *testing.T) {
	if _, err := os.Stat(opendkim); err != nil {
		t.Skip("opendkim-tools is not installed")
	}
	k, dir, n := newKeyring(t), t.TempDir(), 0
	put(t, dir, "key.pem", k.Sign[0]["key"])
	for _, text := range dated(t) {
		c := exec.CommandContext(t.Context(), opendkim, "-C", "-t", dir, "-d", "example.test", "-s", "r", "-k", filepath.Join(dir, "key.pem"))
		c.Stdin = strings.NewReader(text)
		out, err := c.Output()
		if err != nil {
			continue // a header that it does not read
		}
		if fd, err := inspect(t, k.zone, wire(string(out))); fd.Facts["result"] != "permerror" || err != nil || !strings.Contains(string(out), "a=rsa-sha1;") {
			t.Errorf("%v, %v: %s\n%.300s", fd.Facts["result"], err, fd.Reason, out)
		}
		n++
	}
	if n < 15 {
		t.Errorf("only %d messages", n)
	}
	t.Logf("%d messages", n)
}
