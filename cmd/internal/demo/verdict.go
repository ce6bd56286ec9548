package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/forepost/forepost/relay/mail"
)

// settle is how long deliveries may take to arrive.
const settle = 20 * time.Second

// verdictOnAll compares what happened with what must have happened, read back
// from outside: over IMAP, over POP3, and at the pretend MX.
func (s *stage) verdictOnAll(ctx context.Context, done []scene) error {
	var bad []string
	differ := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	for _, sc := range done {
		sc.check(differ)
	}
	s.checkMailbox(ctx, done, differ)
	s.checkQuarantine(done, differ)
	s.checkMX(ctx, done, differ)
	if len(bad) == 0 {
		s.say("All seven came to what they must, read back over IMAP and POP3 and at the pretend MX.")
		return nil
	}
	for _, b := range bad {
		s.say("DIFFERS: %s", b)
	}
	return ErrDiffers
}

// check compares verdict and replies.
func (sc scene) check(differ func(string, ...any)) {
	o := sc.outcome()
	if o.Action != sc.action || !strings.HasSuffix(o.Rule, sc.rule) {
		differ("%s, %q: %s by %s, want %s by %s", sc.from, sc.subject, o.Action, o.Rule, sc.action, sc.rule)
	}
	if !strings.HasPrefix(sc.said.text, sc.code) {
		differ("%s, %q: the reply was %q, want %s", sc.from, sc.subject, sc.said.text, sc.code)
	}
	if sc.again && !strings.HasPrefix(sc.first.text, "451 4.7.1") {
		differ("%s, %q: the first reply was %q, want 451 4.7.1", sc.from, sc.subject, sc.first.text)
	}
}

// checkMailbox reads the demo's mailbox over both protocols.
func (s *stage) checkMailbox(ctx context.Context, done []scene, differ func(string, ...any)) {
	var want []scene
	for _, sc := range done {
		if sc.action == "accept" && !sc.login {
			want = append(want, sc)
		}
	}
	over := map[string]func() ([]stored, error){
		"IMAP": func() ([]stored, error) { return readIMAP(s.at(s.ports.imap), account, password, "INBOX") },
		"POP3": func() ([]stored, error) { return readPOP3(s.at(s.ports.pop3), account, password) },
	}
	for protocol, read := range over {
		got, err := until(ctx, read, len(want))
		if err != nil {
			differ("reading INBOX over %s: %v", protocol, err)
			continue
		}
		compare(protocol, got, want, differ)
		for i, m := range got {
			if protocol == "IMAP" && i < len(want) && want[i].tagged() != strings.Contains(m.flags, "spam") {
				differ("IMAP: message %d has the flags %q", i+1, m.flags)
			}
		}
	}
}

// tagged tells whether the policy's points must have tagged the message.
func (sc scene) tagged() bool { return strings.Contains(sc.note, "tagged") }

// until reads until there are n messages, or time is up.
func until(ctx context.Context, read func() ([]stored, error), n int) (got []stored, err error) {
	for end := time.Now().Add(settle); ; {
		if got, err = read(); err != nil || len(got) >= n || time.Now().After(end) {
			return got, err
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// compare holds what was read against what was sent: the same messages in the
// same order, byte for byte below the fields that the gateway put on top.
func compare(where string, got []stored, want []scene, differ func(string, ...any)) {
	if len(got) != len(want) {
		differ("%s: %d messages, want %d", where, len(got), len(want))
	}
	for i := 0; i < min(len(got), len(want)); i++ {
		m, sc := got[i].data, want[i]
		if !bytes.HasSuffix(m, sc.data) {
			differ("%s: message %d is not, octet for octet, %q of %s", where, i+1, sc.subject, sc.from)
		}
		if on := string(m[:len(m)-min(len(m), len(sc.data))]); !strings.Contains(on, "Received: ") ||
			!strings.Contains(on, string(sc.said.id)) || !strings.Contains(on, "Authentication-Results: mx.example.test;") {
			differ("%s: on top of message %d stands %q", where, i+1, on)
		}
	}
}

// checkQuarantine looks into the store: the console that shows it to people is
// not part of the demo yet.
func (s *stage) checkQuarantine(done []scene, differ func(string, ...any)) {
	got, err := s.gw.Quarantined("suspicious")
	if err != nil {
		differ("quarantine: %v", err)
		return
	}
	var want []scene
	for _, sc := range done {
		if sc.action == "quarantine" {
			want = append(want, sc)
		}
	}
	var list []stored
	for _, m := range got {
		data, err := octets(m)
		if err != nil {
			differ("quarantine: %v", err)
		}
		list = append(list, stored{data: data})
	}
	compare("quarantine", list, want, differ)
}

func octets(m *mail.Message) ([]byte, error) {
	r, err := m.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// checkMX looks at what left the gateway: addressed right, and signed so that
// the key in the DNS verifies it.
func (s *stage) checkMX(ctx context.Context, done []scene, differ func(string, ...any)) {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	select {
	case <-s.mx.more:
	case <-ctx.Done():
	}
	got := s.mx.messages()
	if len(got) != 1 {
		differ("the pretend MX has %d messages, want 1", len(got))
		return
	}
	m, sc := got[0], done[len(done)-1]
	if m.from != sc.from || len(m.to) != 1 || m.to[0] != sc.to || !bytes.HasSuffix(m.data, sc.data) {
		differ("the pretend MX took from %s to %v:\n%s", m.from, m.to, m.data)
	}
	results, err := dkim.VerifyWithOptions(bytes.NewReader(m.data), &dkim.VerifyOptions{LookupTXT: s.lookupKey})
	if err != nil || len(results) != 1 || results[0].Err != nil || results[0].Domain != "example.test" {
		differ("the signature of what left: %+v, %v", results, err)
	}
}

func (s *stage) lookupKey(name string) ([]string, error) {
	if name == ourSelector+"._domainkey.example.test" {
		return []string{record(s.keys.ours)}, nil
	}
	return nil, fmt.Errorf("no key at %s", name)
}
