package main

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What keeps the gateway from starting is told with what to do about it.
func TestWhyItDoesNotStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	running := serveGateway(t, doors("127.0.0.1:0"))
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, address, data, want string }{
		{"another program has the port", taken.Addr().String(), t.TempDir(), "stop that one"},
		{"an address of another machine", "192.0.2.1:0", t.TempDir(), "ip addr"},
		{"a second gateway on the same data", "127.0.0.1:0", running.data(), "in use by process"},
		{"a file in place of the data", "127.0.0.1:0", file, "must be a directory"},
	} {
		config := writeFile(t, "forepost.hcl", doors(c.address))
		code, out, errs := forepost("serve", "--config", config, "--data", c.data)
		if code != exitFailed || !strings.Contains(errs, c.want) {
			t.Errorf("%s: it ends with %d\n%s%s", c.name, code, out, errs)
		}
	}
}

// Warnings about a configuration that is in force are lines of the log, in its
// format.
func TestWarningsAreLogged(t *testing.T) {
	config := doors("127.0.0.1:0") + "log {\n  format = json\n}\nlist \"unused\" {\n  type = word\n  items = [\"a\"]\n}\n"
	g := serveGateway(t, config)
	if code, _, errs := forepost("reload", "--data", g.data()); code != exitDone {
		t.Errorf("reload ends with %d: %s", code, errs)
	}
	warned := 0
	for _, line := range strings.Split(strings.TrimSpace(g.log.String()), "\n") {
		var l struct {
			Level, Msg, File, Code string
			Line                   int
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Errorf("not JSON: %q", line)
		}
		if strings.HasPrefix(l.Msg, "configuration: ") && l.Level == "WARN" && l.File == g.config() && l.Line > 0 && l.Code != "" {
			warned++
		}
	}
	if warned != 2 {
		t.Errorf("%d warnings in the log, want one of the start and one of the reload\n%s", warned, g.log)
	}
}
