package policies

import (
	"slices"
	"strings"
	"testing"

	"github.com/forepost/forepost/policies/internal/diag"
)

// withoutExample are the codes of what is wrong outside the files of the
// configuration.
var withoutExample = []diag.Code{diag.CannotRead, diag.MissingFile, diag.MissingSecret, diag.CannotMake, diag.StaleList, diag.CertificateDoubt, diag.MixedTable}

// TestPages: every code has a page, and its example is true: the wrong text has
// the code, the right one has not, and no error of any code.
func TestPages(t *testing.T) {
	for _, c := range diag.Codes() {
		p, _ := diag.Explain(c)
		if p.Summary == "" || len(p.Why) < 20 {
			t.Errorf("%s: the page is %+v", c, p)
		}
		e, ok := diag.ExampleOf(c)
		if ok == slices.Contains(withoutExample, c) {
			t.Errorf("%s: an example: %v", c, ok)
		}
		if !ok {
			continue
		}
		if ds := loadExample(e.Wrong); !hasCode(ds, c) {
			t.Errorf("%s: the wrong example does not have it:\n%s\n%s", c, e.Wrong, ds)
		}
		ds := loadExample(e.Right)
		if hasCode(ds, c) || ds.HasErrors() {
			t.Errorf("%s: the right example:\n%s\n%s", c, e.Right, ds)
		}
		for _, text := range []string{e.Right, e.Wrong} {
			if after, err := Format("x", []byte(text)); c != diag.BadSyntax && (err != nil || string(after) != text) {
				t.Errorf("%s: the formatter: %v\n%s", c, err, after)
			}
		}
	}
}

func loadExample(text string) Diagnostics {
	first, _, _ := strings.Cut(text, " ")
	if slices.Contains([]string{"connect", "helo", "mail", "rcpt", "data", "deliver"}, first) {
		text = "policy \"p\" {\n" + text + "\n}"
	}
	o := newWorld().memory(map[string]string{"/etc/main.hcl": "hostname = \"mx.example.com\"\n" + text + "\n", "/secrets/smart": "x"})
	_, ds := Load("/etc/main.hcl", o)
	return ds
}

func hasCode(ds Diagnostics, c diag.Code) bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Code == c })
}
