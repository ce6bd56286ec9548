package imapd

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// FuzzDialogue talks to a live server: whatever is sent, logged in or not, no
// session panics, every one ends when the client hangs up, and what it says is
// made of lines that end in CRLF.
func FuzzDialogue(f *testing.F) {
	seedDialogues(f)
	h := serve(f, nil)
	h.put(f, message(f, "simple"))
	h.put(f, message(f, "mixed"))
	f.Fuzz(func(t *testing.T, talk []byte) {
		c, err := net.Dial("tcp", h.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(20 * time.Second))
		go func() {
			io.WriteString(c, "L LOGIN "+testUser+" "+testPassword+"\r\nS SELECT INBOX\r\n")
			c.Write(talk)
			c.(*net.TCPConn).CloseWrite()
		}()
		said, err := io.ReadAll(c)
		if err != nil && !strings.Contains(err.Error(), "reset") {
			t.Fatalf("the session does not end: %v", err)
		}
		if err == nil && !strings.HasSuffix(string(said), "\r\n") {
			t.Errorf("the last line has no end: %.100q", said[max(0, len(said)-100):])
		}
		if strings.Contains(h.log.String(), "panic in a session") {
			t.Errorf("a panic: %s", h.log.String())
		}
	})
}

// seedDialogues seeds with what clients say in the dialogues and in ImapTest's
// scripts.
func seedDialogues(f *testing.F) {
	files, _ := filepath.Glob("testdata/dialogues/*.txt")
	more, _ := filepath.Glob(filepath.Join(os.Getenv("FOREPOST_SUITES"), "imaptest-scripts", "*"))
	for _, file := range append(files, more...) {
		b, err := os.ReadFile(file)
		if err != nil || strings.HasSuffix(file, ".mbox") {
			continue
		}
		var talk strings.Builder
		for _, line := range strings.Split(string(b), "\n") {
			if rest, ok := strings.CutPrefix(line, "C: "); ok {
				talk.WriteString(rest + "\r\n")
			} else if rest, ok := strings.CutPrefix(line, "ok "); ok {
				talk.WriteString("x " + rest + "\r\n")
			}
		}
		f.Add([]byte(talk.String()))
	}
}

// FuzzStructure: any message has an ENVELOPE and a BODYSTRUCTURE that the
// client of ImapTest's runner can read, and sections that stay within it.
func FuzzStructure(f *testing.F) {
	for _, name := range []string{"simple", "mixed"} {
		f.Add(message(f, name))
	}
	mails, _ := filepath.Glob(filepath.Join(os.Getenv("FOREPOST_SUITES"), "mime-python-email", "*"))
	for _, file := range mails {
		if b, err := os.ReadFile(file); err == nil {
			f.Add(crlf(b))
		}
	}
	h := serve(f, nil)
	f.Fuzz(func(t *testing.T, text []byte) {
		uid := h.put(t, text)
		w := dialRaw(t, h)
		w.silently(t, "L LOGIN "+testUser+" "+testPassword)
		w.silently(t, "L SELECT INBOX")
		io.WriteString(w, "T UID FETCH "+"*"+" (ENVELOPE BODYSTRUCTURE BODY.PEEK[1] BODY.PEEK[1.1] BODY.PEEK[HEADER] BODY.PEEK[2.MIME] BINARY.SIZE[1])\r\n")
		s := &script{t: t}
		line := s.response(w)
		if strings.HasPrefix(line, "T NO [UNKNOWN-CTE]") {
			return
		}
		nodes := parseNodes(line[1:], false)
		if len(nodes) != 3 || len(nodes[2].list) != 16 {
			t.Errorf("UID %d: %.300q", uid, line)
		}
		w.want(t, "T OK")
	})
}
