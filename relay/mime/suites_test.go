package mime

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// suiteFiles reads the messages of the suites that others wrote, with CRLF as
// line ends, by path.
func suiteFiles(t testing.TB, dirs ...string) map[string][]byte {
	t.Helper()
	root := os.Getenv("FOREPOST_SUITES")
	if root == "" {
		t.Skip("FOREPOST_SUITES is not set")
	}
	files := map[string][]byte{}
	for _, dir := range dirs {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			files[path] = withCRLF(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(files) == 0 {
		t.Fatalf("no messages in %v of %s", dirs, root)
	}
	return files
}

func withCRLF(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
}

var mimeSuites = []string{"mime-enmime", "mime-ruby-mail", "mime-python-email"}

// TestSuites parses every message of the suites: spans nest, fields cover, and
// contents can be read.
func TestSuites(t *testing.T) {
	var slowest time.Duration
	var which string
	for path, msg := range suiteFiles(t, append(mimeSuites, "spam", "dkim")...) {
		p := parseWhole(msg)
		if took := leastParse(msg); took > slowest {
			slowest, which = took, fmt.Sprintf("%s (%d octets)", filepath.Base(path), len(msg))
		}
		if err := checkSpans(p, msg); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		readAll(t, path, p, msg)
	}
	t.Logf("the slowest parse took %v: %s", slowest, which)
}

// leastParse is the least time of ten that a parse takes: one of them is hardly
// disturbed.
func leastParse(msg []byte) time.Duration {
	least := time.Hour
	for range 10 {
		began := time.Now()
		parseWhole(msg)
		least = min(least, time.Since(began))
	}
	return least
}

// TestSuiteStructure checks what a few known messages hold: a parser that finds
// nothing would pass all the rest.
func TestSuiteStructure(t *testing.T) {
	cases := []struct{ file, want string }{
		{"mime-python-email/msg_01.txt", "text/plain"},
		{"mime-python-email/msg_04.txt", "multipart/mixed(text/plain text/plain)"},
		{"mime-python-email/msg_05.txt", "multipart/report(text/plain text/plain message/rfc822[text/plain])"},
		{"mime-python-email/msg_12.txt", "multipart/mixed(text/plain text/html multipart/mixed(text/plain text/plain) text/plain text/plain)"},
		{"mime-python-email/msg_11.txt", "message/rfc822[text/plain]"},
		{"mime-enmime/mail/attachment.raw", "multipart/mixed(text/plain text/html)"},
	}
	files := suiteFiles(t, mimeSuites...)
	for _, c := range cases {
		msg, ok := files[filepath.Join(os.Getenv("FOREPOST_SUITES"), c.file)]
		if !ok {
			t.Errorf("%s: missing", c.file)
			continue
		}
		if got := shape(parseWhole(msg)); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.file, got, c.want)
		}
	}
}

// TestSplit parses the suites in pieces: the result is the same for any split.
func TestSplit(t *testing.T) {
	files := suiteFiles(t, mimeSuites...)
	for path, msg := range files {
		want := dump(parseWhole(msg))
		for _, size := range []int{1, 2, 3, 7, 64, 1000} {
			if len(msg) > 200000 && size < 7 {
				continue
			}
			if got := dump(parsePieces(msg, size)); got != want {
				t.Errorf("%s in pieces of %d differs", path, size)
			}
		}
	}
}
