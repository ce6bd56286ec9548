package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// suites is the folder of others' test material.
func suites(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("FOREPOST_SUITES")
	if dir == "" {
		t.Skip("FOREPOST_SUITES is not set")
	}
	return dir
}

// spfSection is one document of rfc7208-tests.yml.
type spfSection struct {
	Description string
	Tests       map[string]struct {
		Helo, Host, Mailfrom string
		Result               any // a word, or a list of those allowed
	}
	Zonedata map[string][]any
}

// The openspf suite goes through --batch, its zones as objects, translated word
// for word: names that no DNS could have stay in.
func TestAuthBatchOverTheSPFSuite(t *testing.T) {
	f, err := os.Open(filepath.Join(suites(t), "spf", "rfc7208-tests.yml"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var batch strings.Builder
	enc := json.NewEncoder(&batch)
	var names []string
	var want []any
	for d := yaml.NewDecoder(f); ; {
		var s spfSection
		if err := d.Decode(&s); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		zone := zoneObject(s.Zonedata)
		for name, c := range s.Tests {
			names, want = append(names, s.Description+" / "+name), append(want, c.Result)
			if err := enc.Encode(map[string]any{"ip": c.Host, "helo": c.Helo, "mail_from": c.Mailfrom, "zone": zone}); err != nil {
				t.Fatal(err)
			}
		}
	}
	file := filepath.Join(t.TempDir(), "spf.jsonl")
	if err := os.WriteFile(file, []byte(batch.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	got := batchLines(t, file, exitDone)
	if len(got) != 203 || len(names) != 203 {
		t.Fatalf("%d answers to %d cases, want 203", len(got), len(names))
	}
	for i, line := range got {
		if r := answerOf(t, line).SPF.Result; !allowed(want[i], r) {
			t.Errorf("%s: %s, want %v", names[i], r, want[i])
		}
	}
}

func allowed(want any, got string) bool {
	if list, ok := want.([]any); ok {
		return slices.Contains(list, any(got))
	}
	return want == got
}

// zoneObject turns the suite's zone into ours: SPF stands for TXT unless the
// name has a TXT too, TXT: NONE is none, a bare TIMEOUT is every type not listed.
func zoneObject(data map[string][]any) map[string]map[string]any {
	zone := map[string]map[string]any{}
	for name, records := range data {
		types, spf := map[string]any{}, []any{}
		hasTXT := false
		for _, r := range records {
			one, ok := r.(map[string]any)
			if !ok {
				types["error"] = "timeout"
				continue
			}
			for typ, v := range one {
				hasTXT = hasTXT || typ == "TXT"
				switch {
				case v == "TIMEOUT":
					types["TXT"] = "timeout"
				case v == "NONE":
				case typ == "SPF":
					spf = append(spf, v)
				case typ == "MX":
					mx := v.([]any)
					add(types, typ, fmt.Sprintf("%v %s.", mx[0], strings.TrimSuffix(mx[1].(string), ".")))
				case typ == "CNAME" || typ == "PTR":
					add(types, typ, strings.TrimSuffix(v.(string), ".")+".")
				default:
					add(types, typ, v)
				}
			}
		}
		if !hasTXT && types["TXT"] == nil && len(spf) > 0 {
			types["TXT"] = spf
		}
		zone[name] = types
	}
	return zone
}

func add(types map[string]any, typ string, v any) {
	list, _ := types[typ].([]any)
	types[typ] = append(list, v)
}
