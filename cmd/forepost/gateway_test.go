package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
)

// binary is the program as users have it, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "forepost-test-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "forepost")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// gateway is a running `forepost serve`.
type gateway struct {
	t      *testing.T
	dir    string // configuration and data
	socket string // the control socket, "" for the one in the data directory
	cmd    *exec.Cmd
	log    *logged
	done   chan error
}

// logged is what a process says.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serveGateway starts a gateway of a configuration and waits until it answers.
func serveGateway(t *testing.T, config string) *gateway {
	t.Helper()
	g := &gateway{t: t, dir: t.TempDir()}
	g.write(config)
	g.start()
	t.Cleanup(func() { g.end(syscall.SIGTERM) })
	return g
}

func (g *gateway) config() string { return filepath.Join(g.dir, "forepost.hcl") }
func (g *gateway) data() string   { return filepath.Join(g.dir, "data") }

func (g *gateway) write(config string) {
	g.t.Helper()
	if err := os.WriteFile(g.config(), []byte(config), 0o600); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gateway) start() {
	g.t.Helper()
	g.log = &logged{}
	g.cmd = exec.Command(binary, "serve", "--config", g.config(), "--data", g.data())
	g.cmd.Stdout, g.cmd.Stderr = g.log, g.log
	if err := g.cmd.Start(); err != nil {
		g.t.Fatal(err)
	}
	done := make(chan error, 1)
	cmd := g.cmd
	go func() { done <- cmd.Wait() }()
	g.done = done
	for end := time.Now().Add(30 * time.Second); ; {
		if _, err := g.client().Status(context.Background()); err == nil {
			return
		}
		select {
		case err := <-g.done:
			g.t.Fatalf("the gateway ended: %v\n%s", err, g.log)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(end) {
			g.t.Fatalf("the gateway does not answer\n%s", g.log)
		}
	}
}

// end sends a signal and waits for the end; ending twice is fine.
func (g *gateway) end(s syscall.Signal) {
	g.t.Helper()
	if g.done == nil {
		return
	}
	if err := g.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		g.t.Error(err)
	}
	select {
	case <-g.done:
	case <-time.After(40 * time.Second):
		g.t.Errorf("the gateway does not end\n%s", g.log)
		g.cmd.Process.Kill()
		<-g.done
	}
	g.done = nil
	if s != syscall.SIGKILL && strings.Contains(g.log.String(), "panic") {
		g.t.Errorf("the gateway panicked\n%s", g.log)
	}
}

func (g *gateway) client() *admin.Client { return admin.Dial(g.control()) }

func (g *gateway) control() string { return cmp.Or(g.socket, filepath.Join(g.data(), socketName)) }

// address is where a server of the configuration listens.
func (g *gateway) address(kind, name string) string {
	g.t.Helper()
	s, err := g.client().Status(context.Background())
	if err != nil {
		g.t.Fatal(err)
	}
	for _, e := range s.Servers {
		if e.Kind == kind && e.Name == name {
			return e.Address
		}
	}
	g.t.Fatalf("no %s %q among %+v", kind, name, s.Servers)
	return ""
}

func (g *gateway) port(kind, name string) string {
	a := g.address(kind, name)
	return a[strings.LastIndexByte(a, ':')+1:]
}

// addUser makes an account.
func (g *gateway) addUser(name, password string) {
	g.t.Helper()
	if err := g.client().AddUser(context.Background(), admin.NewUser{Name: name, Password: password}); err != nil {
		g.t.Fatal(err)
	}
}

// forepost runs a command to its end.
func forepost(args ...string) (code int, stdout, stderr string) { return foreposted("", args...) }

// foreposted is forepost with something on its standard input.
func foreposted(in string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	c := exec.Command(binary, args...)
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(in), &out, &errs
	err := c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		return -1, "", err.Error()
	}
	return code, out.String(), errs.String()
}

// need skips a test whose real component is missing; packaging/check.sh
// installs all of them and allows no skip.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed", p)
		}
	}
}

// writeFile puts a file into a directory of its own.
func writeFile(t *testing.T, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
