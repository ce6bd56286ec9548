package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// understand asks flufl.bounce, which Mailman reads bounces with, about files.
const understand = `
import email, json, os, sys
from flufl.bounce import all_failures
out = {}
for name in sys.argv[1:]:
    with open(name, 'rb') as f:
        temporary, permanent = all_failures(email.message_from_bytes(f.read()))
    word = lambda s: sorted(a.decode() for a in s)
    out[os.path.basename(name)] = {'temporary': word(temporary), 'permanent': word(permanent)}
print(json.dumps(out))
`

// Every kind of report that the queue writes (relay/queue/dsn keeps one of each,
// and tests that they are what is written) is understood by a parser of others.
func TestReportsAreUnderstood(t *testing.T) {
	const python = "/usr/bin/python3" // the one that Debian's modules are for
	if err := exec.Command(python, "-c", "import flufl.bounce").Run(); err != nil {
		t.Skip("python3-flufl.bounce is not installed: packaging/check.sh does that")
	}
	files, err := filepath.Glob("../../relay/queue/dsn/testdata/*.eml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no reports: %v", err)
	}
	out, err := exec.Command(python, append([]string{"-c", understand}, files...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	type failures struct{ Temporary, Permanent []string }
	var got map[string]failures
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	bob := failures{Permanent: []string{"bob@example.org"}}
	want := map[string]failures{
		"failed.eml":           bob,
		"failed-full.eml":      {Permanent: []string{"robert@example.org"}}, // ORCPT: the address that the sender knows
		"failed-too-large.eml": bob,
		"failed-two.eml":       {Permanent: []string{`"odd one"@null.example`, "bob@example.org"}},
		"expired.eml":          bob,
		"delayed.eml":          {Temporary: []string{"bob@example.org"}},
		"relayed.eml":          {}, // not failures
		"delivered.eml":        {},
		"8bit-header.eml":      bob,
		"boundary.eml":         bob,
		"null-from.eml":        bob,
		"requiretls.eml":       bob,
		"injection.eml":        {Permanent: []string{"y"}}, // the end of the client's own ORCPT, and nothing that was injected
		"smtputf8.eml":         {},                         // it knows no message/global-delivery-status (RFC 6533)
	}
	for name, w := range want {
		g, ok := got[name]
		if !ok || !slices.Equal(g.Temporary, w.Temporary) || !slices.Equal(g.Permanent, w.Permanent) {
			t.Errorf("%s is understood as %+v, want %+v", name, g, w)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: what it is to be understood as does not stand here", name)
		}
	}
}
