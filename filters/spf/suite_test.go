package spf

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// suite is one document of rfc7208-tests.yml.
type suite struct {
	Description string
	Tests       map[string]struct {
		Helo, Host, Mailfrom string
		Result               any // a word, or a list of those allowed
		Explanation          string
	}
	Zonedata map[string][]any
}

func TestRFC7208Suite(t *testing.T) {
	dir := os.Getenv("FOREPOST_SUITES")
	if dir == "" {
		t.Skip("FOREPOST_SUITES is not set")
	}
	f, err := os.Open(filepath.Join(dir, "spf", "rfc7208-tests.yml"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	count, explained := 0, 0
	for d := yaml.NewDecoder(f); ; {
		var s suite
		if err := d.Decode(&s); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		zone, err := dns.ZoneOf(names(t, s.Zonedata))
		if err != nil {
			t.Fatalf("%s: %v", s.Description, err)
		}
		for name, c := range s.Tests {
			count++
			got := find(t, zone, c.Host, c.Helo, c.Mailfrom)
			if !slices.Contains(allowed(c.Result), got["result"].(string)) {
				t.Errorf("%s / %s: got %v, want %v", s.Description, name, got, c.Result)
			}
			if c.Explanation == "DEFAULT" {
				c.Explanation = "" // the domain has none
			} else if c.Explanation != "" {
				explained++
			}
			if got["explanation"] != c.Explanation {
				t.Errorf("%s / %s: explained by %q, want %q", s.Description, name, got["explanation"], c.Explanation)
			}
		}
	}
	if explained != 14 {
		t.Errorf("%d explanations were compared", explained)
	}
	if count != 203 {
		t.Errorf("the suite has %d cases, not the 203 that it is known for", count)
	}
}

// find runs the filter as a session would, MAIL FROM taken as it stands.
func find(t *testing.T, zone dns.Resolver, host, helo, from string) pipeline.Facts {
	t.Helper()
	f, err := Kind().Build(&Settings{}, filters.Deps{DNS: zone})
	if err != nil {
		t.Fatal(err)
	}
	tx := pipeline.NewTransaction(&pipeline.Session{Client: netip.MustParseAddr(host), Helo: helo})
	if from != "" {
		i := strings.LastIndexByte(from, '@')
		tx.From = mail.Address{Local: from[:max(i, 0)], Domain: strings.ToLower(from[i+1:])}
	}
	fd, err := f.Inspect(t.Context(), tx)
	res := fd.Facts["result"].(string)
	if (err != nil) != (res == "temperror") {
		t.Errorf("%s: result %s with error %v: they belong together", from, res, err)
	}
	return fd.Facts
}

// allowed are the results of a case.
func allowed(result any) []string {
	if list, ok := result.([]any); ok {
		var out []string
		for _, w := range list {
			out = append(out, fmt.Sprint(w))
		}
		return out
	}
	return []string{fmt.Sprint(result)}
}

// names turns the suite's zone into ours. SPF stands for TXT unless the name
// has a TXT too; TXT: NONE is none; a bare TIMEOUT is every type not listed.
func names(t *testing.T, data map[string][]any) dns.Names {
	out := dns.Names{}
	for name, records := range data {
		if strings.HasPrefix(name, ".") || strings.Contains(name, "..") || len(name) > 253 {
			continue // no such name can be asked for
		}
		types := map[string]any{}
		var spf, txt []any
		hasTXT := false
		for _, r := range records {
			m, ok := r.(map[string]any)
			if !ok {
				types["error"] = "timeout"
				continue
			}
			for typ, v := range m {
				switch typ {
				case "SPF":
					spf = append(spf, text(v))
				case "TXT":
					hasTXT = true
					if v != "NONE" {
						txt = append(txt, text(v))
					}
				case "MX":
					mx := v.([]any)
					add(types, typ, fmt.Sprintf("%v %s", mx[0], withDot(mx[1].(string))))
				case "CNAME", "PTR":
					add(types, typ, withDot(fmt.Sprint(v)))
				default:
					add(types, typ, fmt.Sprint(v))
				}
			}
		}
		if !hasTXT {
			txt = spf
		}
		if len(txt) > 0 {
			types["TXT"] = txt
		}
		out[name] = types
	}
	return out
}

func add(types map[string]any, typ, v string) {
	list, _ := types[typ].([]any)
	types[typ] = append(list, v)
}

func withDot(s string) string { return strings.TrimSuffix(s, ".") + "." }

func text(v any) any {
	if v == "TIMEOUT" {
		return "timeout"
	}
	return v
}
