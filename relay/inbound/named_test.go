package inbound

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// TestDefectsOfTheEngineAreNamed: each defect of go-smtp that we know of, C1 to
// C16, has a dialogue or a test that names it, so that whoever changes the engine
// finds what hangs on it.
func TestDefectsOfTheEngineAreNamed(t *testing.T) {
	var all []byte
	for _, pattern := range []string{"testdata/dialogues/*.txt", "*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, f := range files {
			if f == "named_test.go" {
				continue
			}
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b...)
		}
	}
	for n := 1; n <= 16; n++ {
		if !regexp.MustCompile(`\bC` + strconv.Itoa(n) + `\b`).Match(all) {
			t.Errorf("no test names C%d", n)
		}
	}
}
