package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The lines Smuggling in, Smuggling out and Smuggling through a filter hop of
// threats (CVE-2023-51764 to -51766, Postfix 2026-08-16): what looks like the end
// of the data to some servers goes to a gateway, and by that to a second one, with
// and without repair of lines, by DATA and by BDAT, in one piece and octet by
// octet. There is never a second message, and never a bare CR or LF in the store.
func TestSmugglingOverTwoHops(t *testing.T) {
	sequences := smugglingSequences(t)
	next := serveGateway(t, suitesNext)
	next.addUser("bob@local.test", "secret")
	for _, repair := range []bool{false, true} {
		edge := serveGateway(t, strings.Replace(fmt.Sprintf(suitesEdge, next.address("smtp", "edge")), "tls     = off", fmt.Sprintf("tls = off\n  repair_lines = %v", repair), 1))
		for i, seq := range sequences {
			for _, chunks := range []bool{false, true} {
				smuggleTo(t, edge.address("smtp", "edge"), seq, fmt.Sprintf("%d-%v-%v", i, chunks, repair), chunks, i%3 == 0)
			}
		}
		for _, g := range []*gateway{edge, next} {
			waitFor(t, func() (string, bool) {
				code, out, errs := forepost("queue", "list", "--data", g.data())
				return "still queued: " + out + errs, code == exitDone && strings.Contains(out+errs, "the queue is empty")
			})
		}
	}
	seen := map[string]int{}
	for _, m := range fetchAll(t, next, "bob@local.test", "secret", "INBOX") {
		subject := subjectOf(m)
		if seen[subject]++; strings.HasPrefix(subject, "two") || seen[subject] > 1 {
			t.Errorf("a second message: %q", m)
		}
		if strings.ContainsAny(strings.ReplaceAll(m, "\r\n", ""), "\r\n\x00") {
			t.Errorf("stray octets: %q", m)
		}
	}
	if len(seen) < len(sequences) {
		t.Errorf("only %d messages arrived: the test tests little", len(seen))
	}
}

func smugglingSequences(t *testing.T) (list []string) {
	t.Helper()
	root := os.Getenv("FOREPOST_SUITES")
	if root == "" {
		t.Skip("FOREPOST_SUITES is not set")
	}
	b, err := os.ReadFile(filepath.Join(root, "smtp-smuggling", "sequences.json"))
	if err != nil {
		t.Fatal(err)
	}
	var lists map[string][]string
	if err := json.Unmarshal(b, &lists); err != nil {
		t.Fatal(err)
	}
	for _, name := range sortedKeys(lists) {
		for _, s := range append(lists[name], `\r.\r`, `\n\x00.\r\n`, `\r\n.\n`, `\n.\r\r\n`, `\r\n..\n`) {
			seq, err := strconv.Unquote(`"` + s + `"`)
			if err != nil {
				t.Fatal(s, err)
			}
			list = append(list, seq)
		}
	}
	return list
}

// smuggleTo sends one message with a second one hidden behind seq, and hears the
// server out.
func smuggleTo(t *testing.T, addr, seq, name string, chunks, slowly bool) {
	t.Helper()
	talk, err := newRawTalk(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer talk.conn.Close()
	body := "Subject: one " + name + "\r\n\r\none" + seq + "MAIL FROM:<evil@client.test>\r\nRCPT TO:<bob@local.test>\r\nDATA\r\nSubject: two " + name + "\r\n\r\ntwo\r\n"
	text := "MAIL FROM:<a@client.test>\r\nRCPT TO:<bob@local.test>\r\n"
	if chunks {
		text += fmt.Sprintf("BDAT %d LAST\r\n%sQUIT\r\n", len(body), body)
	} else {
		text += "DATA\r\n" + body + ".\r\nQUIT\r\n"
	}
	size := len(text)
	if slowly {
		size = 1
	}
	talk.conn.SetDeadline(time.Now().Add(time.Minute))
	go func() {
		for i := 0; i < len(text); i += size {
			if _, err := io.WriteString(talk.conn, text[i:min(i+size, len(text))]); err != nil {
				return // it has hung up
			}
		}
	}()
	io.Copy(io.Discard, talk.in.R)
}
