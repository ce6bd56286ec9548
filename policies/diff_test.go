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

// TestDiffAround: what is not in a rule and decides with it.
func TestDiffAround(t *testing.T) {
	text := `hostname = "mx.example.com"

variable "limit" {
  type    = number
  default = 5
}

variable "key" {
  default   = "old"
  sensitive = true
}

locals {
  many = 50 + 1
}

domain "example.com" {
  route = route.store
}

listener "edge" {
  address = ":25"
  policy  = policy.p
}

list "a" {
  type  = word
  items = ["x", "z"]
}

policy "p" {
  rcpt {
    reject "c" {
      when = rcpt.count > local.many || listed(rcpt.local, list.a) || rcpt.count > var.limit || rcpt.local == var.key
      text = "5.7.1 x"
    }
  }
}

policy "q" {}
`
	w := newWorld()
	old := w.load(t, text)
	for _, c := range []struct{ from, to, want string }{
		{"50 + 1", "60", "local many: changed, 50 + 1 → 60"},
		{"default = 5", "default = 6", "variable limit: changed, 5 → 6"},
		{`"old"`, `"new"`, ""},
		{`["x", "z"]`, `["x", "y"]`, "list a: changed, 2 entries → 2 without z with y"},
		{`["x", "z"]`, `["z", "x"]`, ""},
		{"policy.p", "policy.q", "listener edge: changed, policy.p → policy.q"},
		{"route = route.store", "route = route.store\n thresholds = { tag = 3 }", "domain example.com.thresholds.tag: changed, none → 3"},
		{"route = route.store", "route = route.mx\n recipients = any", "domain example.com.recipients: changed, accounts → any\ndomain example.com.route: changed, route.store → route.mx"},
		{`domain "example.com"`, `domain "example.net"`, "domain example.com: removed\ndomain example.net: added"},
		{`policy "p" {`, "policy \"p\" {\n  partial = bounce", "partial p: changed, quarantine → bounce"},
	} {
		var got []string
		for _, d := range Diff(old, w.load(t, strings.Replace(text, c.from, c.to, 1))) {
			got = append(got, d.String())
		}
		if strings.Join(got, "\n") != c.want {
			t.Errorf("%s for %s: %s", c.to, c.from, strings.Join(got, "\n"))
		}
	}
	one := func(entry string) *Config { return w.load(t, strings.Replace(text, `["x", "z"]`, `["`+entry+`"]`, 1)) }
	if ds := Diff(one("z"), one("y")); len(ds) != 1 || ds[0].String() != "list a: changed, 1 entry → 1 without z with y" {
		t.Errorf("%v", ds)
	}
}
