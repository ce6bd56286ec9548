package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const suitesEdge = `
hostname = "edge.test"
listener "edge" {
  address = "127.0.0.1:0"
  tls     = off
  policy  = policy.open
}
domain "local.test" {
  route      = route.next
  recipients = any
}
route "next" {
  to = [%q]
}
policy "open" {}
`

const suitesNext = `
hostname = "next.test"
listener "edge" {
  address = "127.0.0.1:0"
  tls     = off
  policy  = policy.open
}
domain "local.test" {
  route = route.store
}
imap "mail" {
  address = "127.0.0.1:0"
}
policy "open" {}
`

// TestSuitesByteForByte sends every message of the suites, by DATA and BDAT in
// turn, through two gateways: edge, queue, relay, and again edge, queue and
// store. What IMAP shows is what was sent, octet for octet, below what the
// gateways put on top. Messages with octets that RFC 5321 section 2.3.8 forbids
// are refused; they are known by name.
func TestSuitesByteForByte(t *testing.T) {
	messages := suiteMessages(t)
	next := serveGateway(t, suitesNext)
	next.addUser("bob@local.test", "secret")
	edge := serveGateway(t, fmt.Sprintf(suitesEdge, next.address("smtp", "edge")))

	refused := sendAll(t, edge.address("smtp", "edge"), messages)
	for name, msg := range messages {
		stray := bytes.ContainsAny(bytes.ReplaceAll(msg, []byte("\r\n"), nil), "\r\n\x00")
		if reply, was := refused[name]; was != stray || was && !strings.HasPrefix(reply, "554 5.6.0") {
			t.Errorf("%s: stray octets %v, but the reply was %q", name, stray, reply)
		}
	}
	if got := sortedKeys(refused); !slices.Equal(got, suitesRefused) {
		t.Errorf("refused: %q, want %q", got, suitesRefused)
	}

	want := map[string]int{}
	for name, msg := range messages {
		if _, was := refused[name]; !was {
			want[string(msg)]++
		}
	}
	var stored []string
	waitFor(t, func() (string, bool) {
		stored = fetchAll(t, next, "bob@local.test", "secret", "INBOX")
		return fmt.Sprintf("%d of %d are stored", len(stored), len(messages)-len(refused)), len(stored) == len(messages)-len(refused)
	})
	for _, m := range stored {
		want[underEdge(t, m)]--
	}
	for msg, n := range want {
		if n != 0 {
			t.Errorf("%+d of a message that begins %.200q", -n, msg)
		}
	}
}

// suitesRefused are the messages with a bare CR or a NUL.
var suitesRefused = []string{"mime-enmime/encode/part-message-rfc822.golden"}

// suiteMessages are the messages, by name, their lines ended by CRLF.
func suiteMessages(t *testing.T) map[string][]byte {
	t.Helper()
	root := os.Getenv("FOREPOST_SUITES")
	if root == "" {
		t.Skip("FOREPOST_SUITES is not set")
	}
	messages := map[string][]byte{}
	for _, dir := range []string{"mime-enmime", "mime-ruby-mail", "mime-python-email", "spam"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || d.Name() == "LICENSE" {
				return err
			}
			b, err := os.ReadFile(path)
			b = bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
			if !bytes.HasSuffix(b, []byte("\r\n")) {
				b = append(b, "\r\n"...)
			}
			messages[strings.TrimPrefix(path, root+"/")] = b
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(messages) < 1700 {
		t.Fatalf("only %d messages in %s", len(messages), root)
	}
	return messages
}

// sendAll sends them over a few connections and returns the replies that
// refused.
func sendAll(t *testing.T, addr string, messages map[string][]byte) map[string]string {
	t.Helper()
	names := make(chan string, len(messages))
	for _, name := range sortedKeys(messages) {
		names <- name
	}
	close(names)
	refused := map[string]string{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			talk, err := newRawTalk(addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer talk.conn.Close()
			for name := range names {
				reply, err := talk.send(messages[name], n%2 == 0)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				if !strings.HasPrefix(reply, "250 ") {
					mu.Lock()
					refused[name] = reply
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	return refused
}

// rawTalk sends messages octet by octet as they are.
type rawTalk struct {
	conn net.Conn
	in   *textproto.Reader
}

func newRawTalk(addr string) (*rawTalk, error) {
	conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		return nil, err
	}
	r := &rawTalk{conn, textproto.NewReader(bufio.NewReader(conn))}
	_, _, err = r.in.ReadResponse(220)
	if err == nil {
		_, err = r.say("EHLO client.test\r\n")
	}
	return r, err
}

func (r *rawTalk) say(text string) (string, error) {
	r.conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(r.conn, text); err != nil {
		return "", err
	}
	code, msg, err := r.in.ReadResponse(0)
	return fmt.Sprint(code, " ", msg), err
}

// send returns the reply to the message.
func (r *rawTalk) send(msg []byte, chunks bool) (string, error) {
	for _, cmd := range []string{"MAIL FROM:<a@client.test> BODY=8BITMIME\r\n", "RCPT TO:<bob@local.test>\r\n"} {
		if reply, err := r.say(cmd); err != nil || !strings.HasPrefix(reply, "250 ") {
			return "", fmt.Errorf("%q to %q: %w", reply, cmd, err)
		}
	}
	if chunks {
		half := len(msg) / 2
		if reply, err := r.say(fmt.Sprintf("BDAT %d\r\n%s", half, msg[:half])); err != nil || !strings.HasPrefix(reply, "250 ") {
			return reply, err
		}
		return r.say(fmt.Sprintf("BDAT %d LAST\r\n%s", len(msg)-half, msg[half:]))
	}
	if reply, err := r.say("DATA\r\n"); err != nil || !strings.HasPrefix(reply, "354 ") {
		return "", fmt.Errorf("%q to DATA: %w", reply, err)
	}
	stuffed := bytes.ReplaceAll(append([]byte("\r\n"), msg...), []byte("\r\n."), []byte("\r\n.."))[2:]
	return r.say(string(stuffed) + ".\r\n")
}

// receivedAtEdge is the last of what the gateways put on top.
var receivedAtEdge = regexp.MustCompile(`by edge\.test \(Forepost\) with ESMTP id \w{13}\r\n\tfor <bob@local\.test>;\r\n\t[^\r\n]+\r\n`)

func underEdge(t *testing.T, message string) string {
	t.Helper()
	at := receivedAtEdge.FindStringIndex(message)
	if at == nil {
		t.Fatalf("no Received of the edge in %.300q", message)
	}
	return message[at[1]:]
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
