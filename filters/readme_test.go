package filters_test

import (
	"os"
	"strings"
	"testing"
)

// TestREADME: the code that the README shows is the code that is compiled and
// tested.
func TestREADME(t *testing.T) {
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := strings.Split(string(b), "<!-- file: ")[1:]
	if len(shown) != 2 {
		t.Fatalf("the README shows %d files, want 2", len(shown))
	}
	for _, s := range shown {
		name, rest, _ := strings.Cut(s, " -->\n```go\n")
		code, _, ok := strings.Cut(rest, "```\n")
		if !ok {
			t.Errorf("%s: no block of code follows", name)
			continue
		}
		file, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if string(file) != code {
			t.Errorf("what the README shows of %s is not what stands there; copy it anew", name)
		}
	}
}
