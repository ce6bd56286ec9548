package appliance

import (
	"errors"
	"testing"

	"github.com/forepost/forepost/imapstore/accounts"
	"github.com/forepost/forepost/relay/sasl"
)

// Users whom a server in front of us names have the addresses that they would
// have here; unknown and disabled ones are nobody.
func TestIdentify(t *testing.T) {
	d := testDirectory()
	d.book.(bookOf)["off@local.test"] = accounts.Account{Name: "off@local.test", Disabled: true}
	id, err := d.Identify(t.Context(), "bob@local.test")
	if err != nil || id.User != "bob@local.test" || len(id.Addresses) < 2 || id.Addresses[0].String() != "bob@local.test" {
		t.Errorf("%+v, %v", id, err)
	}
	for _, user := range []string{"nobody@local.test", "off@local.test", "no address"} {
		if id, err := d.Identify(t.Context(), user); !errors.Is(err, sasl.ErrCredentials) || id.User != "" {
			t.Errorf("%s: %+v, %v", user, id, err)
		}
	}
}
