package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/forepost/forepost/cmd/internal/admin"
)

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	return ln.Addr().String()
}

// queueing is a gateway whose next server is away, with five messages.
func queueing(t *testing.T) (g *gateway, ask func(code int, args ...string) string) {
	g = serveGateway(t, fmt.Sprintf(crashConfig, closedPort(t)))
	for i := range 5 {
		if err := sendOne(g.address("smtp", "edge"), fmt.Sprintf("bob%d@rcpt.test", i), fmt.Sprint("message ", i)); err != nil {
			t.Fatal(err)
		}
	}
	ask = func(code int, args ...string) string {
		t.Helper()
		args = append(args, "--data", g.data())
		got, out, errs := forepost(args...)
		if got != code {
			t.Errorf("%v ends with %d, want %d\n%s%s", args, got, code, out, errs)
		}
		return out + errs
	}
	waitFor(t, func() (string, bool) {
		out := ask(exitDone, "queue", "list")
		return "not every message has its reason: " + out, strings.Count(out, "451 4.4.1 No connection") == 5
	})
	return g, ask
}

// The commands of an operator with a queue, from the filter to the report.
func TestQueueCommands(t *testing.T) {
	g, ask := queueing(t)
	has := func(out string, parts ...string) {
		t.Helper()
		for _, p := range parts {
			if !strings.Contains(out, p) {
				t.Errorf("no %q in\n%s", p, out)
			}
		}
	}
	out := ask(exitDone, "queue", "list", "from:@send.test", "to:bob3@*", "age<1h", "size<1MB", "route:sink", "--json")
	var e admin.QueueEntry
	if err := json.Unmarshal([]byte(out), &e); err != nil || len(e.To) != 1 || e.To[0].Address != "bob3@rcpt.test" || e.To[0].Reason == "" {
		t.Fatalf("%v: %s", err, out)
	}
	has(ask(exitUsage, "queue", "list", "colour:red"), `knows no "colour"`)
	has(ask(exitUsage, "queue", "delete", "colour:red"), `knows no "colour"`)
	has(ask(exitDone, "queue", "list", "to:@other.test"), "no message waits")
	// Terms as options mean the same.
	if got := ask(exitDone, "queue", "list", "size<1MB", "--from", "@send.test", "--to", "bob3@*", "--domain", "rcpt.test", "--state", "waiting", "--reason", "onnect", "--json"); got != out {
		t.Errorf("with options:\n%s\nwith terms:\n%s", got, out)
	}
	has(ask(exitDone, "queue", "list", "--older", "1h"), "no message waits")
	has(ask(exitUsage, "queue", "shape", "--reason", `a "b"`), "quotation marks")
	has(ask(exitUsage, "queue", "delete"), "See: forepost queue delete --help")
	has(ask(exitDone, "queue", "show", string(e.ID)), "<bob3@rcpt.test> waiting", "route sink")
	has(ask(exitDone, "queue", "show", string(e.ID), "--body"), "Received: ", "Subject: message 3")
	has(ask(exitFailed, "queue", "show", "4bQz7K2MwXc9T"), "forepost explain")
	has(ask(exitDone, "queue", "shape"), "rcpt.test", "onnect")
	has(ask(exitDone, "queue", "summary"), "5 messages: ")

	has(ask(exitDone, "queue", "hold", "to:bob*", "--dry-run"), "would hold 5 messages with 5 recipients")
	has(ask(exitFailed, "queue", "hold", "to:bob*"), "[y/N]", "nothing was done") // nobody types a yes
	c := exec.Command(binary, "queue", "hold", "to:bob*", "--reason", "ask Bob", "--data", g.data())
	c.Stdin = strings.NewReader("y\n")
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("with a yes: %v\n%s", err, out)
	}
	has(ask(exitDone, "queue", "list", "state:held", `reason:"ask bob"`), "bob0@", "bob4@")
	has(ask(exitFailed, "queue", "hold", string(e.ID)), "none of 1 message")
	has(ask(exitDone, "queue", "release", string(e.ID), "--json"), `"done":1`)
	if err := json.Unmarshal([]byte(ask(exitDone, "queue", "list", "to:bob0@*", "--json")), &e); err != nil {
		t.Fatal(err)
	}
	has(ask(exitPartly, "queue", "release", string(e.ID), "4bQz7K2MwXc9T"), "1 of 2 done", "no message waits")
}

// Bounced mail comes back to its sender; deleted mail does not; flush tries again.
func TestQueueBounce(t *testing.T) {
	g, ask := queueing(t)
	g.addUser("ann@local.test", "secret")
	if err := sendAs(g.address("smtp", "edge"), "ann@local.test", "bob5@rcpt.test", "the plan"); err != nil {
		t.Fatal(err)
	}
	ask(exitDone, "queue", "delete", "from:@send.test", "--yes")
	ask(exitDone, "queue", "bounce", "to:bob5@*", "--reason", "the project is over")
	waitFor(t, func() (string, bool) {
		return "no report", len(mailbox(t, g, "ann@local.test", "secret")) == 1
	})
	waitFor(t, func() (string, bool) {
		out := ask(exitDone, "queue", "list")
		return "left: " + out, strings.Contains(out, "the queue is empty")
	})
}

// A paused route keeps its mail over a restart and says why; resumed, it goes.
func TestRouteCommands(t *testing.T) {
	out := newSink(t)
	g := serveGateway(t, fmt.Sprintf(crashConfig, out.addr))
	ask := func(want int, args ...string) string {
		t.Helper()
		code, out, errs := forepost(append(args, "--data", g.data())...)
		if code != want {
			t.Errorf("%v ends with %d, want %d\n%s%s", args, code, want, out, errs)
		}
		return out + errs
	}
	if s := ask(exitFailed, "route", "pause", "sinck"); !strings.Contains(s, "there are mx, sink, store") {
		t.Error(s)
	}
	ask(exitDone, "route", "pause", "sink", "--reason", "they move house")
	if err := sendOne(g.address("smtp", "edge"), "bob@rcpt.test", "paused"); err != nil {
		t.Fatal(err)
	}
	g.end(syscall.SIGTERM)
	g.start()
	waitFor(t, func() (string, bool) {
		s := ask(exitDone, "queue", "list")
		return s, strings.Contains(s, "route sink is paused: they move house")
	})
	if s := ask(exitDone, "route", "paused"); !strings.Contains(s, "sink\tresumed\tthey move house\n") || len(out.subjects()) != 0 {
		t.Errorf("%s; delivered: %v", s, out.subjects())
	}
	ask(exitDone, "route", "resume", "sink")
	waitFor(t, func() (string, bool) { return "not delivered", out.subjects()["paused"] == 1 })
	ask(exitFailed, "route", "resume", "sink")

	if s := ask(exitDone, "route", "test", "bob@rcpt.test"); !strings.Contains(s, "takes mail for <bob@rcpt.test>") {
		t.Error(s)
	}
	if s := ask(exitFailed, "route", "test", "nobody@local.test"); !strings.Contains(s, "no account has this address") {
		t.Error(s)
	}
	g.write(strings.Replace(fmt.Sprintf(crashConfig, out.addr), out.addr, closedPort(t), 1))
	ask(exitDone, "reload")
	if s := ask(exitFailed, "route", "test", "bob@rcpt.test"); !strings.Contains(s, "FAIL  connect") {
		t.Error(s)
	}
}
