package dmarc

import (
	"errors"
	"testing"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
)

// TestAuthorDomain is threats.md "Multiple/odd From": header fields by which forgers showed one author to the
// filter and another to the reader (Chen, Paxson, Jiang: Composition Kills,
// 2020). The domain is the one that every reader sees, or there is none.
func TestAuthorDomain(t *testing.T) {
	for header, want := range map[string]struct {
		domain string
		err    error
	}{
		"From: ann@example.test":                                {"example.test", nil},
		"From: Ann <ann@EXAMPLE.test>":                          {"example.test", nil},
		"From:\r\n Ann\r\n <ann@example.test>":                  {"example.test", nil},
		"From: \"boss@bank.test\" <ann@example.test>":           {"example.test", nil}, // a name is not an address
		"From: Ann (boss@bank.test) <ann@example.test>":         {"example.test", nil},
		"From: =?utf-8?q?boss=40bank.test?= <ann@example.test>": {"example.test", nil},
		"FROM: ann@example.test":                                {"example.test", nil},
		"From: ann@example.test\r\nFrom: ann@example.test":      {"", errManyFrom},
		"From: a@evil.test\r\nFrom : boss@bank.test":            {"", errOddFrom},
		"From: a@evil.test\r\nFrom\x00: boss@bank.test":         {"", errOddFrom},
		"From : boss@bank.test":                                 {"", errOddFrom},
		" From: boss@bank.test\r\nFrom: a@evil.test":            {"", errOddFrom}, // a line that is no field
		"From: a@evil.test, boss@bank.test":                     {"", errOddFrom},
		"From: <a@evil.test>, <boss@bank.test>":                 {"", errOddFrom},
		"From: boss@bank.test <a@evil.test>":                    {"", errOddFrom},
		"From: <boss@bank.test> <a@evil.test>":                  {"", errOddFrom},
		"From: <boss@bank.test>a@evil.test":                     {"", errOddFrom},
		"From: team: a@evil.test;":                              {"", errAuthors},
		"From: <@evil.test:boss@bank.test>":                     {"", errOddFrom},
		"From: =?utf-8?q?boss=40bank.test?=":                    {"", errOddFrom},
		"From: a@evil.test\x00@bank.test":                       {"", errOddFrom},
		"From: \"a@evil.test\"@bank.test":                       {"bank.test", nil},
		"From: a@[192.0.2.1]":                                   {"", errDomain},
		"From: ann":                                             {"", errOddFrom},
		"From:":                                                 {"", errAuthors},
		"From: undisclosed senders:;":                           {"", errAuthors},
		"Sender: boss@bank.test":                                {"", errNoFrom},
		"From: a@b\u00fccher.test":                              {"xn--bcher-kva.test", nil},
		"From: a@evil.test.":                                    {"", errDomain},
	} {
		p, err := mime.Parse(mail.Bytes(header+"\r\nSubject: x\r\n\r\nhi\r\n"), mime.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := authorDomain(p)
		if want.err == nil && (got != want.domain || err != nil) {
			t.Errorf("%q: %q, %v; want %s", header, got, err, want.domain)
		}
		if want.err != nil && (err == nil || got != "") {
			t.Errorf("%q: %q; want no author (%v)", header, got, want.err)
		} else if want.err != nil && !errors.Is(err, want.err) {
			t.Errorf("%q: %v; want %v", header, err, want.err)
		}
	}
}
