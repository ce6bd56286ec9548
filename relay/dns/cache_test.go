package dns

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	mdns "github.com/miekg/dns"
)

// counting counts the questions that reach a Resolver.
type counting struct {
	Resolver
	n atomic.Int32
}

func (c *counting) Query(ctx context.Context, name string, qtype uint16) (Answer, error) {
	c.n.Add(1)
	return c.Resolver.Query(ctx, name, qtype)
}

func TestCacheTimes(t *testing.T) {
	zone, err := ParseZone("x.zone", []byte(`
$TTL 60
example.test. IN SOA ns.example.test. h.example.test. 1 3600 600 86400 20
a.example.test. IN A 192.0.2.1
brief.example.test. 0 IN A 192.0.2.1
`))
	if err != nil {
		t.Fatal(err)
	}
	n := zone.node("broken.test.")
	n.named, n.fail = true, &Error{Kind: Temporary, Text: "servfail"}
	cases := []struct {
		why, name string
		wait      time.Duration
		asked     int32 // questions after asking, waiting and asking again
	}{
		{"an answer is kept", "a.example.test", 59 * time.Second, 1},
		{"for its TTL", "a.example.test", 60 * time.Second, 2},
		{"a TTL of 0 is not kept", "brief.example.test", 0, 2},
		{"absence is kept for the minimum of the SOA, RFC 2308", "no.example.test", 19 * time.Second, 1},
		{"and no longer", "no.example.test", 20 * time.Second, 2},
		{"a failure is kept for a moment, RFC 9520", "broken.test", failureTTL - 1, 1},
		{"and asked again after it", "broken.test", failureTTL, 2},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				under := &counting{Resolver: zone}
				cache := NewCache(under, time.Now, 10)
				first := outcome(cache.Query(t.Context(), c.name, mdns.TypeA))
				time.Sleep(c.wait)
				second := outcome(cache.Query(t.Context(), c.name, mdns.TypeA))
				if first != second || under.n.Load() != c.asked {
					t.Errorf("asked %d times, want %d; %s, then %s", under.n.Load(), c.asked, first, second)
				}
			})
		})
	}
}

func TestCacheLeftTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := NewCache(MustZone(Names{"a.test": {"A": []string{"192.0.2.1"}}}), time.Now, 10)
		cache.Query(t.Context(), "a.test", mdns.TypeA)
		time.Sleep(100 * time.Second)
		if a, err := cache.Query(t.Context(), "a.test", mdns.TypeA); err != nil || a.TTL != zoneTTL-100*time.Second {
			t.Errorf("TTL %v, %v", a.TTL, err)
		}
	})
}

func TestCacheOneFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		zone := MustZone(Names{"a.test": {"A": []string{"192.0.2.1"}}})
		under := &counting{Resolver: resolverFunc(func(ctx context.Context, name string, qtype uint16) (Answer, error) {
			<-release
			return zone.Query(ctx, name, qtype)
		})}
		cache := NewCache(under, time.Now, 10)
		hasty, cancel := context.WithCancel(t.Context())
		outcomes := make(chan string, 50)
		go func() { outcomes <- "hasty: " + outcome(cache.Query(hasty, "a.test", mdns.TypeA)) }()
		synctest.Wait()
		for range 49 {
			go func() { outcomes <- outcome(cache.Query(t.Context(), "A.test.", mdns.TypeA)) }()
		}
		synctest.Wait()
		cancel() // the one who asked first gives up; the others must not suffer
		if got := <-outcomes; got != "hasty: timeout" {
			t.Errorf("got %s", got)
		}
		close(release)
		for range 49 {
			if got := <-outcomes; got != "192.0.2.1" {
				t.Errorf("got %s", got)
			}
		}
		if n := under.n.Load(); n != 1 {
			t.Errorf("%d questions went out", n)
		}
	})
}

// Names that a stranger chooses must not make the cache grow without end,
// neither by their number nor by the size of what they hold.
func TestCacheBounds(t *testing.T) {
	big := make([]string, 40)
	for i := range big {
		big[i] = strings.Repeat("x", 200)
	}
	names := Names{}
	for i := range 300 {
		names[fmt.Sprintf("n%d.test", i)] = map[string]any{"A": []string{"192.0.2.1"}, "TXT": big}
	}
	cache := NewCache(MustZone(names), time.Now, 100)
	for i := range 300 {
		cache.Query(t.Context(), fmt.Sprintf("n%d.test", i), mdns.TypeA)
	}
	if n := cache.lru.Len(); n != 100 {
		t.Errorf("%d entries, want 100", n)
	}
	for i := range 300 {
		cache.Query(t.Context(), fmt.Sprintf("n%d.test", i), mdns.TypeTXT)
	}
	if cache.octets > 100*perEntry || cache.lru.Len() == 0 {
		t.Errorf("%d octets in %d entries", cache.octets, cache.lru.Len())
	}
	sum := 0
	for _, e := range cache.lru.Values() {
		sum += e.octets
	}
	if sum != cache.octets {
		t.Errorf("counted %d octets, there are %d", cache.octets, sum)
	}
}

func BenchmarkCacheHit(b *testing.B) {
	cache := NewCache(MustZone(suiteZone()), time.Now, 0)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			cache.Query(context.Background(), "a.example.test", mdns.TypeA)
		}
	})
}
