package spf

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/dns"
)

// asked notes the names that a resolver is asked for.
type asked struct {
	dns.Resolver
	names []string
}

func (a *asked) Query(ctx context.Context, name string, qtype uint16) (dns.Answer, error) {
	a.names = append(a.names, name)
	return a.Resolver.Query(ctx, name, qtype)
}

// TestNamesThatMacrosMake: what is asked for. A backslash of a local part is an
// octet of a label: read as an escape it would let the sender choose the name.
func TestNamesThatMacrosMake(t *testing.T) {
	long := strings.Repeat("abcdefghi.", 30)
	for spec, c := range map[string]struct{ local, want string }{
		"%{l}.test":                 {`\097`, `\\097.test`},
		"%{l}.%{o}.test.":           {"a.b", "a.b.sender.example.test"},
		"%{l1r-}.%{d2}.test":        {"a-b-c", "a.domain.example.test"},
		"%{s}.test":                 {"x", "x@sender.example.test"},
		"%{ir}.%{v}.%{h}":           {"x", "1.2.0.192.in-addr.helo.test"},
		"%{L}.test":                 {"a b/~", "a%20b%2F~.test"},
		"%{l99999999999}.test":      {"a.b", "a.b.test"},
		"%{p}.test":                 {"x", "unknown.test"},
		"a%_b%-c%%.test":            {"x", "a b%20c%.test"},
		"%{l}.end.test":             {long, strings.Repeat("abcdefghi.", 24) + ".end.test"}, // at most 253, section 7.3
		"%{l}" + ".long-label.test": {strings.Repeat("x", 64), strings.Repeat("x", 64) + ".long-label.test"},
	} {
		r := &asked{Resolver: dns.MustZone(dns.Names{})}
		ch := checker{dns: r, now: time.Now, ip: netip.MustParseAddr("192.0.2.1"), local: c.local, sender: "sender.example", helo: "helo.test", left: 9}
		d, err := parseDirective("exists:" + spec)
		if err != nil {
			t.Errorf("%s: %v", spec, err)
			continue
		}
		if ok, err := ch.matches(t.Context(), &d, "my.domain.example"); ok || err != nil {
			t.Errorf("%s: %v, %v", spec, ok, err)
		}
		if got := r.names[len(r.names)-1]; got != c.want {
			t.Errorf("%s: asked for %s, want %s", spec, got, c.want)
		}
	}
}

// TestSyntax: RFC 7208 section 12, term by term.
func TestSyntax(t *testing.T) {
	for _, term := range []string{
		"all", "-ALL", "a", "a/24", "a//64", "a/24//64", "a:x.test/0//0", "mx:%{d}/24", "a:x/y.test/8", "ptr", "ptr:x.test", "include:x.test.", "exists:%{i}._spf.%{d2}",
		"ip4:192.0.2.1", "ip4:192.0.2.0/24", "ip6:2001:db8::/32", "ip6:::1", "redirect=x.test", "exp=%{d}", "any.thing-x_1=%{c}%{r}%{t}", "x=", "a:1.a-1", "A:b.c",
		"a:" + strings.Repeat("%%", 200),
	} {
		if r, err := parse("v=spf1 " + term); err != nil {
			t.Errorf("%.40s: %v", term, err)
		} else if n := len(r.directives); n != 1 && !strings.Contains(term, "=") {
			t.Errorf("%.40s: %d directives", term, n)
		}
	}
	for _, term := range []string{
		"all:", "all/8", "al", "--all", "+", "a:", "a:/24", "a/33", "a/024", "a//129", "a/24/24", "a/", "a//", "a:x.test/24//", "a:x", "a:x.1", "a:x.-a", "a:x.a-", "a:x..", "include", "include:", "exists",
		"ip4", "ip4:", "ip4:1.2.3", "ip4:01.2.3.4", "ip4:1.2.3.4/33", "ip4:1.2.3.4/", "ip4/24", "ip4::1", "ip6:1.2.3.4", "ip6:fe80::1%eth0", "ip6:::1/129", "ptr/24", "ptr:",
		"redirect=", "redirect=x", "exp=", "redirect=a.b redirect=a.b", "a:%{c}.x", "a:%{x}.x", "a:%{d0}", "a:%{dr", "a:%", "a:%x", "a:%{d;}", "a:\x80.test", "a:\u200b.test", "x=%{", "=x", "1=x",
	} {
		if r, err := parse("v=spf1 " + term); err == nil {
			t.Errorf("%q was taken: %+v", term, r)
		}
	}
}

// TestClientNamesAreAskedOnce: ten ptr and macros with the client's name cost
// what one costs.
func TestClientNamesAreAskedOnce(t *testing.T) {
	r := &asked{Resolver: dns.MustZone(dns.Names{
		"example.test": {"TXT": []string{"v=spf1 ptr:a.test ptr:b.test exists:%{p}.c.test ptr:d.test -all"}}, "1.2.0.192.in-addr.arpa": {"PTR": []string{"n.example.test."}},
		"n.example.test": {"A": []string{"192.0.2.1"}},
	})}
	ch := checker{dns: r, now: time.Now, ip: netip.MustParseAddr("192.0.2.1"), left: mailQuestions}
	if out := ch.check(t.Context(), "example.test"); out.result != "fail" {
		t.Errorf("%+v", out)
	}
	if want := []string{"example.test", "1.2.0.192.in-addr.arpa.", "n.example.test", "n.example.test.c.test"}; !slices.Equal(r.names, want) {
		t.Errorf("asked for %q", r.names)
	}
}

// TestNoNamesIsAVoidLookup: of a client without a name, ptr is one of the lookups
// that find nothing, of which a third is a permerror (RFC 7208 section 4.6.4).
func TestNoNamesIsAVoidLookup(t *testing.T) {
	for record, want := range map[string]string{"v=spf1 a:x.test ptr ptr -all": "fail", "v=spf1 a:x.test ptr mx:y.test -all": "permerror", "v=spf1 a:x.test mx:y.test ptr -all": "permerror"} {
		r := dns.MustZone(dns.Names{"example.test": {"TXT": []string{record}}})
		ch := checker{dns: r, now: time.Now, ip: netip.MustParseAddr("192.0.2.1"), left: mailQuestions}
		if out := ch.check(t.Context(), "example.test"); out.result != want {
			t.Errorf("%s: %+v", record, out)
		}
	}
}
