package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// arcSection is one document of arc-draft-validation-tests.yml. Some of its
// tests have the same name twice, which no map would take.
type arcSection struct {
	Tests   yaml.Node
	Records map[string]string `yaml:"txt-records"`
}

type arcTest struct{ Message, CV string }

// The chains of the ARC suite go through --batch, messages as files with LF.
func TestAuthBatchOverTheARCSuite(t *testing.T) {
	f, err := os.Open(filepath.Join(suites(t), "arc", "arc-draft-validation-tests.yml"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dir := t.TempDir()
	var batch strings.Builder
	var names, want []string
	stated := map[string]bool{}
	for d := yaml.NewDecoder(f); ; {
		var s arcSection
		if err := d.Decode(&s); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		zone := map[string]map[string]any{}
		for name, txt := range s.Records {
			zone[name] = map[string]any{"TXT": []string{txt}}
		}
		for i := 0; i+1 < len(s.Tests.Content); i += 2 {
			var c arcTest
			if err := s.Tests.Content[i+1].Decode(&c); err != nil {
				t.Fatal(err)
			}
			if c.CV == "" { // three cases state nothing
				continue
			}
			file := fmt.Sprintf("%d.eml", len(names))
			if err := os.WriteFile(filepath.Join(dir, file), []byte(c.Message), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := json.NewEncoder(&batch).Encode(map[string]any{"eml": file, "zone": zone}); err != nil {
				t.Fatal(err)
			}
			name := s.Tests.Content[i].Value
			names, want, stated[name] = append(names, name), append(want, strings.ToLower(c.CV)), true
		}
	}
	if len(stated) != 168 {
		t.Fatalf("%d cases state a result, want 168", len(stated))
	}
	file := filepath.Join(dir, "arc.jsonl")
	if err := os.WriteFile(file, []byte(batch.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, line := range batchLines(t, file, exitDone) {
		a := answerOf(t, line)
		if a.ARC.Result != want[i] || a.ARC.Result == "pass" && a.ARC.Chain == 0 || a.ARC.Result == "none" && a.ARC.Chain != 0 {
			t.Errorf("%s: %+v, want %s", names[i], a.ARC, want[i])
		}
	}
}
