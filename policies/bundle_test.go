package policies

import (
	"testing"
)

// TestBundle: what was packed loads the same, without any of the files, but for
// secrets, which are not in it.
func TestBundle(t *testing.T) {
	files := map[string]string{
		"/etc/main.hcl":       "hostname = \"mx.example.com\"\ninclude = [\"d/*.hcl\"]\n" + `list "never" { file = "never.txt" }` + "\n",
		"/etc/d/policy.hcl":   "policy \"p\" {\n  connect {\n    drop \"never\" {\n      when = client.name == secret(\"word\")\n    }\n  }\n}\n",
		"/etc/never.txt":      "192.0.2.1\n",
		"/secrets/word":       "hush",
		"/etc/unrelated.text": "x",
	}
	files["/etc/main.hcl"] = "hostname = \"mx.example.com\"\ninclude = [\"d/*.hcl\"]\nlist \"never\" {\n  type = ip\n  file = \"never.txt\"\n}\n"
	w := newWorld()
	b, cfg, ds := Pack("/etc/main.hcl", w.memory(files))
	if cfg == nil {
		t.Fatal(ds)
	}
	for _, name := range []string{"/etc/main.hcl", "/etc/d/policy.hcl", "/etc/never.txt"} {
		if string(b.Files[name]) != files[name] {
			t.Errorf("%s is not in the bundle", name)
		}
	}
	if len(b.Files) != 3 {
		t.Errorf("%d files in the bundle", len(b.Files))
	}
	again, ds := Load(b.Main, b.Options(w.memory(map[string]string{"/secrets/word": "hush"})))
	if again == nil {
		t.Fatal(ds)
	}
	if a, b := cfg.l.hash("p"), again.l.hash("p"); a != b {
		t.Errorf("the hash was %s and is %s", a, b)
	}
	same, _, _ := Pack("/etc/main.hcl", w.memory(files))
	files["/etc/never.txt"] = "192.0.2.2\n"
	other, _, _ := Pack("/etc/main.hcl", w.memory(files))
	if b.Hash() != same.Hash() || b.Hash() == other.Hash() {
		t.Errorf("hashes %s, %s and %s", b.Hash(), same.Hash(), other.Hash())
	}
}
