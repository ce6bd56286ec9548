package appliance

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/builtin"
	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/inbound"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/state"
)

// notes is a state that remembers what was put into it.
type notes struct {
	state.Store
	put []string
}

func (n *notes) Get(context.Context, string) (string, error) { return "", nil }

func (n *notes) Put(_ context.Context, key, _ string, _ time.Duration) error {
	n.put = append(n.put, key)
	return nil
}

// spool commits, or not.
type spool struct{ err error }

func (s spool) Draft(mail.ID) (inbound.Draft, error) { return draft{err: s.err}, nil }

type draft struct {
	inbound.Draft
	err error
}

func (d draft) Commit(context.Context, ...queue.Submission) error { return d.err }

func contactConfig(t *testing.T, asks string) *live {
	t.Helper()
	name := filepath.Join(t.TempDir(), "forepost.hcl")
	text := "hostname = \"mx.example.com\"\npolicy \"p\" {\n  rcpt {\n    tag \"t\" {\n      when = " + asks + "\n      add  = [\"known\"]\n    }\n  }\n}\n"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, ds := policies.Load(name, policies.Options{Kinds: builtin.Kinds()})
	if cfg == nil {
		t.Fatal(ds)
	}
	l := &live{settings: cfg.Settings, domains: map[string]*policies.Domain{"example.com": {Name: "example.com"}}, memory: &notes{}}
	var err error
	if l.policies, err = cfg.Build(filters.Deps{State: l.memory, Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	return l
}

// TestContactsAreNoted: mail from us to elsewhere, once it was taken, if a rule
// asks for it.
func TestContactsAreNoted(t *testing.T) {
	for _, c := range []struct {
		why, asks, from string
		to              []string
		hold            bool
		err             error
		want            int
	}{
		{"from us to elsewhere", "contact.known", "bob@example.com", []string{"kim@partner.test", "lee@partner.test", "eve@example.com"}, false, nil, 2},
		{"no rule asks", "mail.null", "bob@example.com", []string{"kim@partner.test"}, false, nil, 0},
		{"from elsewhere", "contact.known", "kim@partner.test", []string{"lee@partner.test"}, false, nil, 0},
		{"inside", "contact.known", "bob@example.com", []string{"eve@example.com"}, false, nil, 0},
		{"held, perhaps a phished account", "contact.known", "bob@example.com", []string{"kim@partner.test"}, true, nil, 0},
		{"into quarantine", "contact.known", "bob@example.com", []string{imapstore.QuarantineAddress("spam").String()}, false, nil, 0},
		{"not taken", "contact.known", "bob@example.com", []string{"kim@partner.test"}, false, errors.New("full"), 0},
	} {
		l := contactConfig(t, c.asks)
		a := &Appliance{o: Options{Now: time.Now}, log: slog.New(slog.DiscardHandler)}
		a.current.Store(l)
		s := queue.Submission{Hold: c.hold}
		s.Envelope.From = mail.MustParseAddress(c.from)
		for _, to := range c.to {
			s.Envelope.To = append(s.Envelope.To, mail.Recipient{Address: mail.MustParseAddress(to)})
		}
		d, err := contactSpool{spool{c.err}, a}.Draft("x")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Commit(t.Context(), s); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", c.why, err)
		}
		if got := l.memory.(*notes).put; len(got) != c.want {
			t.Errorf("%s: noted %q, want %d", c.why, got, c.want)
		}
	}
}
