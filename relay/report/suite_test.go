package report

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// suite calls f with every report of others that lies in FOREPOST_SUITES.
func suite(t testing.TB, f func(name string, data []byte)) (n int) {
	t.Helper()
	root := os.Getenv("FOREPOST_SUITES")
	if root == "" {
		return 0
	}
	root = filepath.Join(root, "reports")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path, filepath.Join(root, "mail-auth")) && filepath.Ext(path) == ".json" && !strings.HasSuffix(path, "rpt03.json") {
			return err // the .json beside mail-auth's reports are what it makes of them
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		n++
		f(filepath.ToSlash(name), data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDump(t *testing.T) {
	n := suite(t, func(name string, data []byte) {
		r, err := Read(data)
		switch {
		case err != nil:
			t.Log(name, err, errors.Is(err, ErrNoReport))
		case r.Kind == KindDMARC:
			s := 0
			for _, x := range r.DMARC.Records {
				s += x.Count
			}
			t.Log(name, r.Kind, r.DMARC.Org, r.DMARC.Policy.Domain, len(r.DMARC.Records), s, r.DMARC.Begin)
		case r.Kind == KindTLS:
			t.Log(name, r.Kind, r.TLS.Org, r.TLS.Policies)
		default:
			t.Log(name, r.Kind, r.Feedback)
		}
	})
	t.Log(n)
}
