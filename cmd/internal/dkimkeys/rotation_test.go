package dkimkeys

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// One rotation as it goes, with its ways back: each line is a look at the world.
func TestAdvance(t *testing.T) {
	r := &Rotation{Domain: "example.test", New: []string{"n-rsa", "n-ed25519"}, Old: []string{"o"}}
	day := 24 * time.Hour
	for _, c := range []struct {
		why     string
		at      time.Duration
		seen    bool
		signing string
		want    Step
	}{
		{"just made", 0, false, "o", Publish},
		{"switched before the DNS has them", 1 * day, false, "n-rsa n-ed25519", Publish},
		{"the DNS has them", 2 * day, true, "o", Switch},
		{"one of two signs", 2 * day, true, "n-rsa", Switch},
		{"the old one signs as well", 2 * day, true, "n-rsa n-ed25519 o", Switch},
		{"switched", 3 * day, true, "n-rsa n-ed25519", Keep},
		{"a record is gone again", 4 * day, false, "n-rsa n-ed25519", Publish},
		{"and back: the week runs on", 5 * day, true, "n-rsa n-ed25519", Keep},
		{"the configuration went back", 6 * day, true, "o", Switch},
		{"switched anew: a new week", 7 * day, true, "n-ed25519 n-rsa", Keep},
		{"its last moment", 14*day - time.Second, true, "n-ed25519 n-rsa", Keep},
		{"over", 14 * day, true, "n-ed25519 n-rsa", Withdraw},
	} {
		if got := r.Advance(c.seen, strings.Fields(c.signing), noon.Add(c.at), 7*day); got != c.want {
			t.Errorf("%s: %s, want %s", c.why, got, c.want)
		}
	}
	if !r.Seen.Equal(noon.Add(2*day)) || !r.Switched.Equal(noon.Add(7*day)) {
		t.Errorf("seen %v, switched %v", r.Seen, r.Switched)
	}
	first := &Rotation{New: []string{"n"}}
	if got := first.Advance(true, []string{"n"}, noon, 7*day); got != Withdraw {
		t.Errorf("without old keys: %s", got)
	}
}

func TestRotationIsRemembered(t *testing.T) {
	d := Dir(t.TempDir())
	if r, err := d.Rotation("example.test"); r != nil || err != nil {
		t.Fatalf("none was begun: %v, %v", r, err)
	}
	n := New{Domain: "example.test", Selector: "n", Sorts: []Sort{Ed25519}}
	r, keys, err := d.Begin(n, []string{"o"}, noon)
	if err != nil || len(keys) != 1 {
		t.Fatal(keys, err)
	}
	r.Advance(true, []string{"n"}, noon.Add(time.Hour), DefaultKeep)
	if err := d.Remember(r); err != nil {
		t.Fatal(err)
	}
	back, err := d.Rotation("example.test")
	if err != nil || !back.Begun.Equal(noon) || !back.Switched.Equal(noon.Add(time.Hour)) || back.New[0] != "n" || back.Old[0] != "o" {
		t.Errorf("%+v, %v", back, err)
	}
	// Another command that begins at the same time has no second one.
	n.Selector = "m"
	if _, _, err := d.Begin(n, nil, noon); err == nil {
		t.Error("a second rotation was begun")
	}
	if keys, err := d.Keys("example.test"); err != nil || len(keys) != 1 {
		t.Errorf("%d keys, %v; want that of the first alone", len(keys), err)
	}
	if files, _ := filepath.Glob(filepath.Join(string(d), "example.test", "*")); len(files) != 2 {
		t.Errorf("%v; want a key and rotation.json", files)
	}
	if err := d.End(r); err != nil {
		t.Fatal(err)
	}
	if r, err := d.Rotation("example.test"); r != nil || err != nil {
		t.Errorf("after the end: %v, %v", r, err)
	}
}

func TestDamagedRotationSaysWhatToDo(t *testing.T) {
	for _, text := range []string{"", "{", "{}", `{"domain": "other.test", "new": ["n"]}`, `{"domain": "example.test"}`} {
		d := Dir(t.TempDir())
		if err := os.MkdirAll(filepath.Join(string(d), "example.test"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(d.file("example.test", rotationFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Rotation("example.test"); err == nil || !strings.Contains(err.Error(), "remove it to begin anew") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestFreeSelector(t *testing.T) {
	d := Dir(t.TempDir())
	free := func(want string, taken ...string) {
		t.Helper()
		if got, err := d.FreeSelector("example.test", taken, noon); got != want || err != nil {
			t.Errorf("with %v: %s, %v; want %s", taken, got, err, want)
		}
	}
	free("fp20261123")
	free("fp20261123b", "fp20261123-rsa")
	make2(t, d, New{Domain: "example.test", Selector: "fp20261123", Sorts: []Sort{Ed25519}})
	free("fp20261123b")
	free("fp20261123c", "fp20261123b-ed25519")
}
