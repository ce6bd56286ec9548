package dns

import (
	"encoding/hex"
	"fmt"
	"testing"
)

// What DANE asks the DNS, and how far it may believe it (RFC 7672 section 2).
func TestHosting(t *testing.T) {
	z := MustZone(Names{
		"a.test":       {"A": []string{"192.0.2.1"}, "secure": true},
		"open.test":    {"A": []string{"192.0.2.1"}},
		"half.test":    {"A": []string{"192.0.2.1"}, "AAAA": "bogus", "secure": true},
		"alias.test":   {"CNAME": []string{"A.test."}, "secure": true},
		"leads.test":   {"CNAME": []string{"open.test."}, "secure": true},
		"unsigned.one": {"CNAME": []string{"a.test."}},
		"nothing.test": {"TXT": []string{"x"}, "secure": true},
		"down.test":    {"error": "servfail", "secure": true},
		"doubt.test":   {"CNAME": []string{"a.test."}, "A": []string{}, "error": "bogus"},
	})
	for name, want := range map[string]Hosting{
		"a.test":       {"a.test", true},
		"open.test":    {"open.test", false},
		"half.test":    {"half.test", true},  // only the address that is authentic is used
		"alias.test":   {"a.test", true},     // records are sought where the chain ends
		"leads.test":   {"leads.test", true}, // section 2.2.2: at the signed alias itself
		"unsigned.one": {"unsigned.one", false},
		"nothing.test": {"nothing.test", false},
		"missing.test": {"missing.test", false},
		"down.test":    {"down.test", false},
		"doubt.test":   {"doubt.test", false},
	} {
		got, err := LookupHosting(t.Context(), z, name)
		if got != want || (err != nil) != (name == "down.test" || name == "doubt.test") {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
		}
	}
}

func TestLookupTLSA(t *testing.T) {
	z := MustZone(Names{
		"_25._tcp.a.test":    {"TLSA": []string{"3 1 1 0a0B", "2 0 2 ff"}, "secure": true},
		"_25._tcp.open.test": {"TLSA": []string{"3 1 1 00"}},
		"_25._tcp.bad.test":  {"TLSA": "bogus", "secure": true},
	})
	for name, want := range map[string]string{
		"a.test": "3 1 1 0a0b; 2 0 2 ff; secure", "open.test": "3 1 1 00; ", "bad.test": "error, absent false", "none.test": "error, absent true",
	} {
		list, secure, err := LookupTLSA(t.Context(), z, name, 25)
		got := ""
		for _, r := range list {
			got += fmt.Sprintf("%d %d %d %s; ", r.Usage, r.Selector, r.Matching, hex.EncodeToString(r.Data))
		}
		if secure {
			got += "secure"
		}
		if err != nil {
			got = fmt.Sprintf("error, absent %v", IsNotFound(err))
		}
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
