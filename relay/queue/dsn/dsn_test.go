package dsn

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

var update = flag.Bool("update", false, "write the golden files anew")

var then = time.Date(2026, 11, 23, 7, 14, 3, 0, time.UTC)

const text = "Received: from a\r\n by b\r\nFrom: Ann <ann@sender.example>\r\nTo: bob@example.org\r\nSubject: The plan\r\n" +
	"Date: Mon, 23 Nov 2026 07:14:00 +0000\r\nMessage-ID: <1@sender.example>\r\n\r\nHello Bob.\r\n"

// report is one that cases change.
func sample(a Action) *Report {
	env := mail.Envelope{ID: "4bQz7K2MwXc9T", From: mail.MustParseAddress("ann@sender.example"), Received: then}
	return &Report{
		Action: a, ID: "4bQz8Zk00dPqf", Hostname: "mx.example.com", From: mail.MustParseAddress("postmaster@example.com"),
		Time: then.Add(time.Minute), Envelope: env, Original: &mail.Message{Blob: mail.Bytes(text)},
		Recipients: []Recipient{{
			Recipient: mail.Recipient{Address: mail.MustParseAddress("bob@example.org")},
			Reply:     mail.Refuse(50, 1, 1, "No such user here"), Host: "mx1.example.org[192.0.2.7]:25", Remote: true,
			Last: then.Add(time.Second),
		}},
	}
}

// accepted makes the recipients of a report ones that were not refused.
func accepted(r *Report) {
	for i := range r.Recipients {
		r.Recipients[i].Reply, r.Recipients[i].Remote = mail.Reply{}, false
	}
}

var cases = []struct {
	name, why string
	action    Action
	change    func(r *Report)
}{
	{"failed", "the common bounce: a server refused, the header comes back", Failed, func(*Report) {}},
	{"failed-full", "RET=FULL: the message comes back whole; ENVID and ORCPT are told", Failed, func(r *Report) {
		r.Envelope.Ret, r.Envelope.EnvID = "FULL", "order 4711"
		r.Recipients[0].Original = "rfc822;robert@example.org"
	}},
	{"failed-too-large", "RET=FULL, but the message is above the limit: the header has to do", Failed, func(r *Report) {
		r.Envelope.Ret, r.MaxOriginal = "FULL", 20
	}},
	{"failed-two", "two recipients, one report; one failed by our own word, before any server was asked", Failed, func(r *Report) {
		r.Recipients = append(r.Recipients, Recipient{
			Recipient: mail.Recipient{Address: mail.MustParseAddress(`"odd one"@null.example`)},
			Reply:     mail.Refuse(56, 1, 10, "null.example takes no mail (null MX)"),
		})
	}},
	{"expired", "given up after days: the code is ours, the last words are the server's", Failed, func(r *Report) {
		r.Recipients[0].Reply, r.Recipients[0].Expired = mail.Defer(52, 2, 2, "mailbox full"), true
	}},
	{"delayed", "a warning must say that nothing needs to be done", Delayed, func(r *Report) {
		r.Recipients[0].Reply, r.Recipients[0].Until = mail.Defer(51, 4, 1, "try later"), then.Add(120*time.Hour)
	}},
	{"relayed", "a success that was asked for, at a server that does not report", Relayed, accepted},
	{"delivered", "a success that was asked for, in our own store", Delivered, func(r *Report) {
		accepted(r)
		r.Recipients[0].Host = ""
	}},
	{"injection", "CR, LF, controls, 8-bit octets and endless words of a hostile server and client stay text", Failed, func(r *Report) {
		r.Recipients[0].Reply.Text = "no\r\nAction: delivered\x1b[31m \xff caf\u00e9 " + strings.Repeat("x", 3000)
		r.Envelope.EnvID = "a\r\n\r\nFinal-Recipient: rfc822; evil@example.org"
		r.Recipients[0].Original = "rfc822;x\r\nBcc: y"
		r.Recipients[0].Host = "mx\r\nevil[192.0.2.7]:25"
	}},
	{"smtputf8", "RFC 6533: addresses and words outside ASCII, for a sender that can read them", Failed, func(r *Report) {
		r.Envelope.SMTPUTF8 = true
		r.Envelope.From = mail.MustParseAddress("\u00e4nn@sender.example")
		r.Recipients[0].Address = mail.MustParseAddress("b\u00f6b@example.org")
		r.Recipients[0].Reply.Text = "unbekannter Empf\u00e4nger"
	}},
	{"8bit-header", "a header with raw 8-bit octets comes back as it was, labelled 8bit", Failed, func(r *Report) {
		r.Original = &mail.Message{Blob: mail.Bytes("Subject: caf\xe9\r\n\r\nx\r\n")}
	}},
	{"requiretls", "RFC 8689: what asked for TLS all the way does not come back in the clear", Failed, func(r *Report) {
		r.Envelope.RequireTLS, r.Envelope.Ret = true, "FULL"
	}},
	{"null-from", "no postmaster is configured", Failed, func(r *Report) { r.From = mail.Address{} }},
	{"boundary", "an original that has our boundary in it", Failed, func(r *Report) {
		r.Original = &mail.Message{Blob: mail.Bytes("X: --=_report_4bQz8Zk00dPqf_0--\r\n\r\n")}
	}},
}

func TestGolden(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := sample(c.action)
			c.change(r)
			var b bytes.Buffer
			if _, err := Write(&b, r); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", c.name+".eml")
			if *update {
				if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b.Bytes(), want) {
				t.Errorf("%s\ngot:\n%s\nwant:\n%s", c.why, b.Bytes(), want)
			}
		})
	}
}
