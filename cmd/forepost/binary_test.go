package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"
)

// A binary message (RFC 3030) goes through two gateways, of which the second
// keeps it: over DATA and in the store its binary part is base64, and holds the
// same octets.
func TestBinaryMessage(t *testing.T) {
	next := serveGateway(t, suitesNext)
	next.addUser("bob@local.test", "secret")
	edge := serveGateway(t, fmt.Sprintf(suitesEdge, next.address("smtp", "edge")))

	octets := bytes.Repeat([]byte("\x00\r\n.\r\n\n\r\xff"), 50_000)
	head := "Subject: octets\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n" +
		"--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n"
	msg := head + string(octets) + "\r\n--b--\r\n"
	for _, g := range []*gateway{edge, next} { // relayed, and taken by the store at once
		talk, err := newRawTalk(g.address("smtp", "edge"))
		if err != nil {
			t.Fatal(err)
		}
		for _, say := range []string{"MAIL FROM:<a@client.test> BODY=BINARYMIME\r\n", "RCPT TO:<bob@local.test>\r\n",
			fmt.Sprintf("BDAT %d LAST\r\n%s", len(msg), msg)} {
			if reply, err := talk.say(say); err != nil || !strings.HasPrefix(reply, "250 ") {
				t.Fatalf("%.40q: %q, %v", say, reply, err)
			}
		}
		talk.conn.Close()
	}
	var stored []string
	waitFor(t, func() (string, bool) {
		stored = fetchAll(t, next, "bob@local.test", "secret", "INBOX")
		return fmt.Sprintf("%d of 2 are stored", len(stored)), len(stored) == 2
	})
	for _, m := range stored {
		_, body, ok := strings.Cut(m, "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n")
		body, _, ok2 := strings.Cut(body, "\r\n--b--\r\n")
		got, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, strings.NewReader(body)))
		if !ok || !ok2 || err != nil || !bytes.Equal(got, octets) {
			t.Errorf("%d octets came back (%v) in %.900q", len(got), err, m)
		}
	}
}
