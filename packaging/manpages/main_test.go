package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPagesAreFresh: what is packaged is what the tables say.
func TestPagesAreFresh(t *testing.T) {
	for name, want := range pages() {
		got, err := os.ReadFile(filepath.Join("..", "files", name))
		if err != nil || string(got) != want {
			t.Errorf("%s is old (%v); run go run ./packaging/manpages", name, err)
		}
	}
}

// TestPagesAreRoff: no line of a text is taken for a request.
func TestPagesAreRoff(t *testing.T) {
	requests := []string{".TH", ".SH", ".TP", ".B", ".BR", ".br"}
	for name, text := range pages() {
		for i, line := range strings.Split(text, "\n") {
			known := !strings.HasPrefix(line, ".") && !strings.HasPrefix(line, "'")
			for _, r := range requests {
				known = known || line == r || strings.HasPrefix(line, r+" ")
			}
			if !known || len(line) > 2000 {
				t.Errorf("%s:%d: %s", name, i+1, line)
			}
		}
	}
}

// TestPagesHaveNoControls: what stands in a page is text, those written by hand too.
func TestPagesHaveNoControls(t *testing.T) {
	names, _ := filepath.Glob("../files/*.[0-9]")
	if len(names) < 4 {
		t.Fatal("where are the pages?")
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
				t.Errorf("%s:%d: %q", name, i+1, line)
			}
		}
	}
}
