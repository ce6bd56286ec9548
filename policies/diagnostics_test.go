package policies

import (
	"encoding/json"
	"testing"
)

// TestDiagnosticText is how a mistake looks to people.
func TestDiagnosticText(t *testing.T) {
	text := `hostname = "a.test"

policy "inbound" {
  rcpt {
    reject "macros" {
      when = msg.has_macros
      text = "5.7.1 x"
    }
    rejekt "typo" {
    }
  }
}
`
	_, ds := Load("/etc/main.hcl", newWorld().memory(map[string]string{"/etc/main.hcl": text}))
	want := `Error: "msg" is not known yet

  on /etc/main.hcl line 6, in policy "inbound":
  6:       when = msg.has_macros

This rule runs in the rcpt phase, but msg.has_macros is first known in the data phase.
Move the rule to a data block.

Error: Unknown verb

  on /etc/main.hcl line 9, in policy "inbound":
  9:     rejekt "typo" {

"rejekt" is not something a rule can do.
Did you mean "reject"?
`
	if got := ds.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var back []map[string]any
	if err := json.Unmarshal(ds.JSON(), &back); err != nil || len(back) != 2 {
		t.Fatal(err, back)
	}
	if back[0]["code"] != "FP0107" || back[0]["file"] != "/etc/main.hcl" || back[0]["start"].(map[string]any)["line"] != 6.0 || back[0]["severity"] != "error" {
		t.Errorf("got %v", back[0])
	}
	if got := string(Diagnostics(nil).JSON()); got != "[]" {
		t.Errorf("nothing wrong is %q", got)
	}
}

func TestExplainCodes(t *testing.T) {
	if s, why, ok := Explain("FP0107"); !ok || s == "" || why == "" {
		t.Error("FP0107 has no page")
	}
	if _, _, ok := Explain("FP9999"); ok {
		t.Error("FP9999 has a page")
	}
}

// TestMissingFile: the main file itself.
func TestMissingFile(t *testing.T) {
	c, ds := Load("/etc/none.hcl", newWorld().memory(nil))
	if c != nil || len(ds) != 1 || ds[0].Code != "FP0002" {
		t.Errorf("got %v", ds)
	}
}
