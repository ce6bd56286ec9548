package pop3pickup

import (
	"bufio"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
)

// replyLine is every line that the server may say to a store whose messages have
// no words of their own.
var replyLine = regexp.MustCompile(`^(\+OK( [ -~]*)?|-ERR [ -~]+|\+ [A-Za-z0-9+/=]*|[0-9]+ [0-9a-z]+|\.|[A-Z0-9-]+( [ -~]*)?|one)\r\n$`)

// FuzzDialogue has a client say anything, in two parts: the session ends when the
// client does, every line is one of POP3, and without QUIT nothing is deleted.
func FuzzDialogue(f *testing.F) {
	for _, s := range []string{
		"CAPA\r\nQUIT\r\n",
		"USER bob@example.com\r\nPASS se sam\r\nSTAT\r\nLIST\r\nUIDL\r\nRETR 1\r\nTOP 1 0\r\nDELE 1\r\nRSET\r\nNOOP\r\n",
		"AUTH PLAIN AGJvYkBleGFtcGxlLmNvbQBzZSBzYW0=\r\nDELE 1\r\n",
		"AUTH LOGIN\r\nYm9i\r\n*\r\nSTLS\r\n\x16\x03\x01",
		"PASS\r\nUSER\r\nTOP 1\r\nLIST 99999999999999999999\r\n\r\n\x00\r\n\n\n",
		strings.Repeat("x", 1000) + "\r\nNOOP\r\n",
	} {
		f.Add([]byte(s), len(s)/2)
	}
	h, a := buildMem(f, Config{})
	f.Fuzz(func(t *testing.T, in []byte, cut int) {
		ours, theirs := net.Pipe()
		ours.SetDeadline(time.Now().Add(10 * time.Second))
		go h.s.start(addrConn{theirs, local})
		done := make(chan struct{})
		go func() {
			defer close(done)
			checkReplies(t, ours)
		}()
		cut = max(0, min(cut, len(in)))
		ours.Write(in[:cut]) // the server may close at any time
		ours.Write(in[cut:])
		ours.Close()
		<-done
		h.s.work.Wait()
		if a.locked.Load() {
			t.Error("the maildrop stays locked")
		}
		if !strings.Contains(strings.ToUpper(string(in)), "QUIT") && a.m.expunged > 0 {
			t.Error("a message was deleted without QUIT")
		}
		a.m.expunged = 0
	})
}

func checkReplies(t *testing.T, conn net.Conn) {
	r := bufio.NewReader(conn)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			io.Copy(io.Discard, conn)
			return
		}
		if !replyLine.MatchString(line) {
			t.Errorf("the server said %q", line)
		}
	}
}
