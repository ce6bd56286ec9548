package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The data directory runs full (threats: silent loss): the client hears 452, nothing that
// was acknowledged is lost, and mail is taken again once there is room, without anybody's
// doing. The disk is a small one of its own, which only root can mount.
func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("mounting a small disk needs root")
	}
	out := newSink(t)
	g := &gateway{t: t, dir: t.TempDir()}
	if err := os.MkdirAll(g.data(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", g.data(), "tmpfs", 0, "size=128m"); err != nil {
		t.Skipf("no small disk can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(g.data(), syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	g.write(fmt.Sprintf(crashConfig, out.addr))
	g.start()
	t.Cleanup(func() { g.end(syscall.SIGTERM) })

	ballast := filepath.Join(g.data(), "ballast")
	if err := fill(ballast); err != nil {
		t.Fatal(err)
	}
	addr, big := g.address("smtp", "edge"), strings.Repeat("x", 1<<20)
	var taken []string
	var err error
	for i := 0; i < 200 && err == nil; i++ {
		subject := fmt.Sprintf("message %d", i)
		if err = sendOne(addr, "ann@rcpt.test", subject+"\r\nX-Big: "+strings.ReplaceAll(big[:900], "x", "y")+"\r\n\r\n"+wrapped(big)); err == nil {
			taken = append(taken, subject)
		}
	}
	if err == nil || !strings.HasPrefix(err.Error(), "452 ") {
		t.Fatalf("after %d messages on a full disk: %v", len(taken), err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() (string, bool) {
		err := sendOne(addr, "ann@rcpt.test", "room again")
		return fmt.Sprintf("with room again: %v", err), err == nil
	})
	waitFor(t, func() (string, bool) {
		got := out.subjects()
		for _, s := range append(taken, "room again") {
			if got[s] == 0 {
				return s + " was acknowledged and has not arrived", false
			}
		}
		return "", true
	})
	if s, err := g.client().QueueSummary(context.Background()); err != nil || s.Messages > 0 {
		t.Errorf("left in the queue: %+v, %v", s, err)
	}
}

// fill takes all the room that a disk has, but for a little.
func fill(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	for {
		if _, err := f.Write(make([]byte, 64<<10)); err != nil {
			return nil
		}
	}
}

func wrapped(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		n := min(len(s), 900)
		b.WriteString(s[:n] + "\r\n")
		s = s[n:]
	}
	return b.String()
}
