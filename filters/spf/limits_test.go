package spf

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/meter/metertest"
	"github.com/forepost/forepost/relay/pipeline"
)

// counting counts the questions of a resolver.
type counting struct {
	dns.Resolver
	n atomic.Int32
}

func (c *counting) Query(ctx context.Context, name string, qtype uint16) (dns.Answer, error) {
	c.n.Add(1)
	return c.Resolver.Query(ctx, name, qtype)
}

func repeat(n int, format string) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf(format, i))
	}
	return out
}

// TestAmplification is threats.md "SPF amplification": what one record can make us ask for (RFC 7208 section
// 4.6.4): ten terms, of which mx and ptr stand for ten addresses each.
func TestAmplification(t *testing.T) {
	names := dns.Names{
		"1.2.0.192.in-addr.arpa": {"PTR": repeat(100, "n%d.test.")},
		"mx.test":                {"MX": repeat(11, "10 h%d.test.")},
		"ten.test":               {"MX": repeat(10, "10 h%d.test.")},
		"loop.test":              {"TXT": []string{"v=spf1 include:loop.test -all"}},
		"redirect.test":          {"TXT": []string{"v=spf1 redirect=redirect.test"}},
		"wide.test":              {"TXT": []string{"v=spf1 " + strings.Join(repeat(40, "include:i%d.test"), " ") + " -all"}},
	}
	for i := range 100 {
		names[fmt.Sprintf("h%d.test", i)] = map[string]any{"A": []string{"198.51.100.1"}}
		names[fmt.Sprintf("n%d.test", i)] = map[string]any{"A": []string{"198.51.100.1"}}
		names[fmt.Sprintf("i%d.test", i)] = map[string]any{"TXT": []string{"v=spf1 include:i" + fmt.Sprint(i+1) + ".test -all"}}
	}
	for record, c := range map[string]struct {
		want string
		most int32
	}{
		"v=spf1 " + strings.Join(repeat(11, "a:h%d.test"), " ") + " -all":   {"permerror", 11},
		"v=spf1 " + strings.Join(repeat(10, "a:h%d.test"), " ") + " -all":   {"fail", 11},
		"v=spf1 " + strings.Join(repeat(9, "a:void%d.test"), " ") + " -all": {"permerror", 4},
		"v=spf1 a:void1.test exists:void2.test -all":                        {"fail", 3},
		"v=spf1 a:void1.test exists:void2.test mx:void3.test -all":          {"permerror", 4},
		"v=spf1 mx:mx.test -all":                                            {"permerror", 2},
		"v=spf1 " + strings.Repeat("mx:ten.test ", 10) + "-all":             {"fail", 111},
		"v=spf1 ptr:example.test -all":                                      {"fail", 12},
		"v=spf1 include:loop.test -all":                                     {"permerror", 12},
		"v=spf1 redirect=redirect.test":                                     {"permerror", 12},
		"v=spf1 include:wide.test -all":                                     {"permerror", 12},
		"v=spf1 " + strings.Repeat("ip4:192.0.2.9 ", 500):                   {"permerror", 1}, // longer than a record may be
		"v=spf1 exists:%{l}." + strings.Repeat("%{d}.", 40) + "test":        {"neutral", 2},   // longer than a name may be
	} {
		names["example.test"] = map[string]any{"TXT": []string{record}}
		r := &counting{Resolver: dns.MustZone(names)}
		var got any
		took := metertest.CPU(t, func() { got = find(t, r, "192.0.2.1", "[192.0.2.1]", "a@example.test")["result"] })
		if n := r.n.Load(); got != c.want && c.want != "" || n > c.most {
			t.Errorf("%.60s: %s with %d questions, want %s with at most %d", record, got, n, c.want, c.most)
		}
		if took > time.Second {
			t.Errorf("%.60s: %v of processor time", record, took)
		}
	}
}

// FuzzRecord: whatever a domain publishes, the result is one of the words, with
// a bounded number of questions.
func FuzzRecord(f *testing.F) {
	f.Add("v=spf1 a mx ip4:192.0.2.0/24 include:%{d} exists:%{ir}.%{l1r-}.test ?all")
	if dir := os.Getenv("FOREPOST_SUITES"); dir != "" {
		_ = filepath.WalkDir(filepath.Join(dir, "fuzz-seeds"), func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.Contains(path, "spf") {
				if b, err := os.ReadFile(path); err == nil && len(b) < 4096 {
					f.Add(string(b))
				}
			}
			return nil
		})
	}
	f.Fuzz(func(t *testing.T, record string) {
		zone, err := dns.ZoneOf(dns.Names{"example.test": {"TXT": []string{record}, "A": []string{"192.0.2.7"}, "MX": []string{"10 example.test."}}})
		if err != nil {
			t.Skip("no zone can have this record")
		}
		r := &counting{Resolver: zone}
		flt, err := Kind().Build(&Settings{}, filters.Deps{DNS: r})
		if err != nil {
			t.Fatal(err)
		}
		tx := pipeline.NewTransaction(&pipeline.Session{Client: netip.MustParseAddr("192.0.2.1"), Helo: "mx.example.test"})
		tx.From = mail.Address{Local: "a", Domain: "example.test"}
		fd, err := flt.Inspect(t.Context(), tx)
		if res := fd.Facts["result"].(string); !slices.Contains(words, res) || (err != nil) != (res == "temperror") {
			t.Errorf("%q: %s, %v", record, res, err)
		}
		if n := r.n.Load(); n > mailQuestions+heloQuestions {
			t.Errorf("%q: %d questions", record, n)
		}
		if isRecord(record) {
			if _, err := parse(record); err != nil && fd.Facts["result"] != "permerror" {
				t.Errorf("%q has an error (%v) and is %v", record, err, fd.Facts["result"])
			}
		}
	})
}
