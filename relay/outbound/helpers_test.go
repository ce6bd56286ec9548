package outbound

import (
	"fmt"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/route"
)

func TestWeigh(t *testing.T) {
	soft := &failure{reply: mail.Defer(51, 4, 1, "ours")}
	hard := &failure{reply: mail.Refuse(50, 7, 30, "ours")}
	softSaid := &failure{reply: mail.Defer(21, 3, 2, "theirs"), remote: true}
	hardSaid := &failure{reply: mail.Refuse(54, 7, 1, "theirs"), remote: true}
	later := &failure{reply: mail.Defer(51, 4, 2, "a less preferred host")}
	cases := []struct {
		why        string
		a, b, want *failure
	}{
		{"the first", nil, soft, soft},
		{"hope comes first", hardSaid, soft, soft},
		{"whichever came first", soft, hardSaid, soft},
		{"what a server said", soft, softSaid, softSaid},
		{"what a server said, for good", hard, hardSaid, hardSaid},
		{"and is not taken back", softSaid, soft, softSaid},
		{"the preferred host", soft, later, soft},
	}
	for _, c := range cases {
		if got := weigh(c.a, c.b); got != c.want {
			t.Errorf("%s: got %v", c.why, got)
		}
	}
}

func TestCertName(t *testing.T) {
	for name, want := range map[string]string{"mx1.test": "mx1.test", "[192.0.2.1]": "192.0.2.1", "192.0.2.1": "192.0.2.1"} {
		if got := certName(route.Host{Name: name}, someAddr[0]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestNotifyWords(t *testing.T) {
	for n, want := range map[mail.Notify]string{
		mail.NotifyNever: "NEVER", mail.NotifySuccess: "SUCCESS", mail.NotifyFailure | mail.NotifyDelay: "FAILURE,DELAY",
		mail.NotifyNever | mail.NotifySuccess: "NEVER", // which excludes the others
	} {
		if got := notifyWords(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// TestXtext is threats.md "DSN content" on the way out: no octet of a parameter ends
// a command or is taken for another.
func TestXtext(t *testing.T) {
	for in, want := range map[string]string{"a@b.test": "a@b.test", "a+b=c d": "a+2Bb+3Dc+20d", "x\r\ny": "x+0D+0Ay", "\u00e9": "+C3+A9", "": ""} {
		if got := xtext(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

// An ORCPT that no server could read is left out, not sent in pieces.
func TestOriginalRecipient(t *testing.T) {
	s := &session{ext: map[string]string{"DSN": ""}}
	for original, want := range map[string]string{
		"rfc822;b@x.test": " ORCPT=rfc822;b@x.test", "x400;a b": " ORCPT=x400;a+20b",
		"": "", "b@x.test": "", ";b": "", "rfc822;": "", "rf c;b": "", "rfc822;a\r\nRSET": "", "utf-8;\u00e9": "",
	} {
		got := s.rcptTo(mail.Recipient{Address: mail.MustParseAddress("b@to.test"), Original: original})
		if got != "RCPT TO:<b@to.test>"+want {
			t.Errorf("%q: %q", original, got)
		}
	}
}

func TestExtensions(t *testing.T) {
	got := extensions("mx1.test SIZE\nsize 100\nAUTH PLAIN\nAUTH=LOGIN\n\n8bitmime")
	want := map[string]string{"SIZE": "100", "AUTH": "PLAIN LOGIN", "": "", "8BITMIME": ""}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestHead(t *testing.T) {
	for in, want := range map[string]string{"abcd": "abcd", "abcde": "abcd...", "abc\u00e9": "abc..."} {
		if got := head(in, 4); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	long := response{code: 550, text: strings.Repeat("x", 5000)}
	if n := len(long.said()); n > 510 {
		t.Errorf("a trail entry of %d octets", n)
	}
}

// The scan that decides on SMTPUTF8 and 8BITMIME looks where it should.
func TestScan(t *testing.T) {
	long := strings.Repeat("x", 2*blockSize)
	cases := []struct {
		text         string
		header, body bool
	}{
		{"A: b\r\n\r\nc", false, false},
		{"A: \u00e9\r\n\r\nc", true, true},
		{"A: b\r\n\r\n\u00e9", false, true},
		{"A: b\n\n\u00e9", false, true},
		{"\u00e9", true, true},
		{"", false, false},
		{"A: " + long + "\r\nB: \u00e9\r\n\r\n", true, true}, // a line longer than the buffer
		{"A: b\r\n\r\n" + long + "\u00e9", false, true},
	}
	for _, c := range cases {
		msg := &mail.Message{Blob: mail.Bytes(c.text)}
		header, err1 := scan(msg, true)
		all, err2 := scan(msg, false)
		if header != c.header || all != c.body || err1 != nil || err2 != nil {
			t.Errorf("%.20q: header %v, all %v, %v, %v", c.text, header, all, err1, err2)
		}
	}
}
