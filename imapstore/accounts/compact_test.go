package accounts

import (
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
