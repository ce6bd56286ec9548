package accounts

import (
	"bytes"
	"testing"

	"github.com/forepost/forepost/relay/mail"
)

// TestChangesAreGathered: an account that is changed again and again does not
// grow the journal, and the last word about it and about others is kept.
func TestChangesAreGathered(t *testing.T) {
	e := open(t)
	must(t, e.b.Add(ctx, "ann@example.com", "", 7, mail.MustParseAddress("anna@example.com")))
	must(t, e.b.Add(ctx, "bob@example.com", "", 0))
	for i := range 4001 {
		must(t, e.b.Disable(ctx, "bob@example.com", i%2 == 0))
	}
	_, err := e.j.Compact(ctx) // what the background has left over
	must(t, err)
	if st := e.j.Stats(); st.Segments > 4 {
		t.Errorf("two accounts fill %d segments of 64 KiB", st.Segments)
	}
	e.restart()
	for addr, want := range map[string]Account{
		"bob@example.com":  {Name: "bob@example.com", Disabled: true},
		"anna@example.com": {Name: "ann@example.com", Quota: 7},
	} {
		a, err := e.b.Lookup(mail.MustParseAddress(addr))
		if err != nil || a.Name != want.Name || a.Disabled != want.Disabled || a.Quota != want.Quota {
			t.Errorf("Lookup of %s: %+v, %v", addr, a, err)
		}
	}
}

// A name that nobody has gets keys that look like anybody's, the same ones after
// a restart and a compaction: accounts cannot be probed.
func TestPretendedKeys(t *testing.T) {
	e := open(t)
	must(t, e.b.Add(ctx, "bob@example.com", "sesam", 0))
	must(t, e.b.Add(ctx, "nologin@example.com", "", 0))
	keys := func(user string) SCRAM {
		t.Helper()
		k, err := e.b.Keys(ctx, user)
		must(t, err)
		return k
	}
	before := map[string]SCRAM{}
	for _, name := range []string{"bob@example.com", "nobody@example.com", "other@example.com", "nologin@example.com"} {
		before[name] = keys(name)
	}
	real := before["bob@example.com"]
	for name, k := range before {
		if k.Iterations != real.Iterations || len(k.Salt) != len(real.Salt) || len(k.StoredKey) != len(real.StoredKey) || len(k.ServerKey) != len(real.ServerKey) {
			t.Errorf("%s can be told from a real account: %+v", name, k)
		}
	}
	if bytes.Equal(before["nobody@example.com"].Salt, before["other@example.com"].Salt) {
		t.Error("two names have one salt")
	}
	if again := keys("NOBODY@example.com"); !bytes.Equal(again.Salt, before["nobody@example.com"].Salt) {
		t.Error("a name in another case has another salt: real accounts do not")
	}
	for i := range 3000 { // enough for compaction to move the secret
		must(t, e.b.Disable(ctx, "nologin@example.com", i%2 == 0))
	}
	_, err := e.j.Compact(ctx)
	must(t, err)
	e.restart()
	for name, k := range before {
		if again := keys(name); !bytes.Equal(again.Salt, k.Salt) {
			t.Errorf("the salt of %s changed over a restart", name)
		}
	}
	if _, err := e.b.Proved("bob@example.com", true); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		user  string
		right bool
	}{{"bob@example.com", false}, {"nobody@example.com", true}, {"nologin@example.com", true}} {
		if _, err := e.b.Proved(c.user, c.right); err != ErrCredentials {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// SCRAM is offered only where every account can use it.
func TestSCRAMIsOffered(t *testing.T) {
	e := open(t)
	must(t, e.b.Add(ctx, "bob@example.com", "sesam", 0))
	must(t, e.b.Configure([]Account{{Name: "eve@example.com", Password: "plain"}}))
	if !e.b.SCRAM() {
		t.Error("not offered, and everybody has keys")
	}
	phc, _, err := HashPassword("x")
	must(t, err)
	must(t, e.b.Configure([]Account{{Name: "eve@example.com", Password: phc}}))
	if e.b.SCRAM() {
		t.Error("offered, and eve, whose hash is imported, would not get in")
	}
}
