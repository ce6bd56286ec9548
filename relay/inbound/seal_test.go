package inbound

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// sealer seals with its name and remembers what it was told.
type sealer struct {
	links []pipeline.Link
	tops  []string // the topmost field of what was sealed
	err   error
}

func (s *sealer) Seal(_ context.Context, l pipeline.Link, msg *mail.Message) ([]mail.Field, error) {
	s.links, s.tops = append(s.links, l), append(s.tops, msg.Prefix[0].Name)
	return []mail.Field{{Name: "ARC-Seal", Value: "d=" + l.Domain}}, s.err
}

// unsure is a filter that could not tell.
type unsure struct{}

func (unsure) Inspect(context.Context, *pipeline.Transaction) (pipeline.Finding, error) {
	return pipeline.Finding{Facts: pipeline.Facts{"result": "fail"}}, errors.New("the DNS is away")
}

// sealing1 runs a message to recipients whose rules say to sign and to seal.
func sealing1(t *testing.T, sl *sealer, chain pipeline.Filter, to ...string) (*site, string) {
	t.Helper()
	s := newSite(func(cfg *Config) { cfg.Sealer, cfg.Signer = sl, &signer{} })
	in := &pipeline.Instance{Name: "arc", Kind: "arc", Filter: chain, Scope: pipeline.PerMessage, Timeout: time.Second}
	s.plan.run = func(at pipeline.Stage, tx *pipeline.Transaction) []pipeline.Verdict {
		tx.Use(pipeline.NewSet(in))
		vs := make([]pipeline.Verdict, len(tx.To))
		for i := range vs {
			vs[i] = pipeline.Verdict{To: i, Ledger: pipeline.Ledger{Seal: tx.To[i].Address.Local != "carol", Sign: true}}
		}
		if at != pipeline.Data {
			return nil
		}
		return vs
	}
	text := "EHLO x\r\nMAIL FROM:<a@b.test>\r\n"
	for _, r := range to {
		text += "RCPT TO:<" + r + ">\r\n"
	}
	return s, talk(&s.cfg, []byte(text+"DATA\r\nFrom: a@b.test\r\nSubject: s\r\n\r\nx\r\n.\r\n"))
}

// TestSeal: a link is added on top of all else, for the domain that the mail is
// handed on for, with our results; recipients of whom no rule says so get none.
func TestSeal(t *testing.T) {
	found := &finder{finding: pipeline.Finding{Facts: pipeline.Facts{"result": "pass"}, Auth: []pipeline.AuthResult{{Method: "arc", Result: "pass"}}}}
	sl := &sealer{}
	s, said := sealing1(t, sl, found, "bob@example.com", "x@any.example", "carol@example.com")
	if !strings.Contains(said, "Queued") || s.spool.count() != 3 || len(sl.links) != 2 {
		t.Fatalf("%d forms, %d links: %s", s.spool.count(), len(sl.links), said)
	}
	for i, domain := range []string{"example.com", "any.example"} {
		l := sl.links[i]
		if l.Domain != domain || l.Chain != "pass" || l.Results != "mx.example.com;\r\n\tarc=pass" || sl.tops[i] != "Received" {
			t.Errorf("%+v over %s", l, sl.tops[i])
		}
		if text := s.spool.text(t, i); !strings.HasPrefix(text, "ARC-Seal: d="+domain+"\r\nReceived: ") {
			t.Error(text)
		}
	}
	if text := s.spool.text(t, 2); strings.Contains(text, "ARC-Seal") {
		t.Error(text)
	}
}

// TestSealWhatCouldNotBeLookedAt: the chain is left as it is; only a sealer that
// fails holds the mail back.
func TestSealWhatCouldNotBeLookedAt(t *testing.T) {
	sl := &sealer{}
	s, said := sealing1(t, sl, unsure{}, "bob@example.com")
	if !strings.Contains(said, "Queued") || len(sl.links) != 0 || strings.Contains(s.spool.text(t, 0), "ARC-Seal") {
		t.Errorf("%v: %s", sl.links, said)
	}
	found := &finder{finding: pipeline.Finding{Facts: pipeline.Facts{"result": "none"}}}
	s, said = sealing1(t, &sealer{err: errors.New("no key today")}, found, "bob@example.com")
	if !strings.Contains(said, "451 4.3.0") || s.spool.count() != 0 {
		t.Errorf("what could not be sealed went out: %q", said)
	}
}
