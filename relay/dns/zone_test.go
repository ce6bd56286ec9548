package dns

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	mdns "github.com/miekg/dns"
)

func TestZoneFiles(t *testing.T) {
	files := map[string]string{
		"good.zone": "$ORIGIN example.test.\n@ IN MX 10 mx\nmx IN A 192.0.2.1\n*.w 60 IN TXT \"a\" \"b\"\n",
		"good.json": `{"example.test": {"MX": ["10 mx.example.test."]}, "mx.example.test": {"A": ["192.0.2.1"]}, "*.w.example.test": {"txt": [["a", "b"]]}}`,
	}
	for name, text := range files {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			z, err := NewZone(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := outcome(z.Query(t.Context(), "example.test", mdns.TypeMX)); got != "10 mx.example.test." {
				t.Errorf("MX: got %s", got)
			}
			if got, err := LookupTXT(t.Context(), z, "x.w.example.test"); err != nil || len(got) != 1 || got[0] != "ab" {
				t.Errorf("TXT: got %q, %v", got, err)
			}
		})
	}
}

// What is wrong with a file is said with its name and place.
func TestZoneErrors(t *testing.T) {
	cases := []struct{ why, file, text, want string }{
		{"another ending", "x.txt", "", ".zone (master format) or .json"},
		{"bad JSON", "x.json", "{", "x.json: not a zone in JSON"},
		{"a bad name", "x.json", `{"a..b": {}}`, `"a..b" is not a name`},
		{"a bad type", "x.json", `{"a.test": {"AX": []}}`, "a.test AX: there is no such type"},
		{"a bad word", "x.json", `{"a.test": {"A": "slow"}}`, "slow is neither a list nor one of timeout, servfail"},
		{"a bad error", "x.json", `{"a.test": {"error": 5}}`, "5 is neither"},
		{"bad data", "x.json", `{"a.test": {"A": ["1.2.3"]}}`, `"1.2.3" is not the data`},
		{"a number for data", "x.json", `{"a.test": {"A": [7]}}`, "7 is not a string"},
		{"two records in one", "x.json", `{"a.test": {"A": ["192.0.2.1\nevil.test. IN A 6.6.6.6"]}}`, "one.zone"},
		{"a long string of a record", "x.json", `{"a.test": {"TXT": [["` + strings.Repeat("x", 256) + `"]]}}`, "at most 255"},
		{"a bad line", "x.zone", "a.test. IN A 1.2.3", "x.zone"},
		{"another file", "x.zone", "$INCLUDE /etc/passwd", "$INCLUDE"},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			z, err := ParseZone(c.file, []byte(c.text))
			if c.want == "one.zone" { // the rest of the data is not read as another record
				if err == nil && outcome(z.Query(t.Context(), "evil.test", mdns.TypeA)) != "nxdomain" {
					t.Error("data made a second record")
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
		})
	}
}

func TestZoneBudgetOfDeepNames(t *testing.T) {
	name := strings.Repeat("a.", 120) + "test"
	z := MustZone(Names{name: {"A": []string{"192.0.2.1"}}})
	if got := outcome(z.Query(t.Context(), name, mdns.TypeA)); got != "192.0.2.1" {
		t.Errorf("got %s", got)
	}
	if got := outcome(z.Query(t.Context(), "b."+name[2:], mdns.TypeA)); got != "nxdomain" {
		t.Errorf("got %s", got)
	}
}

// FuzzParseZone looks for a file that stops the program, and for text that does
// not come back as it went in.
func FuzzParseZone(f *testing.F) {
	f.Add("a.test. IN A 192.0.2.1\n", false)
	f.Add(`{"a.test": {"TXT": ["a\\b", ["x", "y"]], "error": "timeout"}}`, true)
	f.Fuzz(func(t *testing.T, text string, isJSON bool) {
		name := "x.zone"
		if isJSON {
			name = "x.json"
		}
		if strings.Contains(text, "$GENERATE") {
			return // makes up to 65535 records, on the operator's own word
		}
		z, err := ParseZone(name, []byte(text))
		if err != nil {
			return
		}
		for name := range z.names {
			z.Query(t.Context(), name, mdns.TypeTXT)
		}
		if got := unescape(escape(text)); got != text {
			t.Errorf("%q came back as %q", text, got)
		}
	})
}
