package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/trail"
)

const trialConfig = `
hostname = "gw.test"
listener "edge" {
  address = "127.0.0.1:0"
  tls     = off
  policy  = policy.p
}
domain "local.test" {
  route = route.store
}
quarantine "spam" {}
policy "p" {
  data {
    quarantine "offers" {
      when = contains(msg.subject, "offer")
    }
  }
}
`

// trial is a gateway that has taken two messages, one of them into quarantine, and
// what its commands say.
func trial(t *testing.T) (g *gateway, ask func(want int, args ...string) string) {
	t.Helper()
	g = serveGateway(t, trialConfig)
	g.addUser("bob@local.test", "secret")
	ask = func(want int, args ...string) string {
		t.Helper()
		code, out, errs := forepost(append(args, "--data", g.data())...)
		if code != want {
			t.Errorf("%q ends with %d, want %d:\n%s%s", args, code, want, out, errs)
		}
		return out + errs
	}
	for _, subject := range []string{"offer", "figures"} {
		if err := sendOne(g.address("smtp", "edge"), "bob@local.test", subject); err != nil {
			t.Fatal(err)
		}
	}
	return g, ask
}

// says complains where a text has not what it should have.
func says(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%q is not in\n%s", w, text)
		}
	}
}

// TestPolicyOnTrial: another configuration is compared, replayed, put on trial,
// taken into force and back again.
func TestPolicyOnTrial(t *testing.T) {
	g, ask := trial(t)
	changed := filepath.Join(t.TempDir(), "other.hcl")
	if err := os.WriteFile(changed, []byte(strings.Replace(trialConfig, `"offer")`, `"figures")`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	says(t, ask(exitFailed, "policy", "diff", changed), "rule p.data.quarantine.offers: changed")
	says(t, ask(exitDone, "policy", "diff", g.config()), "no differences")
	if out := ask(exitDone, "policy", "replay", "--policy", changed, "--changed"); len(strings.Fields(out)) != 2 {
		t.Errorf("replay finds changed\n%s", out)
	}
	says(t, ask(exitDone, "policy", "replay", "--policy", changed), "Replayed 2 messages", "accept → quarantine", "quarantine → accept", "p.data.quarantine.offers")
	ask(exitUsage, "policy", "replay")
	ask(exitUsage, "policy", "replay", "--policy", changed, "--since", "soon")
	ask(exitFailed, "policy", "shadow", "report")
	says(t, ask(exitDone, "policy", "shadow", changed), "is on trial")
	if err := sendOne(g.address("smtp", "edge"), "bob@local.test", "figures again"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() (string, bool) {
		out := ask(exitDone, "policy", "shadow", "report")
		return out, strings.Contains(out, "on trial since") && strings.Contains(out, "accept → quarantine")
	})
	ask(exitDone, "policy", "shadow", "stop")
	ask(exitFailed, "policy", "shadow", "stop")
	ask(exitFailed, "policy", "rollback")
	g.write(strings.Replace(trialConfig, `"offer")`, `"figures")`, 1))
	ask(exitDone, "reload")
	says(t, ask(exitDone, "policy", "diff", changed), "no differences")
	says(t, ask(exitDone, "policy", "rollback"), "The files are as they were")
	ask(exitFailed, "policy", "diff", changed)
}

// TestTraceFlags: what trace chooses by, how it prints, and that it fails where it
// finds nothing.
func TestTraceFlags(t *testing.T) {
	g, ask := trial(t)
	count := func(args ...string) (n int) {
		t.Helper()
		for line := range strings.Lines(ask(exitDone, append([]string{"trace", "--json"}, args...)...)) {
			var r trail.Record
			if err := json.Unmarshal([]byte(line), &r); err != nil || !r.ID.Valid() {
				t.Errorf("%q: %v", line, err)
			}
			n++
		}
		return n
	}
	for _, c := range []struct {
		want int
		args []string
	}{{2, nil}, {2, []string{"bob@local.test"}}, {1, []string{"--verdict", "quarantine"}}, {1, []string{"--rule", "offers"}}, {2, []string{"--since", "1h"}},
		{1, []string{"figures"}}, {1, []string{"--limit", "1"}}, {2, []string{"--until", "0s"}}} {
		if got := count(c.args...); got != c.want {
			t.Errorf("trace %q finds %d, want %d", c.args, got, c.want)
		}
	}
	for _, args := range [][]string{{"nobody@local.test"}, {"--verdict", "reject"}, {"--rule", "p.data.quarantine.other"}, {"--until", "1h"}} {
		says(t, ask(exitFailed, append([]string{"trace"}, args...)...), "no such message since")
	}
	ask(exitUsage, "trace", "--since", "tomorrow")
	ask(exitUsage, "trace", "--until", "2999-01-01")
	c := exec.Command(binary, "trace", "--follow", "--json", "--verdict", "quarantine", "--data", g.data())
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Wait()
	defer c.Process.Kill()
	lines := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		lines <- line
	}()
	waitFor(t, func() (string, bool) { // it may have come before who follows
		if err := sendOne(g.address("smtp", "edge"), "bob@local.test", "offer to be followed"); err != nil {
			t.Fatal(err)
		}
		select {
		case line := <-lines:
			says(t, line, `"subject":"offer to be followed"`)
			return "", true
		default:
			return "nothing is told", false
		}
	})
}
