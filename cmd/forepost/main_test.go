package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

func TestExitCodes(t *testing.T) {
	nowhere := t.TempDir()
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{"--version"}, exitDone},
		{[]string{"--no-such-flag"}, exitUsage},
		{[]string{"explain"}, exitUsage},
		{[]string{"status", "--data", nowhere}, exitUnreachable},
		{[]string{"explain", "--data", nowhere, "4bQz7K2MwXc9T"}, exitUnreachable},
		{[]string{"check", "--config", filepath.Join(nowhere, "none.hcl")}, exitFailed},
		{[]string{"serve", "--config", filepath.Join(nowhere, "none.hcl")}, exitConfig},
	} {
		if code, out, errs := forepost(c.args...); code != c.code {
			t.Errorf("%v ends with %d, want %d\n%s%s", c.args, code, c.code, out, errs)
		}
	}
}

func TestDemoOnce(t *testing.T) {
	code, out, errs := forepost("demo", "--once")
	if code != exitDone {
		t.Fatalf("the demo ends with %d\n%s%s", code, out, errs)
	}
	for _, want := range []string{"accept      ann@friend.test", "reject      x@spam.test", "quarantine  ceo@example.test", "signed      demo@example.test"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// idIn finds the ID of a transaction in a reply.
var idIn = regexp.MustCompile(`\b[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{13}\b`)

// explain tells of refused mail too, by the ID in the reply.
func TestExplainARefusal(t *testing.T) {
	g := serveClients(t)
	err := sendOne(g.address("smtp", "edge"), "nobody@local.test", "x")
	if err == nil {
		t.Fatal("an unknown recipient was taken")
	}
	id := idIn.FindString(err.Error())
	if id == "" {
		t.Fatalf("no ID in the reply %q", err)
	}
	var code int
	var out, errs string
	waitFor(t, func() (string, bool) { // it is told when the transaction is over
		code, out, errs = forepost("explain", "--data", g.data(), id)
		return out + errs, code == exitDone
	})
	if code != exitDone || !strings.Contains(out, "builtin.recipient") || !strings.Contains(out, "REJECT") || !strings.Contains(out, "nobody@local.test") {
		t.Errorf("explain %s ends with %d\n%s%s", id, code, out, errs)
	}
	code, out, _ = forepost("explain", "--json", "--data", g.data(), id)
	if code != exitDone || !json.Valid([]byte(strings.TrimSpace(out))) {
		t.Errorf("explain --json: %d, %s", code, out)
	}
	// A case is made of it, and passes.
	code, out, errs = forepost("policy", "test", "--from-id", id, "--config", g.config(), "--data", g.data())
	cases := filepath.Join(g.dir, "from-id.test.hcl")
	if err := os.WriteFile(cases, []byte(out), 0o600); err != nil || code != exitDone {
		t.Fatalf("policy test --from-id: %d, %v\n%s", code, err, errs)
	}
	if code, again, errs := forepost("policy", "test", "--config", g.config(), cases); code != exitDone || !strings.Contains(again, "1 passed") || strings.Contains(out, "nobody@") {
		t.Errorf("the case ends with %d\n%s%s\n%s", code, again, errs, out)
	}
	if code, out, errs := foreposted("mail.from\n", "policy", "console", "--from-id", id, "--config", g.config(), "--data", g.data()); code != exitDone || !strings.Contains(out, "(string)") {
		t.Errorf("the console: %d\n%s%s", code, out, errs)
	}
	if err := sendOne(g.address("smtp", "edge"), "victim@elsewhere.test", "x"); err == nil || !strings.Contains(err.Error(), "5.7.1") {
		t.Errorf("an open relay: %v", err)
	}
}

// A stop drains: the process ends with 0, and comes back with what it had.
func TestStopAndStart(t *testing.T) {
	g := serveClients(t)
	if err := sendOne(g.address("smtp", "edge"), "bob@local.test", "before"); err != nil {
		t.Fatal(err)
	}
	g.end(syscall.SIGTERM)
	if _, err := os.Stat(filepath.Join(g.data(), socketName)); err == nil {
		t.Error("the control socket is still there")
	}
	g.start()
	waitFor(t, func() (string, bool) {
		return "the mail is gone after a restart", mailbox(t, g, "bob@local.test", "secret")["before"] == 1
	})
}

// Accounts can be made where no gateway runs.
func TestUsersOffline(t *testing.T) {
	g := serveClients(t)
	g.end(syscall.SIGTERM)
	code, out, errs := forepost("user", "list", "--data", g.data())
	if code != exitDone || !strings.Contains(out, "bob@local.test") {
		t.Errorf("user list ends with %d\n%s%s", code, out, errs)
	}
	if code, _, errs := forepost("user", "disable", "bob@local.test", "--data", g.data()); code != exitDone {
		t.Errorf("user disable ends with %d\n%s", code, errs)
	}
	g.start()
	us, err := g.client().Users(t.Context())
	if err != nil || len(us) != 1 || !us[0].Disabled {
		t.Errorf("%+v, %v", us, err)
	}
}

// The benchmark's configuration, as it stands there, loads and relays.
func TestBenchmarkConfiguration(t *testing.T) {
	suites := os.Getenv("FOREPOST_SUITES")
	if suites == "" {
		t.Skip("FOREPOST_SUITES is not set")
	}
	file := filepath.Join(filepath.Dir(suites), "bench", "relay.hcl")
	if code, out, _ := forepost("check", "--config", file); code != exitDone || strings.Contains(out, "Warning") {
		t.Errorf("check ends with %d\n%s", code, out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out := newSink(t)
	g := serveGateway(t, strings.NewReplacer("127.0.0.1:2526", "127.0.0.1:0", "127.0.0.1:2599", out.addr).Replace(string(text)))
	if err := sendOne(g.address("smtp", "edge"), "user@rcpt.test", "relayed"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() (string, bool) { return "not relayed", out.subjects()["relayed"] == 1 })
}
