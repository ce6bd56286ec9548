package appliance

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"github.com/forepost/forepost/imapstore/accounts"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/sasl"
)

// bookOf is a book of accounts by address; their password is "right".
type bookOf map[string]accounts.Account

func (b bookOf) Lookup(a mail.Address) (accounts.Account, error) {
	if acc, ok := b[a.Key()]; ok {
		return acc, nil
	}
	return accounts.Account{}, accounts.ErrUnknown
}

func (b bookOf) Authenticate(_ context.Context, user, password string) (accounts.Account, error) {
	if acc, ok := b[user]; ok && password == "right" {
		return acc, nil
	}
	return accounts.Account{}, accounts.ErrCredentials
}

func (bookOf) SCRAM() bool { return false }

func (bookOf) Keys(context.Context, string) (accounts.SCRAM, error) { return accounts.SCRAM{}, nil }

func (bookOf) Proved(string, bool) (accounts.Account, error) {
	return accounts.Account{}, accounts.ErrCredentials
}

func addresses(list ...string) (out []mail.Address) {
	for _, s := range list {
		out = append(out, mail.MustParseAddress(s))
	}
	return out
}

func testDirectory() *directory {
	l := &live{
		settings: &policies.Settings{Postmaster: mail.MustParseAddress("bob@local.test")},
		domains: map[string]*policies.Domain{
			"local.test": {Name: "local.test", Store: true, Delimiter: "+", Recipients: policies.Recipients{Mode: "accounts"}, Aliases: map[string][]mail.Address{
				"info":   addresses("bob@local.test", "eve@local.test", "bob@local.test"),
				"all":    addresses("info@local.test", "far@elsewhere.test"),
				"self":   addresses("self@local.test", "bob@local.test"),
				"eve":    addresses("eve@local.test", "bob@local.test"),
				"hollow": addresses("hollow@local.test"),
				"ping":   addresses("pong@local.test"),
				"pong":   addresses("ping@local.test"),
				"sales":  addresses("bob@local.test"),
			}},
			"all.test": {Name: "all.test", Recipients: policies.Recipients{Mode: "list", List: func(a mail.Address) bool { return a.Local == "staff" }}, Delimiter: "-",
				Aliases: map[string][]mail.Address{"*": addresses("bob@local.test"), "desk": addresses("staff@all.test")}},
			"loop.test": {Name: "loop.test", Recipients: policies.Recipients{Mode: "accounts"}, Aliases: map[string][]mail.Address{"*": addresses("x@loop.test")}},
			"any.test":  {Name: "any.test", Recipients: policies.Recipients{Mode: "any"}},
			"list.test": {Name: "list.test", Recipients: policies.Recipients{Mode: "list", List: func(a mail.Address) bool { return a.Local == "staff" }}},
			"ask.test":  {Name: "ask.test", Recipients: policies.Recipients{Mode: "callout"}},
			"both.test": {Name: "both.test", Recipients: policies.Recipients{Mode: "callout"}, Aliases: map[string][]mail.Address{"*": addresses("bob@local.test")}},
		},
	}
	return &directory{
		live: func() *live { return l },
		book: bookOf{"bob@local.test": {Name: "bob@local.test"}, "eve@local.test": {Name: "eve@local.test"}},
		ask: func(_ context.Context, _ string, to mail.Address) (bool, mail.Reply, error) {
			switch to.Local {
			case "there":
				return true, mail.Reply{}, nil
			case "away":
				return false, mail.Reply{}, errors.New("the next server does not answer")
			case "doubt":
				return false, mail.Reply{}, mail.Defer(51, 4, 1, "the next server is busy")
			}
			return false, mail.Refuse(50, 1, 1, "nobody of that name"), nil
		},
	}
}

func TestAccepts(t *testing.T) {
	d := testDirectory()
	for _, c := range []struct {
		to          string
		ours, known bool
		final       string
		why         string
	}{
		{"bob@local.test", true, true, "[bob@local.test]", "an account"},
		{"nobody@local.test", true, false, "[]", "no account"},
		{"bob@elsewhere.test", false, false, "[]", "not ours: whether it may be relayed is not asked here"},
		{"INFO@local.test", true, true, "[bob@local.test eve@local.test]", "an alias, each address once, in any case"},
		{"all@local.test", true, true, "[bob@local.test eve@local.test far@elsewhere.test]", "an alias of an alias, and elsewhere"},
		{"eve@local.test", true, true, "[eve@local.test bob@local.test]", "an alias that keeps its own copy"},
		{"self@local.test", true, true, "[bob@local.test]", "and one that would, but has no mailbox: what is taken must not bounce"},
		{"hollow@local.test", true, false, "[]", "one that leads to itself alone is nobody"},
		{"ping@local.test", true, false, "[]", "aliases in a circle lead to nobody, and end"},
		{"postmaster@local.test", true, true, "[bob@local.test]", "RFC 5321 section 4.5.1"},
		{"postmaster@list.test", true, true, "[bob@local.test]", "of every domain"},
		{"bob+shop@local.test", true, true, "[bob@local.test]", "a detail: bob's mailbox in the store"},
		{"BOB+a+b@local.test", true, true, "[BOB@local.test]", "the first delimiter parts"},
		{"nobody+shop@local.test", true, false, "[]", "a detail of nobody"},
		{"+shop@local.test", true, false, "[]", "a detail of nothing"},
		{"info+x@local.test", true, true, "[bob@local.test eve@local.test]", "an alias with a detail"},
		{"staff-x@all.test", true, true, "[staff-x@all.test]", "another server hears the detail"},
		{"staff@all.test", true, true, "[staff@all.test]", "who is known does not fall to the catch-all"},
		{"desk-x@all.test", true, true, "[staff@all.test]", "an alias with another delimiter"},
		{"whoever@all.test", true, true, "[bob@local.test]", "the catch-all has the rest"},
		{"*@all.test", true, true, "[bob@local.test]", "its sign is a name like any other"},
		{"whoever+x@all.test", true, true, "[bob@local.test]", "details of other delimiters are none"},
		{"x@loop.test", true, false, "[]", "a catch-all that leads to itself ends"},
		{"bob+x@any.test", true, true, "[bob+x@any.test]", "a domain that takes any takes the detail"},
		{"anything@any.test", true, true, "[anything@any.test]", "a domain that takes any"},
		{"staff@list.test", true, true, "[staff@list.test]", "listed"},
		{"other@list.test", true, false, "[]", "not listed"},
		{"there@ask.test", true, true, "[there@ask.test]", "the next server knows"},
		{"there@both.test", true, true, "[there@both.test]", "the next server knows, and there is a catch-all"},
		{"gone@both.test", true, true, "[bob@local.test]", "the next server does not know: the catch-all has it"},
		{"doubt@both.test", true, false, "[]", "who may exist does not fall to the catch-all"},
	} {
		acc, err := d.Accepts(t.Context(), mail.MustParseAddress(c.to))
		if err != nil || acc.Ours != c.ours || acc.Known != c.known || fmt.Sprint(acc.Final) != c.final {
			t.Errorf("%s: %s gives %+v, %v", c.why, c.to, acc, err)
		}
	}
	if acc, err := d.Accepts(t.Context(), mail.Address{Local: "Postmaster"}); err != nil || fmt.Sprint(acc.Final) != "[bob@local.test]" {
		t.Errorf("<Postmaster>: %+v, %v", acc, err)
	}
	if acc, err := d.Accepts(t.Context(), mail.MustParseAddress("gone@ask.test")); err != nil || acc.Known || acc.Reply.Text != "nobody of that name" {
		t.Errorf("what the next server refuses is refused in its words: %+v, %v", acc, err)
	}
	if _, err := d.Accepts(t.Context(), mail.MustParseAddress("away@ask.test")); err == nil {
		t.Error("a next server that does not answer passes for an answer")
	}
}

func TestAuthenticateTellsTheAddresses(t *testing.T) {
	d := testDirectory()
	l := accountLogins{d.book.(bookOf), d}
	id, err := l.Password(t.Context(), sasl.Client{}, "bob@local.test", "right")
	if err != nil || id.User != "bob@local.test" || fmt.Sprint(id.Addresses) != "[bob@local.test sales@local.test]" {
		t.Errorf("%+v, %v: an alias that leads to several is nobody's own", id, err)
	}
	if _, err := l.Password(t.Context(), sasl.Client{}, "bob@local.test", "wrong"); !errors.Is(err, sasl.ErrCredentials) {
		t.Errorf("a wrong password: %v", err)
	}
}

// TestAsker: whom the limit of callouts counts.
func TestAsker(t *testing.T) {
	for _, c := range []struct {
		client, user string
		trusted      bool
		want         string
	}{
		{"203.0.113.77", "", false, "network 203.0.113.0/24"},
		{"::ffff:203.0.113.77", "", false, "network 203.0.113.0/24"},
		{"2001:db8:1:2:3::4", "", false, "network 2001:db8:1:2::/64"},
		{"fe80::1%eth0", "", false, "network fe80::/64"},
		{"203.0.113.77", "", true, ""},
		{"203.0.113.77", "Bob@local.test", true, "account bob@local.test"},
		{"127.0.0.1", "", false, ""},
		{"", "", false, ""},
	} {
		s := &pipeline.Session{Trusted: c.trusted, Auth: mail.Identity{User: c.user}}
		if c.client != "" {
			s.Client = netip.MustParseAddr(c.client)
		}
		if got := asker(s); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
