package contact_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/contact"
	"github.com/forepost/forepost/filters/filtertest"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/state"
)

func from(sender string, to ...string) *pipeline.Transaction {
	tx := pipeline.NewTransaction(&pipeline.Session{})
	if sender != "" {
		tx.From = mail.MustParseAddress(sender)
	}
	for _, t := range to {
		a := mail.MustParseAddress(t)
		tx.To = append(tx.To, pipeline.Recipient{Address: a, Acceptance: mail.Acceptance{Ours: true, Known: true, Domain: a.Domain}})
	}
	return tx
}

// TestContacts: who is known to whom after bob wrote to Kim.
func TestContacts(t *testing.T) {
	clock := filtertest.NewClock()
	s := filtertest.State(t, clock.Now)
	f, err := contact.Kind().Build(nil, filters.Deps{State: s, Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	note := func() {
		t.Helper()
		if err := contact.Note(t.Context(), s, clock.Now(), mail.MustParseAddress("bob@example.com"), mail.MustParseAddress("Kim@partner.test")); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(why, sender, to string, want bool) pipeline.Finding {
		t.Helper()
		fd, err := f.Inspect(t.Context(), from(sender, to))
		if err != nil || fd.Facts["known"] != want {
			t.Errorf("%s: %v, %v", why, fd.Facts, err)
		}
		return fd
	}
	begin := clock.Now()
	ask("nobody has written yet", "kim@partner.test", "bob@example.com", false)
	note()
	ask("the one who was written to", "kim@partner.test", "bob@example.com", true)
	ask("case does not count", "KIM@partner.test", "bob@example.com", true)
	ask("a colleague of bob", "kim@partner.test", "eve@example.com", true)
	ask("a colleague of Kim", "lee@partner.test", "bob@example.com", false)
	ask("another domain of ours", "kim@partner.test", "x@lab.example.com", false)
	ask("a bounce", "", "bob@example.com", false)
	clock.Pass(contact.Keep - time.Hour)
	note()
	clock.Pass(contact.Keep - time.Hour)
	if fd := ask("kept from the last mail on", "kim@partner.test", "bob@example.com", true); !fd.Facts["first_seen"].(time.Time).Equal(begin) {
		t.Errorf("first seen %v, want %v", fd.Facts["first_seen"], begin)
	}
	clock.Pass(2 * time.Hour)
	ask("forgotten", "kim@partner.test", "bob@example.com", false)
}

// away is a state that cannot be reached.
type away struct{ state.Store }

func (away) Get(context.Context, string) (string, error) { return "", state.ErrAway }

// odd is a state that has something else.
type odd struct{ state.Store }

func (odd) Get(context.Context, string) (string, error) { return "x", nil }

// TestCannotTell: a state that is away is no answer.
func TestCannotTell(t *testing.T) {
	for _, s := range []state.Store{away{}, odd{}} {
		f, err := contact.Kind().Build(nil, filters.Deps{State: s})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Inspect(t.Context(), from("a@b.test", "bob@example.com")); err == nil {
			t.Errorf("%T: no error", s)
		}
		if _, err := f.Inspect(t.Context(), from("a@b.test")); err == nil {
			t.Error("no recipient, and no error")
		}
	}
	if err := contact.Note(t.Context(), away{}, time.Time{}, mail.Address{}, mail.Address{}); !errors.Is(err, state.ErrAway) {
		t.Errorf("got %v", err)
	}
	if _, err := contact.Kind().Build(nil, filters.Deps{}); err == nil {
		t.Error("built without a state")
	}
}
