package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPolicyFmt: standard input for editors, files in place, a link stays a link,
// and what is wrong with one file is told as check tells it and keeps no other
// file from being formatted.
func TestPolicyFmt(t *testing.T) {
	const odd, usual = "log {\nlevel=debug\n}\n", "log {\n  level = debug\n}\n"
	for typed, want := range map[string]string{odd: usual, usual: usual} {
		if code, out, errs := foreposted(typed, "policy", "fmt", "-"); code != exitDone || out != want || errs != "" {
			t.Errorf("fmt - of %q ends with %d and gives %q %s", typed, code, out, errs)
		}
	}
	code, out, errs := foreposted("log {\nlevel = not debug\n}\n", "policy", "fmt", "-")
	if code != exitFailed || out != "" || !strings.Contains(errs, "on - line 2:\n  2: level = not debug\n") || !strings.Contains(errs, "FP0001") {
		t.Errorf("a mistake on standard input ends with %d and says %q %s", code, out, errs)
	}
	bad, file := writeFile(t, "bad.hcl", "log {\n"), writeFile(t, "odd.hcl", odd)
	link := filepath.Join(t.TempDir(), "link.hcl")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := forepost("policy", "fmt", "--check", link); code != exitFailed || strings.TrimSpace(errs) != link {
		t.Errorf("--check ends with %d and says %s", code, errs)
	}
	if code, _, errs := forepost("policy", "fmt", bad, link); code != exitFailed || !strings.Contains(errs, bad+" line 1") {
		t.Errorf("a bad file ends with %d and says %s", code, errs)
	}
	text, err := os.ReadFile(file)
	if to, errLink := os.Readlink(link); err != nil || string(text) != usual || errLink != nil || to != file {
		t.Errorf("%q, %v; the link: %q, %v", text, err, to, errLink)
	}
	if code, _, errs := forepost("policy", "fmt", "--check", link); code != exitDone || errs != "" {
		t.Errorf("--check of what was formatted ends with %d and says %s", code, errs)
	}
}
