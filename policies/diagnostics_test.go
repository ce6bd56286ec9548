package policies

import (
	"encoding/json"
	"strings"
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
	want := `Error: "msg" is not known yet (FP0107)

  on /etc/main.hcl line 6, in policy "inbound":
  6:       when = msg.has_macros

This rule runs in the rcpt phase, but msg.has_macros is first known in the data phase.
Move the rule to a data block.

Error: Unknown verb (FP0103)

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

// TestSyntaxOfOtherLanguages: what people write who know other languages is told
// once, with what to write.
func TestSyntaxOfOtherLanguages(t *testing.T) {
	for written, want := range map[string]string{
		`when = auth.ok and mail.null`:         "Write && for and",
		`when = auth.ok or mail.null`:          "Write || for or",
		`when = not auth.ok`:                   "Write ! for not",
		`when = mail.domain in list.x`:         "Write listed(mail.domain, list.x)",
		`when = mail.from =~ "x"`:              "Write matches",
		`when = mail.from ~ "x"`:               "Write matches",
		`when = mail.from = "x"`:               "Compare with ==",
		`when = mail.from <> "x"`:              "Write != for unlike",
		`when = mail.from === "x"`:             "Write == for equal",
		`when = msg.size > 20MB`:               `Write size("20MB")`,
		`when = delivery.age > 5m`:             `Write duration("5m")`,
		`when = client.ip == 10.0.0.1`:         "Addresses stand in quotes",
		`when = matches(mail.from, "\d+")`:     "Write a backslash of a pattern twice",
		`when = any(spf.result = "fail")`:      "Compare with ==",
		`when = mail.from == 'x'`:              "Single quotes are not valid",
		`when = mail.from == “x”`:              "replace the character",
		`when = auth.ok &&`:                    "Something is to follow &&",
		`tag "b" { add = ["x"], class = "y" }`: "Give each attribute a line of its own",
	} {
		_, err := Format("a.hcl", []byte("policy \"p\" {\n  data {\n    tag \"a\" {\n      "+written+"\n    }\n  }\n}\n"))
		ds, _ := err.(Diagnostics)
		if len(ds) != 1 || ds[0].Start.Line != 4 || !strings.Contains(ds[0].Text+ds[0].Fix, want) {
			t.Errorf("%s: %v", written, err)
		}
	}
}
