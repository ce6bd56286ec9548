package inbound

import (
	"context"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

const oneMessage = "EHLO x\r\nMAIL FROM:<a@b.test> RET=HDRS ENVID=e1\r\nRCPT TO:<bob@example.com>\r\nRCPT TO:<carol@example.com>\r\n" +
	"DATA\r\nSubject: hello\r\nFrom: a@b.test\r\nMessage-ID: <1@b.test>\r\n\r\nbody\r\n.\r\n"

// finder is a filter that finds what it is told.
type finder struct {
	finding pipeline.Finding
	settled []bool
}

func (f *finder) Inspect(context.Context, *pipeline.Transaction) (pipeline.Finding, error) {
	return f.finding, nil
}

func (f *finder) Settle(_ context.Context, _ pipeline.Finding, taken bool) {
	f.settled = append(f.settled, taken)
}

// asking makes a plan that asks a filter and gives ledgers by local part.
func asking(f *finder, scope pipeline.Scope, ledgers map[string]pipeline.Ledger, actions map[string]pipeline.Action) func(pipeline.Stage, *pipeline.Transaction) []pipeline.Verdict {
	in := &pipeline.Instance{Name: "probe", Kind: "probe", Filter: f, Scope: scope, Timeout: time.Second}
	return func(at pipeline.Stage, tx *pipeline.Transaction) []pipeline.Verdict {
		if at != pipeline.Data {
			return nil
		}
		tx.Use(pipeline.NewSet(in))
		vs := make([]pipeline.Verdict, len(tx.To))
		for i := range vs {
			tx.For(i).Find(context.Background(), in)
			local := tx.To[i].Address.Local
			vs[i] = pipeline.Verdict{To: i, Action: actions[local], Rule: "t.data." + local, Into: "spam", Ledger: ledgers[local]}
		}
		return vs
	}
}

// TestSubmissions: recipients of one form travel together, others apart, and
// each with what is theirs.
func TestSubmissions(t *testing.T) {
	s := newSite(nil)
	f := &finder{finding: pipeline.Finding{Charge: 1, Facts: pipeline.Facts{"result": "pass"},
		Fields: []mail.Field{{Name: "X-Found", Value: "yes"}},
		Auth:   []pipeline.AuthResult{{Method: "spf", Result: "pass", Props: []pipeline.Prop{{Name: "smtp.mailfrom", Value: "a@b.test"}}}},
	}}
	s.plan.run = asking(f, pipeline.PerMessage, map[string]pipeline.Ledger{
		"bob": {Tags: []string{"t"}, Route: "inner", Points: 7700, Copies: []mail.Address{mail.MustParseAddress("archive@example.com")},
			Fields: []mail.Field{{Name: "X-Rule", Value: "1"}}, Edits: []mail.Edit{{Off: 0, End: 16, With: []byte("Subject: changed\r\n")}}},
	}, nil)
	said := talk(&s.cfg, []byte(oneMessage))
	if !strings.Contains(said, "Queued as") || s.spool.count() != 2 {
		t.Fatal(s.spool.count(), said)
	}
	bob, carol := s.spool.committed[0].Envelope, s.spool.committed[1].Envelope
	wantBob := []mail.Recipient{
		{Address: mail.MustParseAddress("bob@example.com"), Route: "inner", Tags: []string{"t"}},
		{Address: mail.MustParseAddress("archive@example.com"), Notify: mail.NotifyNever, Via: "example.com"},
	}
	if !reflect.DeepEqual(bob.To, wantBob) || len(carol.To) != 1 || carol.To[0].Address.Local != "carol" {
		t.Errorf("%+v\n%+v", bob.To, carol.To)
	}
	if bob.Ret != "HDRS" || bob.EnvID != "e1" || !bob.ID.Valid() || !bob.Received.Equal(testTime) {
		t.Errorf("%+v", bob)
	}
	checkOrder(t, s.spool.text(t, 0), "Received: from x ([192.0.2.2])\r\n\tby mx.example.com", "Authentication-Results: mx.example.com;\r\n\tspf=pass\r\n\t smtp.mailfrom=a@b.test\r\n", "X-Found: yes", "X-Rule: 1", "Subject: changed\r\nFrom:")
	checkOrder(t, s.spool.text(t, 1), "Received:", "X-Found: yes", "Subject: hello\r\n")
	if strings.Contains(s.spool.text(t, 1), "X-Rule") || strings.Contains(s.spool.text(t, 0), "\tfor ") {
		t.Error("one knows of the other")
	}
	if !reflect.DeepEqual(f.settled, []bool{true}) {
		t.Errorf("settled %v", f.settled)
	}
	rec := s.trail.all()[0]
	if rec.Points != "7.7" || rec.Subject != "hello" || rec.Message != "<1@b.test>" || len(rec.Facts) != 1 || rec.Facts[0].Values["result"] != "pass" ||
		len(rec.Outcomes) != 2 || rec.Outcomes[0].Where != "inner" || !reflect.DeepEqual(rec.Added, []string{"Received", "Authentication-Results", "X-Found", "X-Rule"}) {
		t.Errorf("%+v", rec)
	}
}

func checkOrder(t *testing.T, text string, pieces ...string) {
	t.Helper()
	at := 0
	for _, p := range pieces {
		i := strings.Index(text[at:], p)
		if i < 0 {
			t.Fatalf("%q is missing, or out of order, in\n%s", p, text)
		}
		at += i + len(p)
	}
}

// TestSettleRefused: what was charged is given back when the message is refused.
func TestSettleRefused(t *testing.T) {
	s := newSite(nil)
	f := &finder{finding: pipeline.Finding{Charge: 1}}
	s.plan.run = asking(f, pipeline.PerRecipient, nil, map[string]pipeline.Action{"bob": pipeline.Defer})
	said := talk(&s.cfg, []byte(oneMessage))
	if !strings.Contains(said, "\r\n451 4.7.1") || !reflect.DeepEqual(f.settled, []bool{false, false}) {
		t.Errorf("settled %v, said %q", f.settled, said)
	}
}

// TestHoldAndQuarantine: both are kept, each in its way.
func TestHoldAndQuarantine(t *testing.T) {
	s := newSite(nil)
	s.plan.run = asking(&finder{}, pipeline.PerMessage, nil, map[string]pipeline.Action{"bob": pipeline.Hold, "carol": pipeline.Quarantine})
	talk(&s.cfg, []byte(oneMessage))
	if s.spool.count() != 2 || !s.spool.committed[0].Hold || s.spool.committed[0].Why != "t.data.bob" {
		t.Fatalf("%+v", s.spool.committed)
	}
	q := s.spool.committed[1]
	want := mail.Recipient{Address: mail.Address{Local: "quarantine-spam", Domain: "example.com"}, Original: "rfc822;carol@example.com", Notify: mail.NotifyNever}
	if q.Hold || len(q.Envelope.To) != 1 || !reflect.DeepEqual(q.Envelope.To[0], want) {
		t.Errorf("%+v", q.Envelope.To)
	}
}

// TestFilterEdits: a filter's changes that touch others' are left out as a whole.
func TestFilterEdits(t *testing.T) {
	s := newSite(nil)
	f := &finder{finding: pipeline.Finding{Edits: []mail.Edit{{Off: 5, End: 6, With: []byte("no")}, {Off: 60, End: 60, With: []byte("half")}}}}
	s.plan.run = asking(f, pipeline.PerMessage, map[string]pipeline.Ledger{"bob": {Edits: []mail.Edit{{Off: 0, End: 16}}}}, nil)
	talk(&s.cfg, []byte(oneMessage))
	if text := s.spool.text(t, 0); strings.Contains(text, "half") || strings.Contains(text, "Subject") {
		t.Error(text)
	}
	if text := s.spool.text(t, 1); !strings.Contains(text, "half") {
		t.Error(text)
	}
}

// signer signs with its name.
type signer struct {
	domains []string
	err     error
}

func (s *signer) Sign(_ context.Context, domain string, msg *mail.Message) ([]mail.Field, error) {
	s.domains = append(s.domains, domain)
	if len(msg.Prefix) == 0 {
		return nil, errors.New("not as it goes out")
	}
	return []mail.Field{{Name: "DKIM-Signature", Value: "d=" + domain}}, s.err
}

// TestSign: we speak only for those who may.
func TestSign(t *testing.T) {
	cases := []struct {
		why, from, before string
		trusted           bool
		want              []string
	}{
		{"a stranger", "bob@example.com", "", false, nil},
		{"a trusted network", "bob@example.com", "", true, []string{"example.com"}},
		{"one who authenticated as the author", "demo@example.com", "AUTH PLAIN AGRlbW8Ac2VjcmV0\r\n", false, []string{"example.com"}},
		{"one who authenticated as somebody else", "bob@example.com", "AUTH PLAIN AGRlbW8Ac2VjcmV0\r\n", false, nil},
		{"two authors", "bob@example.com, carol@example.com", "", true, nil},
	}
	for _, c := range cases {
		sg := &signer{}
		s := newSite(func(cfg *Config) {
			cfg.Signer, cfg.Auth, cfg.AllowCleartext = sg, true, true
			if c.trusted {
				cfg.RelayFrom = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
			}
		})
		s.plan.run = asking(&finder{}, pipeline.PerMessage, map[string]pipeline.Ledger{"bob": {Sign: true}}, nil)
		said := talk(&s.cfg, []byte("EHLO x\r\n"+c.before+"MAIL FROM:<demo@example.com>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\nFrom: "+c.from+"\r\n\r\n.\r\n"))
		if !strings.Contains(said, "Queued") || !reflect.DeepEqual(sg.domains, c.want) {
			t.Errorf("%s: signed %v, said %q", c.why, sg.domains, said)
		}
		if signed := strings.HasPrefix(s.spool.text(t, 0), "DKIM-Signature: d=example.com\r\nReceived:"); signed != (c.want != nil) {
			t.Errorf("%s: %s", c.why, s.spool.text(t, 0))
		}
	}
	sg := &signer{err: errors.New("no key today")}
	s := newSite(func(cfg *Config) {
		cfg.Signer, cfg.RelayFrom = sg, []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	})
	s.plan.run = asking(&finder{}, pipeline.PerMessage, map[string]pipeline.Ledger{"bob": {Sign: true}, "carol": {Sign: true}}, nil)
	if said := talk(&s.cfg, []byte(oneMessage)); !strings.Contains(said, "451 4.3.0") || s.spool.count() != 0 {
		t.Errorf("what could not be signed went out: %q", said)
	}
}

// TestRecords: what the trail keeps of talks that came to nothing.
func TestRecords(t *testing.T) {
	cases := []struct{ why, talk, want string }{
		{"nothing was said", "EHLO x\r\nQUIT\r\n", ""},
		{"MAIL alone", "EHLO x\r\nMAIL FROM:<a@b.test>\r\nQUIT\r\n", ""},
		{"an aborted transaction", "EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<bob@example.com>\r\nRSET\r\n", "abort reset"},
		{"a lost client", "EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<bob@example.com>\r\n", "abort the client went"},
		{"a refused recipient", "EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x@y.test>\r\n", "reject 550 5.7.1 Relaying is not allowed (ID) builtin.relay"},
		{"a sender that cannot be read", "EHLO x\r\nMAIL FROM:<a@>\r\n", "reject 501 5.1.7 The address is not of the form local@domain builtin.syntax"},
		{"a declared size over the limit", "EHLO x\r\nMAIL FROM:<a@b.test> SIZE=99999999\r\n", "reject 552 5.3.4 The message is larger than the limit builtin.syntax"},
		{"a recipient that cannot be read", "EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x>\r\n", "reject 501 5.1.3 The address is not of the form local@domain builtin.syntax"},
	}
	for _, c := range cases {
		s := newSite(nil)
		talk(&s.cfg, []byte(c.talk))
		var got []string
		for _, rec := range s.trail.all() {
			for _, o := range rec.Outcomes {
				got = append(got, strings.TrimSpace(o.Action+" "+anID.ReplaceAllString(o.Reply, "ID")+" "+o.Rule))
			}
			if !rec.ID.Valid() || rec.Client.IP != "192.0.2.2" || rec.Client.Helo != "x" {
				t.Errorf("%s: %+v", c.why, rec)
			}
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: got %q, want %q", c.why, got, c.want)
		}
	}
}

// TestPlanWithGaps: a plan that forgets a recipient does not let it through.
func TestPlanWithGaps(t *testing.T) {
	s := newSite(nil)
	s.plan.run = func(at pipeline.Stage, tx *pipeline.Transaction) []pipeline.Verdict {
		if at == pipeline.Data {
			return make([]pipeline.Verdict, 1)
		}
		return nil
	}
	if said := talk(&s.cfg, []byte(oneMessage)); !strings.Contains(said, "451 4.3.0") || s.spool.count() != 0 {
		t.Error(said)
	}
}
