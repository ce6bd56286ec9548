package dns

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mdns "github.com/miekg/dns"
)

// suiteZone is what every Resolver of the suite stands in front of.
func suiteZone() Names {
	long := strings.Repeat("x", 700)
	many := make([]string, 3000)
	for i := range many {
		many[i] = fmt.Sprintf("10.0.%d.%d", i/256, i%256)
	}
	z := Names{
		"example.test":       {"MX": []string{"20 b.example.test.", "10 a.example.test."}, "TXT": []string{"v=spf1 -all", long}},
		"a.example.test":     {"A": []string{"192.0.2.1"}, "AAAA": []string{"2001:db8::1"}},
		"parts.test":         {"TXT": [][]string{{"one ", "two"}}},
		"odd.test":           {"TXT": []string{"a\\b \"c\" \u200b;"}},
		"alias.test":         {"CNAME": []string{"alias2.test."}},
		"alias2.test":        {"CNAME": []string{"A.example.test."}},
		"nowhere.test":       {"CNAME": []string{"missing.test."}},
		"loop.test":          {"CNAME": []string{"loop2.test."}},
		"loop2.test":         {"CNAME": []string{"loop.test."}},
		"slow.test":          {"A": []string{"192.0.2.9"}, "error": "timeout"},
		"broken.test":        {"TXT": "servfail", "A": []string{"192.0.2.8"}},
		"bogus.test":         {"error": "bogus"},
		"many.test":          {"A": many},
		"*.wild.test":        {"A": []string{"192.0.2.7"}},
		"there.wild.test":    {"TXT": []string{"here"}},
		"under.it.wild.test": {"TXT": []string{"here"}},
	}
	for i := range 12 { // longer than any chain that means something
		z[fmt.Sprintf("chain%d.test", i)] = map[string]any{"CNAME": []string{fmt.Sprintf("chain%d.test.", i+1)}}
	}
	z["chain12.test"] = map[string]any{"A": []string{"192.0.2.2"}}
	return z
}

// suite is what every Resolver does.
var suite = []struct {
	why, name string
	qtype     uint16
	want      string // the data of the records, sorted, or the kind of failure
}{
	{"an address", "a.example.test", mdns.TypeA, "192.0.2.1"},
	{"a final dot and case are the same name", "A.Example.TEST.", mdns.TypeAAAA, "2001:db8::1"},
	{"several records", "example.test", mdns.TypeMX, "10 a.example.test.|20 b.example.test."},
	{"strings of a record", "parts.test", mdns.TypeTXT, `"one " "two"`},
	{"a name that is not there", "missing.test", mdns.TypeA, "nxdomain"},
	{"a type that is not there", "a.example.test", mdns.TypeMX, "nodata"},
	{"CNAMEs are followed", "alias.test", mdns.TypeA, "192.0.2.1"},
	{"a CNAME that is asked for is not", "alias.test", mdns.TypeCNAME, "alias2.test."},
	{"a CNAME to a type that is not there", "alias.test", mdns.TypeMX, "nodata"},
	{"a CNAME to a name that is not there", "nowhere.test", mdns.TypeA, "nxdomain"},
	{"a loop of CNAMEs ends", "loop.test", mdns.TypeA, "temporary"},
	{"a chain without end, too", "chain0.test", mdns.TypeA, "temporary"},
	{"a chain of bearable length does not", "chain6.test", mdns.TypeA, "192.0.2.2"},
	{"what is listed answers", "slow.test", mdns.TypeA, "192.0.2.9"},
	{"what is not times out", "slow.test", mdns.TypeMX, "timeout"},
	{"a type that fails", "broken.test", mdns.TypeTXT, "temporary"},
	{"beside one that does not", "broken.test", mdns.TypeA, "192.0.2.8"},
	{"and one that is not there", "broken.test", mdns.TypeMX, "nodata"},
	{"failed validation", "bogus.test", mdns.TypeA, "bogus"},
	{"a wildcard, RFC 4592", "any.wild.test", mdns.TypeA, "192.0.2.7"},
	{"a wildcard reaches down", "any.thing.wild.test", mdns.TypeA, "192.0.2.7"},
	{"but not where a name exists", "there.wild.test", mdns.TypeA, "nodata"},
	{"nor below a name that exists", "other.it.wild.test", mdns.TypeA, "nxdomain"},
	{"an empty label", "a..test", mdns.TypeA, "badname"},
	{"a long label", strings.Repeat("x", 64) + ".test", mdns.TypeA, "badname"},
	{"a long name", strings.Repeat("x.", 200) + "test", mdns.TypeA, "badname"},
	{"no name", "", mdns.TypeA, "badname"},
	{"a zero width space, of a hostile SPF record", "a\u200b.test", mdns.TypeA, "badname"},
	{"a line end", "a\r\nb.test", mdns.TypeA, "badname"},
	{"a stray backslash", `a\`, mdns.TypeA, "badname"},
}

var kindNames = map[Kind]string{NXDomain: "nxdomain", NoData: "nodata", Temporary: "temporary", Bogus: "bogus", Budget: "budget", BadName: "badname"}

// outcome is an answer or a failure in the words of the suite.
func outcome(a Answer, err error) string {
	var e *Error
	if errors.As(err, &e) {
		if e.Timeout {
			return "timeout"
		}
		return kindNames[e.Kind]
	}
	if err != nil {
		return err.Error()
	}
	var data []string
	for _, rr := range a.RRs {
		data = append(data, strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	slices.Sort(data)
	return strings.Join(data, "|")
}

func testResolver(t *testing.T, r Resolver) {
	ctx := t.Context()
	for _, c := range suite {
		t.Run(c.why, func(t *testing.T) {
			if got := outcome(r.Query(ctx, c.name, c.qtype)); got != c.want {
				t.Errorf("%s %s: got %s, want %s", c.name, mdns.TypeToString[c.qtype], got, c.want)
			}
		})
	}
	t.Run("texts are raw octets", func(t *testing.T) {
		got, err := LookupTXT(ctx, r, "odd.test")
		if want := "a\\b \"c\" \u200b;"; err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
		got, err = LookupTXT(ctx, r, "example.test")
		if err != nil || len(got) != 2 || !slices.Contains(got, strings.Repeat("x", 700)) {
			t.Errorf("long text: got %q, %v", got, err)
		}
	})
	t.Run("an answer of thousands is cut", func(t *testing.T) {
		a, err := r.Query(ctx, "many.test", mdns.TypeA)
		if err != nil || len(a.RRs) == 0 || len(a.RRs) > maxRRs {
			t.Errorf("got %d records, %v", len(a.RRs), err)
		}
	})
	t.Run("a budget ends", func(t *testing.T) {
		ctx := WithBudget(ctx, 2)
		for range 2 {
			if got := outcome(r.Query(ctx, "a.example.test", mdns.TypeA)); got != "192.0.2.1" {
				t.Errorf("within the budget: got %s", got)
			}
		}
		_, err := r.Query(ctx, "a.example.test", mdns.TypeA)
		if got := outcome(Answer{}, err); got != "budget" || !IsTemporary(err) {
			t.Errorf("after it: got %s", got)
		}
	})
	t.Run("absence has a time to live", func(t *testing.T) {
		_, err := r.Query(ctx, "missing.test", mdns.TypeA)
		var e *Error
		if !errors.As(err, &e) || e.TTL <= 0 || e.TTL > zoneTTL || !IsNotFound(err) {
			t.Errorf("got %+v", e)
		}
	})
	t.Run("many at once", func(t *testing.T) {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if got := outcome(r.Query(ctx, "alias.test", mdns.TypeA)); got != "192.0.2.1" {
					t.Errorf("got %s", got)
				}
			})
		}
		wg.Wait()
	})
}

// TestResolvers has the loops of CNAMEs and the answers of thousands of threats.md
// "DNS resolver DoS", too.
func TestResolvers(t *testing.T) {
	zone := MustZone(suiteZone())
	addr := startServer(t, zone)
	client := func() Resolver {
		return NewClient(ClientOptions{Servers: []string{addr}, Timeout: 100 * time.Millisecond})
	}
	for name, r := range map[string]Resolver{
		"zone":            zone,
		"cache of zone":   NewCache(zone, time.Now, 0),
		"client":          client(),
		"cache of client": NewCache(client(), time.Now, 0),
	} {
		t.Run(name, func(t *testing.T) { testResolver(t, r) })
	}
}

func startServer(t *testing.T, r Resolver) string {
	t.Helper()
	s := NewServer(r)
	if err := s.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.Addr()
}

// resolverFunc is a Resolver of one function.
type resolverFunc func(ctx context.Context, name string, qtype uint16) (Answer, error)

func (f resolverFunc) Query(ctx context.Context, name string, qtype uint16) (Answer, error) {
	return f(ctx, name, qtype)
}
