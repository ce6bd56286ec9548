package admin

import (
	"fmt"
	"testing"
)

func TestBans(t *testing.T) {
	f, c, _ := serve(t)
	list, err := c.Bans(t.Context())
	if err != nil || len(list) != 1 || list[0].Network != "192.0.2.0/24" {
		t.Errorf("%v, %v", list, err)
	}
	b, err := c.AddBan(t.Context(), NewBan{Network: "2001:db8::/56"})
	if err != nil || b.Network != "2001:db8::/56" {
		t.Errorf("%v, %v", b, err)
	}
	if err := c.RemoveBan(t.Context(), "2001:db8::/56"); err != nil {
		t.Error(err)
	}
	if got := fmt.Sprint(f.did); got != "[ban 2001:db8::/56 unban 2001:db8::/56]" {
		t.Error(got)
	}
}
