package dkimkeys

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	mdns "github.com/miekg/dns"

	"github.com/forepost/forepost/filters/dkim"
	"github.com/forepost/forepost/relay/dns"
)

func make2(t *testing.T, d Dir, n New) []Key {
	t.Helper()
	keys, err := d.Make(n)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

var both = []Sort{RSA, Ed25519}

func TestKeysAreWrittenForTheirOwnerAloneAndReadBack(t *testing.T) {
	d := Dir(filepath.Join(t.TempDir(), "keys", "here"))
	keys := make2(t, d, New{Domain: "example.test", Selector: "s1", Sorts: both, Bits: 2048})
	if len(keys) != 2 || keys[0].Selector != "s1-rsa" || keys[1].Selector != "s1-ed25519" || keys[0].Algorithm() != "rsa-2048" || keys[1].Algorithm() != "ed25519" {
		t.Fatalf("%+v", keys)
	}
	for _, k := range keys {
		st, err := os.Stat(k.File)
		if err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want 0600", k.File, st.Mode(), err)
		}
		if st, err := os.Stat(filepath.Dir(k.File)); err != nil || st.Mode().Perm() != 0o700 {
			t.Errorf("its folder: %v, %v; want 0700", st.Mode(), err)
		}
		text, err := os.ReadFile(k.File)
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := pem.Decode(text); b == nil || b.Type != "PRIVATE KEY" {
			t.Errorf("%s is not PKCS #8 in PEM", k.File)
		}
	}
	back, err := d.Keys("example.test")
	if err != nil || len(back) != 2 || back[0].Record() != keys[1].Record() || back[1].Record() != keys[0].Record() {
		t.Errorf("read back: %+v, %v", back, err)
	}
	if names, err := d.Domains(); err != nil || len(names) != 1 || names[0] != "example.test" {
		t.Errorf("domains: %v, %v", names, err)
	}
	if _, err := dkim.NewSigner(map[string][]dkim.Key{"example.test": {{Selector: "s1-rsa", PEM: pemOf(t, keys[0])}, {Selector: "s1-ed25519", PEM: pemOf(t, keys[1])}}}); err != nil {
		t.Errorf("the gateway's signer does not take them: %v", err)
	}
}

func pemOf(t *testing.T, k Key) string {
	t.Helper()
	b, err := os.ReadFile(k.File)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The second of two keys cannot be made: the first goes again, and what was
// there before stays.
func TestMakeMakesAllOrNone(t *testing.T) {
	d := Dir(t.TempDir())
	old := make2(t, d, New{Domain: "example.test", Selector: "s-ed25519", Sorts: []Sort{Ed25519}})
	before := pemOf(t, old[0])
	if _, err := d.Make(New{Domain: "example.test", Selector: "s", Sorts: both, Bits: 2048}); err == nil || !strings.Contains(err.Error(), "never written over") {
		t.Errorf("made over a key that is there: %v", err)
	}
	keys, err := d.Keys("example.test")
	if err != nil || len(keys) != 1 || pemOf(t, old[0]) != before {
		t.Errorf("%+v, %v; want the old key alone", keys, err)
	}
}

func TestMakeRefuses(t *testing.T) {
	for why, n := range map[string]New{
		"no sort":                      {Domain: "a.test", Selector: "s"},
		"an unknown sort":              {Domain: "a.test", Selector: "s", Sorts: []Sort{"dsa"}},
		"a sort twice":                 {Domain: "a.test", Selector: "s", Sorts: []Sort{RSA, RSA}, Bits: 2048},
		"a short key":                  {Domain: "a.test", Selector: "s", Sorts: []Sort{RSA}, Bits: 1024},
		"a long key":                   {Domain: "a.test", Selector: "s", Sorts: []Sort{RSA}, Bits: 8192},
		"a selector that is a path":    {Domain: "a.test", Selector: "../s", Sorts: []Sort{Ed25519}},
		"no selector":                  {Domain: "a.test", Sorts: []Sort{Ed25519}},
		"a selector in capitals":       {Domain: "a.test", Selector: "S", Sorts: []Sort{Ed25519}},
		"a domain that is a path":      {Domain: "../../etc", Selector: "s", Sorts: []Sort{Ed25519}},
		"a domain that is an address":  {Domain: "[192.0.2.1]", Selector: "s", Sorts: []Sort{Ed25519}},
		"a domain that is not as kept": {Domain: "A.test", Selector: "s", Sorts: []Sort{Ed25519}},
	} {
		dir := t.TempDir()
		if keys, err := Dir(dir).Make(n); err == nil {
			t.Errorf("%s: made %+v", why, keys)
		}
		if found, _ := filepath.Glob(filepath.Join(dir, "*", "*")); len(found) > 0 {
			t.Errorf("%s: left %v", why, found)
		}
	}
}

// What is printed for the DNS is a record that DNS software reads, in strings of
// at most 255 octets, and has the key.
func TestBindReadsBack(t *testing.T) {
	d := Dir(t.TempDir())
	for _, bits := range []int{2048, 4096} {
		keys := make2(t, d, New{Domain: "example.test", Selector: "s" + string(rune('0'+bits/1024)), Sorts: both, Bits: bits})
		for _, k := range keys {
			rr, err := mdns.NewRR(Bind(k))
			if err != nil {
				t.Fatalf("%v:\n%s", err, Bind(k))
			}
			txt := rr.(*mdns.TXT)
			if txt.Hdr.Name != k.Name()+"." || strings.Join(txt.Txt, "") != k.Record() {
				t.Errorf("%s reads back as %s %v", k.Name(), txt.Hdr.Name, txt.Txt)
			}
			for _, s := range txt.Txt {
				if len(s) > 255 {
					t.Errorf("a string of %d octets", len(s))
				}
			}
			zone, err := dns.ParseZone("x.zone", []byte(Bind(k)))
			if err != nil {
				t.Fatal(err)
			}
			if s, why := Look(t.Context(), zone, k); s != Published {
				t.Errorf("%s: %s %s", k.Selector, s, why)
			}
		}
	}
}

func TestLookTellsWhatIsWrong(t *testing.T) {
	d := Dir(t.TempDir())
	k := make2(t, d, New{Domain: "example.test", Selector: "s", Sorts: []Sort{Ed25519}})[0]
	other := make2(t, d, New{Domain: "example.test", Selector: "o", Sorts: both, Bits: 2048})
	for _, c := range []struct {
		txt  any
		want State
		why  string
	}{
		{[]string{k.Record()}, Published, ""},
		{[]string{strings.ReplaceAll(k.Record(), "; ", ";") + ";t=y; n=note"}, Published, ""},
		{[]string{other[1].Record()}, Differs, "another key"},
		{[]string{other[0].Record()}, Differs, "another key"},
		{[]string{"v=DKIM1; k=ed25519; p="}, Revoked, "revoked"},
		{[]string{"v=spf1 -all"}, Differs, "unknown version"},
		{[]string{k.Record(), "v=spf1 -all"}, Differs, "more than one"},
		{nil, Missing, "no TXT record at s._domainkey.example.test"},
		{"timeout", Unknown, "in time"},
		{"servfail", Unknown, "SERVFAIL"},
	} {
		types := map[string]any{"A": []string{"192.0.2.1"}}
		if c.txt != nil {
			types["TXT"] = c.txt
		}
		s, why := Look(t.Context(), dns.MustZone(dns.Names{k.Name(): types}), k)
		if s != c.want || !strings.Contains(why, c.why) {
			t.Errorf("%v: %s, %q; want %s, %q", c.txt, s, why, c.want, c.why)
		}
	}
	if s, _ := Look(t.Context(), dns.MustZone(dns.Names{}), k); s != Missing {
		t.Errorf("no such name: %s", s)
	}
}

func TestConfigQuotesForHCL(t *testing.T) {
	got := Config([]Key{{Selector: "s", File: `/a "b"/${x}\%{y}`}})
	if want := "dkim = [\n  { selector = \"s\", key = file(\"/a \\\"b\\\"/$${x}\\\\%%{y}\") },\n]\n"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What root makes belongs to the owner of the directory above: the gateway runs
// as that user.
func TestKeysBelongToTheOwnerOfTheDirectory(t *testing.T) {
	dir := t.TempDir()
	want := os.Geteuid()
	if want == 0 {
		want = 65534
		if err := os.Chown(dir, want, want); err != nil {
			t.Fatal(err)
		}
	}
	k := make2(t, Dir(filepath.Join(dir, "keys")), New{Domain: "example.test", Selector: "s", Sorts: []Sort{Ed25519}})[0]
	for p := k.File; p != dir; p = filepath.Dir(p) {
		st, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		if got := int(st.Sys().(*syscall.Stat_t).Uid); got != want {
			t.Errorf("%s belongs to %d, want %d", p, got, want)
		}
	}
}
