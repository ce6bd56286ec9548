package main

import (
	"strings"
	"testing"
)

// An account sends as much as its operator says, and who looks sees it.
func TestSendingLimit(t *testing.T) {
	g := serveConfig(t, strings.Replace(clientsConfig, `policy "open" {}`, "policy \"open\" {}\nstore {\n  send_recipients = \"3/1h\"\n  send_bytes = \"1MiB/1d\"\n}\n", 1))
	g.addUser("eve@local.test", "secret")
	send := func(from string, to ...string) string {
		return submitAs(t, g, from, "secret", to, "Subject: x\r\n\r\nhello\r\n")
	}
	if got := send("bob@local.test", "eve@local.test", "bob@local.test"); got != "" {
		t.Fatal(got)
	}
	if got := send("bob@local.test", "eve@local.test", "bob@local.test"); !strings.Contains(got, "You may send 3 recipients in 1h0m0s; try again in 20m") {
		t.Errorf("beyond the recipients of the store block: %q", got)
	}
	if got := send("eve@local.test", "bob@local.test"); got != "" {
		t.Errorf("another account: %q", got)
	}
	if code, _, errs := forepost("user", "limit", "bob@local.test", "--messages", "2/1h", "--recipients", "none", "--data", g.data()); code != 0 {
		t.Fatal(errs)
	}
	for i, want := range []string{"", "", "451 4.7.1 You may send 2 messages in 1h0m0s"} {
		if got := send("bob@local.test", "eve@local.test", "bob@local.test"); (got == "") != (want == "") || !strings.HasPrefix(got, want) {
			t.Errorf("message %d with limits of his own: %q, want %q", i+1, got, want)
		}
	}
	code, out, errs := forepost("user", "list", "--data", g.data())
	if code != 0 || !strings.Contains(out, "bob@local.test\t\t\t2 of 2 messages in 1h0m0s") || !strings.Contains(out, "eve@local.test\t\t\t1 of 3 recipients in 1h0m0s") {
		t.Errorf("%d %s %s", code, out, errs)
	}
	if got := submitAs(t, g, "eve@local.test", "secret", []string{"bob@local.test"}, "Subject: big\r\n\r\n"+strings.Repeat(strings.Repeat("x", 70)+"\r\n", 15000)); !strings.HasPrefix(got, "552 5.7.1") {
		t.Errorf("more octets than ever may go: %q", got)
	}
	if code, _, errs := forepost("user", "limit", "bob@local.test", "--messages", "many", "--data", g.data()); code == 0 || !strings.Contains(errs, "is no rate") {
		t.Errorf("%d %s", code, errs)
	}
}
