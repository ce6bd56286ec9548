package arc

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

// TestOthersValidateOurs: python3-dkim, as Debian 12 has it, validates the links
// that we made over the messages of the suites; packaging/check.sh installs it.
// One message of each is changed, so that it does not say yes to everything.
func TestOthersValidateOurs(t *testing.T) {
	if out, err := exec.Command("/usr/bin/python3", "-c", "import dkim").CombinedOutput(); err != nil {
		t.Skipf("python3-dkim is not installed: %s", out)
	}
	s, zone := three()
	dir, records := t.TempDir(), map[string]string{}
	for _, name := range []string{"s._domainkey.one.test", "s._domainkey.two.test"} {
		txt, err := dns.LookupTXT(t.Context(), zone, name)
		if err != nil {
			t.Fatal(err)
		}
		records[name] = txt[0]
	}
	b, _ := json.Marshal(records)
	write(t, dir, "keys.json", string(b))
	n := 0
	for name, text := range letters(t) {
		n++
		for i, chain := range []string{"none", "pass", "pass"} {
			text = link1(t, s, text, pipeline.Link{Domain: []string{"one.test", "two.test"}[i%2], Chain: chain, Results: "one.test; arc=" + chain})
		}
		write(t, dir, name+".good.eml", text)
		write(t, dir, name+".changed.eml", text+"more\r\n")
	}
	out, err := exec.CommandContext(t.Context(), "/usr/bin/python3", "testdata/interop/dkimpy.py", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for _, line := range lines {
		f := strings.Fields(line)
		if want := map[bool]string{true: "pass", false: "fail"}[strings.Contains(f[0], ".good.")]; f[1] != want {
			t.Errorf("%s, want %s", line, want)
		}
	}
	if len(lines) != 2*n || n < 15 {
		t.Errorf("%d answers about %d messages", len(lines), n)
	}
	t.Logf("%d messages with three links each", n)
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// letters are messages of a MIME suite with a whole header: all of them where
// FOREPOST_INTEROP=all, else some.
func letters(t *testing.T) map[string]string {
	t.Helper()
	dir := os.Getenv("FOREPOST_SUITES")
	if dir == "" {
		t.Skip("FOREPOST_SUITES is not set")
	}
	step := 8
	if os.Getenv("FOREPOST_INTEROP") == "all" {
		step = 1
	}
	list, n := map[string]string{}, 0
	for _, suite := range []string{"mime-enmime", "mime-ruby-mail", "mime-python-email"} {
		filepath.WalkDir(filepath.Join(dir, suite), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			if n++; n%step != 0 {
				return nil
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text := wire(strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "").Replace(string(b)) + "\n")
			if strings.HasPrefix(text, "From ") {
				_, text, _ = strings.Cut(text, "\r\n")
			}
			p, err := mime.Parse(mail.Bytes(text), mime.Limits{})
			if err == nil && len(p.All("From")) == 1 && len(p.Defects) == 0 {
				list[filepath.Base(filepath.Dir(path))+"-"+filepath.Base(path)] = text
			}
			return nil
		})
	}
	return list
}
