package dmarc

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestParseRecord(t *testing.T) {
	for text, want := range map[string]Record{
		"v=DMARC1; p=reject; sp=none; np=quarantine; adkim=s; aspf=S; psd=n; t=y": {
			P: Reject, SP: None, NP: Quarantine, StrictDKIM: true, StrictSPF: true, PSD: 'n', Testing: true},
		"v=DMARC1":                             {PSD: 'u'},
		" v = DMARC1 ; P = Reject ;":           {P: Reject, PSD: 'u'},
		"v=DMARC1;p=none;p=reject":             {P: None, PSD: 'u'}, // the first counts
		"v=DMARC1; p=monitor":                  {PSD: 'u', badPolicies: true},
		"v=DMARC1; p=none; sp=maybe":           {P: None, PSD: 'u', badPolicies: true},
		"v=DMARC1; p=none; rua=mailto:a@b.c":   {P: None, PSD: 'u', rua: true, RUA: "mailto:a@b.c"},
		"v=DMARC1; p=none; rua=a@b.c":          {P: None, PSD: 'u', RUA: "a@b.c"},
		"v=DMARC1; p=none; psd=x; adkim=maybe": {P: None, PSD: 'u'},
		"v=DMARC1; p=reject; pct=0; ri=1; x":   {P: Reject, PSD: 'u'}, // pct is gone, RFC 9989 appendix A.6
		"v=DMARC1; ;;= ;p=reject;\t":           {P: Reject, PSD: 'u'},
	} {
		if got, ok := ParseRecord(text); !ok || got != want {
			t.Errorf("%q: %+v, %v; want %+v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "v=DMARC2; p=none", "v=dmarc1; p=none", "v=DMARC1x", "V=DMARC1 p=none", "p=none; v=DMARC1", "v=spf1 -all", "DMARC1"} {
		if r, ok := ParseRecord(text); ok {
			t.Errorf("%q was read: %+v", text, r)
		}
	}
}

func TestUsable(t *testing.T) {
	for text, want := range map[string]struct {
		policy Policy
		ok     bool
	}{
		"v=DMARC1; p=quarantine":                        {Quarantine, true},
		"v=DMARC1":                                      {None, true},
		"v=DMARC1; p=bad":                               {None, false},
		"v=DMARC1; p=bad; rua=mailto:a@b.test":          {None, true},
		"v=DMARC1; p=reject; sp=bad; rua=mailto:a@b.te": {None, true},
		"v=DMARC1; p=reject; np=bad":                    {None, false},
	} {
		r, _ := ParseRecord(text)
		if r, ok := r.usable(); ok != want.ok || r.P != want.policy {
			t.Errorf("%q: %s, %v", text, r.P, ok)
		}
	}
}

// TestTargets: the walk of RFC 9989 section 4.10, with its own example.
func TestTargets(t *testing.T) {
	for domain, want := range map[string]string{
		"a.mail.example.com": "a.mail.example.com mail.example.com example.com com",
		"com":                "com",
		"a.b.c.d.e.f.g.h":    "a.b.c.d.e.f.g.h b.c.d.e.f.g.h c.d.e.f.g.h d.e.f.g.h e.f.g.h f.g.h g.h h",
		"a.b.c.d.e.f.g.h.i.j.mail.example.com": "a.b.c.d.e.f.g.h.i.j.mail.example.com " +
			"g.h.i.j.mail.example.com h.i.j.mail.example.com i.j.mail.example.com j.mail.example.com mail.example.com example.com com",
	} {
		if got := strings.Join(targets(domain), " "); got != want {
			t.Errorf("%s: %s, want %s", domain, got, want)
		}
		if len(targets(domain)) > 8 {
			t.Errorf("%s: more than eight questions", domain)
		}
	}
}

// TestOrganization: RFC 9989 section 4.10.2, with its examples and appendix B.4.
func TestOrganization(t *testing.T) {
	for name, c := range map[string]struct {
		domain  string
		records map[string]string
		want    string
	}{
		"the fewest labels":           {"a.mail.example.com", map[string]string{"mail.example.com": "", "example.com": ""}, "example.com"},
		"psd=n ends it":               {"a.mail.example.com", map[string]string{"mail.example.com": "psd=n", "example.com": ""}, "mail.example.com"},
		"below psd=y":                 {"a.mail.example.com", map[string]string{"com": "psd=y"}, "example.com"},
		"below psd=y, deeper":         {"a.mail.example.com", map[string]string{"example.com": "psd=y"}, "mail.example.com"},
		"psd=y of the domain itself":  {"giant.bank", map[string]string{"giant.bank": "psd=y"}, "giant.bank"},
		"no record at all":            {"a.mail.example.com", nil, "a.mail.example.com"},
		"a public suffix with mail":   {"mega.bank", map[string]string{"bank": "psd=y", "mega.bank": ""}, "mega.bank"},
		"the walk goes on to the top": {"a.example.com", map[string]string{"a.example.com": "", "com": ""}, "com"},
	} {
		w := &walker{seen: map[string]*Record{}, txt: func(_ context.Context, q string) ([]string, error) {
			if tags, ok := c.records[strings.TrimPrefix(q, "_dmarc.")]; ok {
				return []string{"v=DMARC1; p=none; " + tags}, nil
			}
			return nil, nil
		}}
		fs, err := w.walk(t.Context(), c.domain)
		if got := organization(c.domain, fs); err != nil || got != c.want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, c.want)
		}
	}
}

// FuzzParseRecord: no text makes a record with a policy that is no word, and
// what the parser understands does not hang on spelling that means nothing.
func FuzzParseRecord(f *testing.F) {
	f.Add("v=DMARC1; p=reject; rua=mailto:a@b.test,https://c.test")
	if dir := os.Getenv("FOREPOST_SUITES"); dir != "" {
		if b, err := os.ReadFile(filepath.Join(dir, "dmarc", "mailauth-recorded.jsonl")); err == nil {
			for _, m := range regexp.MustCompile(`"v ?= ?[^"]*"`).FindAll(b, -1) {
				f.Add(strings.Trim(string(m), `"`))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, ok := ParseRecord(text)
		if !ok {
			if r != (Record{}) {
				t.Errorf("%q: no record, and yet %+v", text, r)
			}
			return
		}
		for _, p := range []Policy{r.P, r.SP, r.NP} {
			if !slices.Contains([]Policy{"", None, Quarantine, Reject}, p) {
				t.Errorf("%q: the policy %q", text, p)
			}
		}
		if u, ok := r.usable(); ok && u.P == "" {
			t.Errorf("%q: usable without a policy", text)
		}
		if again, ok := ParseRecord(text + " ; "); !ok || again != r {
			t.Errorf("%q: a semicolon at the end changes %+v to %+v", text, r, again)
		}
	})
}
