package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/forepost/forepost/cmd/internal/admin"
)

// Lists are tables on a terminal and cells with tabs between them elsewhere; --format is
// a template for each entry, and one that cannot be is told before anything is done.
func TestListsComeOut(t *testing.T) {
	g, ask := queueing(t)
	lines := strings.Split(strings.TrimSuffix(ask(exitDone, "queue", "list", "to:bob3@*"), "\n"), "\n")
	if len(lines) != 2 || lines[0] != "ID\tSINCE\tSIZE\tFROM\tTO\tTRIES\tNEXT\tREASON" || strings.Count(lines[1], "\t") != 7 || !strings.Contains(lines[1], "\t<a@send.test>\tbob3@rcpt.test\t") {
		t.Errorf("piped: %q", lines)
	}
	if shown := onPTY(t, "queue", "list", "to:bob3@*", "--data", g.data()); strings.Contains(shown, "\t") || !strings.Contains(shown, "<a@send.test>  bob3@rcpt.test  ") {
		t.Errorf("on a terminal: %q", shown)
	}
	if shown := onPTY(t, "queue", "shape", "--data", g.data()); !strings.Contains(shown, "LAST REPLY") || !strings.Contains(shown, "TOTAL") {
		t.Errorf("on a terminal: %q", shown)
	}
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitDone, "bob3@rcpt.test waiting\n", []string{"queue", "list", "to:bob3@*", "--format", "{{range .To}}{{.Address}} {{.State}}{{end}}"}},
		{exitDone, "rcpt.test 5\n", []string{"queue", "shape", "--format", "{{.Domain}} {{.Total}}"}},
		{exitDone, "5 messages\n", []string{"queue", "summary", "--format", "{{.Messages}} messages"}},
		{exitDone, "DOMAIN\tT\t5\t10\t20\t40\t80\t160\t320\t640\t1280\t1280+\tREASON\nrcpt.test\t5\t5\t0\t", []string{"queue", "shape"}},
		{exitDone, "a@send.test\n", []string{"trace", "bob3@rcpt.test", "--format", "{{.From}}"}},
		{exitDone, "", []string{"queue", "list", "to:@other.test", "--format", "{{.ID}}"}},
		{exitDone, "nobody is banned\n", []string{"ban", "list"}},
		{exitDone, "nothing is in quarantine that this chooses\n", []string{"quarantine", "list"}},
		{exitDone, "no route is paused\n", []string{"route", "paused"}},
		{exitUsage, "unclosed action", []string{"queue", "list", "--format", "{{.ID"}},
		{exitUsage, "can't evaluate field Colour", []string{"queue", "list", "--format", "{{.Colour}}"}},
		{exitUsage, "give one", []string{"queue", "list", "--json", "--format", "{{.ID}}"}},
	} {
		if got := ask(c.code, c.args...); !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%q says %q, want %q", c.args, got, c.want)
		}
	}
}

// TestExitCodeOfErrors: scripts go by them, whatever an error is wrapped in.
func TestExitCodeOfErrors(t *testing.T) {
	for code, err := range map[int]error{
		1: errors.New("no"), 2: coded{errors.New("usage"), exitUsage}, 3: admin.ErrNotRunning,
		4: admin.ErrPermission, 5: coded{errors.New("1 of 2"), exitPartly},
	} {
		if got := exitCode(fmt.Errorf("queue: %w", err)); got != code {
			t.Errorf("%v ends with %d, want %d", err, got, code)
		}
	}
}

// onPTY is what a command shows on a terminal.
func onPTY(t *testing.T, args ...string) string {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	defer master.Close()
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	shown := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(master) // ends in EIO when nobody has the other side
		shown <- string(text)
	}()
	c := exec.Command(binary, args...)
	c.Stdout = slave
	err = c.Run()
	slave.Close()
	if err != nil {
		t.Errorf("%q: %v", args, err)
	}
	return <-shown
}
