package policies

import (
	"strings"
	"testing"
)

// TestDiff: rules that came, went, changed and moved, thresholds and filters, in
// words; what is only written otherwise is no difference.
func TestDiff(t *testing.T) {
	w := newWorld()
	rule := func(name, when string) string {
		return "    reject \"" + name + "\" {\n      when = " + when + "\n      text = \"5.7.1 x\"\n    }\n"
	}
	text := func(thresholds, zone string, rules ...string) *Config {
		return w.load(t, "hostname = \"mx.example.com\"\nfilter \"dnsbl\" \"zen\" {\n  zone = \""+zone+"\"\n}\npolicy \"p\" {\n  thresholds = { "+thresholds+" }\n  rcpt {\n"+strings.Join(rules, "")+"  }\n}\n")
	}
	a, b, c, d := rule("a", "mail.null"), rule("b", "dnsbl.zen.listed"), rule("c", "mail.null"), rule("d", "mail.null")
	old := text("tag = 4, reject = 15", "zen.test", a, b, c)
	if ds := Diff(old, text("tag = 4,  reject = 15", "zen.test", a, strings.ReplaceAll(b, "when =", "when   ="), c)); len(ds) != 0 {
		t.Errorf("the same differs: %v", ds)
	}
	var got []string
	for _, one := range Diff(old, text("tag = 5", "other.test", c, rule("a", "!mail.null"), d)) {
		got = append(got, one.String())
	}
	want := []string{"threshold p.tag: changed, 4 → 5", "threshold p.reject: changed, 15 → none", "rule p.rcpt.reject.b: removed", "rule p.rcpt.reject.a: changed",
		"rule p.rcpt.reject.d: added", "order p.rcpt.reject.c: moved", "filter dnsbl.zen: changed"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
