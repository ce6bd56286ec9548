package route

import (
	"net/netip"
	"testing"

	"github.com/forepost/forepost/relay/mail"
)

// TestChoices: what policy chose goes through the queue as a text and comes back
// the same.
func TestChoices(t *testing.T) {
	for _, c := range []struct {
		name, text string
		tls        TLSPolicy
	}{{"exchange", "exchange", TLSMay}, {"", "", TLSMay}, {"mx", "mx;tls=require", TLSRequire}, {"", ";tls=verify", TLSVerify}, {"mx", "mx;tls=dane", TLSDANE}} {
		if got := Choice(c.name, c.tls); got != c.text {
			t.Errorf("%q and %d are %q", c.name, c.tls, got)
		}
		if name, tls := ParseChoice(c.text); name != c.name || tls != c.tls {
			t.Errorf("%q is %q and %d", c.text, name, tls)
		}
	}
	from := netip.MustParseAddr("192.0.2.7")
	for _, c := range []string{"", "mx", "mx;tls=verify", ";tls=require"} {
		text := WithSource(c, from)
		name, tls := ParseChoice(text)
		rest, got := CutSource(text)
		if rest != c || got != from || Choice(name, tls) != c || WithSource(text, netip.Addr{}) != c {
			t.Errorf("%q from %s is %q: %q %d, %q %s", c, from, text, name, tls, rest, got)
		}
	}
	if name, tls := ParseChoice("mx;tls=later"); name != "mx" || tls != TLSDANE {
		t.Errorf("a word of a later version is %q and %d: nothing weaker will do", name, tls)
	}
}

// TestFindRaised: policy can ask for more than a route does, never for less.
func TestFindRaised(t *testing.T) {
	strict := &Route{Name: "strict", Kind: Hosts, To: []Target{{"192.0.2.1", 25}}, TLS: TLSVerify}
	tab := table(t, TableOptions{Routes: []*Route{strict}, Domains: map[string]string{"strict.test": "strict", "local.test": "store"}})
	for _, c := range []struct {
		to, choice, name string
		tls              TLSPolicy
		raised           bool
	}{
		{"a@other.test", ";tls=verify", "mx", TLSVerify, true},
		{"a@other.test", "mx;tls=require", "mx", TLSRequire, true},
		{"a@other.test", "", "mx", TLSMay, false},
		{"a@strict.test", ";tls=require", "strict", TLSVerify, false},
		{"a@local.test", ";tls=verify", "store", TLSMay, false},
	} {
		r, err := tab.Find(mail.Recipient{Address: mail.MustParseAddress(c.to), Route: c.choice})
		if err != nil || r.Name != c.name || r.TLS != c.tls || r.Raised != c.raised {
			t.Errorf("%s, %q: got %+v, %v", c.to, c.choice, r, err)
		}
	}
	r, err := tab.Find(mail.Recipient{Address: mail.MustParseAddress("a@strict.test"), Route: ";source=192.0.2.7"})
	if err != nil || r.Name != "strict" || r.Source != netip.MustParseAddr("192.0.2.7") || !r.Moved || strict.Source.IsValid() {
		t.Errorf("from an address: %+v, %v", r, err)
	}
	if r, err := tab.Find(mail.Recipient{Address: mail.MustParseAddress("a@local.test"), Route: ";source=192.0.2.7"}); err != nil || r.Moved {
		t.Errorf("our own store from an address: %+v, %v", r, err)
	}
	if r, err := tab.Find(mail.Recipient{Address: mail.MustParseAddress("a@x.test")}); err != nil || r.TLS != TLSMay {
		t.Errorf("the table itself was raised: %+v, %v", r, err)
	}
}
