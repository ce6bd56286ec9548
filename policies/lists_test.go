package policies

import (
	"fmt"
	"strings"
	"testing"
)

// TestLongLists: a list of 200,000 lines loads at once, and of a file that is
// nothing but mistakes the first are told, with their number.
func TestLongLists(t *testing.T) {
	var good, bad strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&good, "10.%d.%d.%d\n", i>>16, i>>8&255, i&255)
		fmt.Fprintf(&bad, "host%d.test\n", i)
	}
	config := "hostname = \"mx.test\"\n\nlist \"a\" {\n  type = ip\n  file = \"a.txt\"\n}\n\npolicy \"p\" {\n  connect {\n    drop \"a\" {\n      when = listed(client.ip, list.a)\n    }\n  }\n}\n"
	files := map[string]string{"/etc/main.hcl": config, "/etc/a.txt": good.String()}
	cfg, ds := Load("/etc/main.hcl", newWorld().memory(files))
	if cfg == nil || cfg.Settings.Lists[0].Len() != 200_000 {
		t.Fatal(ds)
	}
	files["/etc/a.txt"] = bad.String()
	_, ds = Load("/etc/main.hcl", newWorld().memory(files))
	if len(ds) != manyMistakes+1 {
		t.Fatalf("%d mistakes are told", len(ds))
	}
	first, last := ds[0], ds[len(ds)-1]
	if first.File != "/etc/a.txt" || first.Start.Line != 1 || first.Source != "host0.test" || first.In != `list "a"` || first.End.Column != 11 {
		t.Errorf("%+v", first)
	}
	if last.Start.Line != 5 || !strings.Contains(last.Text, "200000 mistakes") {
		t.Errorf("%+v", last)
	}
}
