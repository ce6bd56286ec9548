package test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOneReplyForAll: where a message is refused for all its recipients, and the
// reply is that of a rule that decided for one of them, the report says whose.
func TestOneReplyForAll(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.hcl": "hostname = \"mx.example.com\"\n\ndomain \"example.com\" {\n  route = route.store\n}\n\nlistener \"edge\" {\n  address = \":25\"\n  policy  = policy.p\n}\n\n" +
			"policy \"p\" {\n  partial = bounce\n\n  data {\n    reject \"bob\" {\n      when = rcpt.local == \"bob\"\n      text = \"5.7.1 Not bob\"\n    }\n\n    reject \"rest\" {\n      text = \"5.7.1 Nobody\"\n    }\n  }\n}\n",
		"a.test.hcl": "case \"both\" {\n  listener = listener.edge\n  rcpt     = [\"bob@example.com\", \"eve@example.com\"]\n\n  expect \"eve@example.com\" {\n    verdict = accept\n  }\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rep := run(t, filepath.Join(dir, "a.test.hcl"), options(filepath.Join(dir, "a.hcl")))
	var text bytes.Buffer
	if err := rep.Text(&text, false); err != nil || rep.Failed != 1 || !strings.Contains(text.String(), "p.data.reject.bob decided for bob@example.com, and the data have one reply") {
		t.Errorf("%v\n%s", err, text.String())
	}
}
