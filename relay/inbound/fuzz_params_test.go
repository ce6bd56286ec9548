package inbound

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var seedLine = regexp.MustCompile(`(?i)(MAIL +FROM|RCPT +TO) *:[^\r\n]*`)

// FuzzParameters: whatever stands behind MAIL, RCPT and XCLIENT, it is answered
// with one reply that names its codes, what is taken has no octet that could end
// a line, and readers of parameters agree with the engine that there is none over
// the limit.
func FuzzParameters(f *testing.F) {
	for _, s := range []string{
		"FROM:<a@b.test> SIZE=100 BODY=BINARYMIME SMTPUTF8 RET=HDRS ENVID=a+2Bb AUTH=<> MT-PRIORITY=-3", "TO:<\"a>b\"@any.example> NOTIFY=NEVER ORCPT=rfc822;a+40b",
		"FROM:<> BODY=8BITMIME REQUIRETLS", "NAME=a.test ADDR=IPV6:2001:db8::1 HELO=x+20y PROTO=ESMTP LOGIN=demo PORT=25",
	} {
		f.Add(s)
	}
	for _, pattern := range []string{"fuzz-seeds/chasquid-smtpsrv/*", "fuzz-seeds/profuzzbench-smtp/*", "smtp-dialogs-chasquid/*.cmy"} {
		files, _ := filepath.Glob(filepath.Join(os.Getenv("FOREPOST_SUITES"), pattern))
		for _, file := range files {
			b, _ := os.ReadFile(file)
			for _, line := range seedLine.FindAll(b, 20) {
				f.Add(string(line[5:]))
			}
		}
	}
	f.Fuzz(func(t *testing.T, arg string) {
		if strings.ContainsAny(arg, "\n") || len(arg) > 1500 {
			return
		}
		s := newSite(relayFromAnywhere)
		said := talk(&s.cfg, []byte("EHLO x\r\nMAIL "+arg+"\r\nRSET\r\nMAIL FROM:<a@b.test> SMTPUTF8\r\nRCPT "+arg+"\r\nRSET\r\nXCLIENT "+arg+"\r\n"))
		replies := 0
		for _, line := range strings.Split(strings.TrimSuffix(said, "\r\n"), "\r\n") {
			if !enhanced(line) {
				t.Fatalf("%q in answer to %q", line, arg)
			}
			if len(line) > 3 && line[3] == ' ' {
				replies++
			}
		}
		if len(s.panics) > 0 || replies != 8 {
			t.Fatalf("%q: panics %v, %d replies in %q", arg, s.panics, replies, said)
		}
		for _, rec := range s.trail.all() {
			if rec.From != nil && strings.ContainsAny(*rec.From, "\r\n\x00") || strings.ContainsAny(strings.Join(rec.To, ""), "\r\n\x00") {
				t.Fatalf("%q became %+v", arg, rec)
			}
		}
	})
}

func relayFromAnywhere(c *Config) {
	c.RelayFrom = append(c.RelayFrom, netOf("0.0.0.0/0"))
	c.XClient = c.RelayFrom
}
