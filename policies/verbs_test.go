package policies

import (
	"context"
	"slices"
	"testing"

	"github.com/forepost/forepost/relay/pipeline"
)

// TestSignKeys: which keys sign; a rule that names none means all of them.
func TestSignKeys(t *testing.T) {
	const keys = `
domain "signer.test" {
  route = route.store
  dkim = [
    { selector = "s1", key = "x" },
    { selector = "s2", key = "y" },
  ]
}
`
	for _, c := range []struct {
		rules string
		sign  bool
		keys  []string
	}{
		{`tag "t" { 
  add = "x"
}`, false, nil},
		{`sign "a" {}`, true, nil},
		{`sign "a" { 
  key = "s1" 
}`, true, []string{"s1"}},
		{`sign "a" { 
  key = "s1" 
}
sign "b" { 
  key = ["s2"] 
}`, true, []string{"s1", "s2"}},
		{`sign "a" { 
  key = "s1" 
}
sign "b" {}`, true, nil},
		{`sign "b" {}
sign "a" { 
  key = "s1" 
}`, true, nil},
	} {
		p := newWorld().plan(t, head+keys+"policy \"p\" {\ndata {\n"+c.rules+"\n}\n}\n")
		v := p.Run(context.Background(), pipeline.Data, transaction(t, "bob@example.com"))[0]
		if v.Ledger.Sign != c.sign || !slices.Equal(v.Ledger.Keys, c.keys) {
			t.Errorf("%s: %t %q", c.rules, v.Ledger.Sign, v.Ledger.Keys)
		}
	}
}

// TestSignCanonicalization: the words, and that the first rule which asks for one
// has it.
func TestSignCanonicalization(t *testing.T) {
	for rules, want := range map[string]string{
		`sign "a" {}`: "",
		"sign \"a\" {\n canonicalization = relaxed\n}":                                                                    "",
		"sign \"a\" {\n canonicalization = simple\n}":                                                                     "simple/simple",
		"sign \"a\" {}\nsign \"b\" {\n canonicalization = relaxed_simple\n}\nsign \"c\" {\n canonicalization = simple\n}": "relaxed/simple",
		"sign \"a\" {\n canonicalization = simple_relaxed\n}":                                                             "simple/relaxed",
	} {
		p := newWorld().plan(t, head+"policy \"p\" {\ndata {\n"+rules+"\n}\n}\n")
		v := p.Run(context.Background(), pipeline.Data, transaction(t, "bob@example.com"))[0]
		if !v.Ledger.Sign || v.Ledger.Canon != want {
			t.Errorf("%s: %t %q, want %q", rules, v.Ledger.Sign, v.Ledger.Canon, want)
		}
	}
}

// TestRouteFrom: a source goes with the route, and keeps what an earlier rule
// chose.
func TestRouteFrom(t *testing.T) {
	for _, c := range []struct{ rules, want string }{
		{`route "a" {
  source = "192.0.2.7"
}`, ";source=192.0.2.7"},
		{`route "a" {
  via    = route.mx
  tls    = verify
  source = "2001:db8::7"
}`, "mx;tls=verify;source=2001:db8::7"},
	} {
		p := newWorld().plan(t, head+"policy \"p\" {\ndata {\n"+c.rules+"\n}\n}\n")
		v := p.Run(context.Background(), pipeline.Data, transaction(t, "bob@example.com"))[0]
		if v.Ledger.Route != c.want {
			t.Errorf("%s: %q", c.rules, v.Ledger.Route)
		}
	}
	p := newWorld().plan(t, head+`policy "p" {
  deliver {
    route "b" {
      source = "192.0.2.8"
    }
  }
}`)
	tx := transaction(t, "bob@example.com")
	tx.To[0].Ledger.Route = "mx;tls=verify;source=192.0.2.7"
	v := p.Run(context.Background(), pipeline.Deliver, tx)[0]
	if v.Ledger.Route != "mx;tls=verify;source=192.0.2.8" {
		t.Errorf("over an earlier choice: %q", v.Ledger.Route)
	}
}
