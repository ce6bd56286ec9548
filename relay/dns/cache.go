package dns

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	mdns "github.com/miekg/dns"
	"golang.org/x/sync/singleflight"

	"github.com/forepost/forepost/relay/meter"
)

var (
	cached = meter.Counter("forepost_dns_cache_total", "Questions to the DNS cache: hit, miss.", "result")
	hits   = cached.WithLabelValues("hit")
	misses = cached.WithLabelValues("miss")
)

const (
	// failureTTL is how long a failure to resolve is remembered: RFC 9520
	// section 3.2 asks for a second at least, so that a busy gateway does not
	// beat on servers that are down.
	failureTTL = time.Second
	// flightTime bounds a question that several may be waiting for, whatever the
	// deadline of the one who asked first.
	flightTime = 30 * time.Second
	// perEntry is the memory that an entry may take on average, in octets. A few
	// large ones are fine, a cache of nothing else is not.
	perEntry = 1 << 10
)

// Cache is a Resolver that remembers what another one said: answers for their
// TTL, absence as RFC 2308 has it, failures for a second. The same question
// asked by many at once goes out once.
type Cache struct {
	under  Resolver
	now    func() time.Time
	flight singleflight.Group

	mu     sync.Mutex
	lru    *simplelru.LRU[cacheKey, *entry]
	octets int // what the entries take, about
	limit  int
}

type cacheKey struct {
	name  string
	qtype uint16
}

type entry struct {
	answer Answer
	err    *Error
	until  time.Time
	octets int
}

// NewCache makes a cache of at most size questions (10000 for 0), and of about
// a KiB for each of them all together, in front of r.
func NewCache(r Resolver, now func() time.Time, size int) *Cache {
	if size <= 0 {
		size = 10000
	}
	if now == nil {
		now = time.Now
	}
	c := &Cache{under: r, now: now, limit: size * perEntry}
	// The only error of NewLRU is a size that is not positive.
	c.lru, _ = simplelru.NewLRU(size, func(_ cacheKey, e *entry) { c.octets -= e.octets })
	return c
}

// Query implements Resolver.
func (c *Cache) Query(ctx context.Context, name string, qtype uint16) (Answer, error) {
	if err := spend(ctx, name, qtype); err != nil {
		return Answer{}, err
	}
	asked, err := canonical(name, qtype)
	if err != nil {
		return Answer{}, err
	}
	key := cacheKey{asked, qtype}
	now := c.now()
	if e, ok := c.get(key, now); ok {
		hits.Inc()
		return e.result(now)
	}
	misses.Inc()
	ch := c.flight.DoChan(strconv.Itoa(int(qtype))+" "+asked, func() (any, error) {
		return c.fetch(key), nil
	})
	select {
	case r := <-ch:
		return r.Val.(*entry).result(c.now())
	case <-ctx.Done():
		return Answer{}, &Error{Kind: Temporary, Name: name, Type: qtype, Text: "no answer in the time there was", Timeout: true}
	}
}

// fetch asks the resolver below, for all who wait: under no one's deadline or
// budget in particular.
func (c *Cache) fetch(key cacheKey) *entry {
	ctx, cancel := context.WithTimeout(context.Background(), flightTime)
	defer cancel()
	a, err := c.under.Query(ctx, key.name, key.qtype)
	e := &entry{answer: a}
	if err != nil && !errors.As(err, &e.err) {
		e.err = &Error{Kind: Temporary, Name: key.name, Type: key.qtype, Text: err.Error()}
	}
	if len(e.answer.RRs) > maxRRs {
		e.answer.RRs = e.answer.RRs[:maxRRs]
	}
	c.put(key, e)
	return e
}

func (c *Cache) get(key cacheKey, now time.Time) (*entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.lru.Get(key)
	if ok && !e.until.After(now) {
		c.lru.Remove(key)
		return nil, false
	}
	return e, ok
}

func (c *Cache) put(key cacheKey, e *entry) {
	ttl := e.ttl()
	e.until = c.now().Add(ttl)
	if ttl <= 0 {
		return
	}
	e.octets = 200 + len(key.name)
	for _, rr := range e.answer.RRs {
		e.octets += 100 + 2*mdns.Len(rr)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Remove(key) // Add would replace it without calling back
	c.lru.Add(key, e)
	for c.octets += e.octets; c.octets > c.limit; {
		c.lru.RemoveOldest()
	}
}

func (e *entry) ttl() time.Duration {
	switch {
	case e.err == nil:
		return min(e.answer.TTL, maxTTL)
	case IsNotFound(e.err):
		return min(e.err.TTL, maxNegativeTTL)
	default:
		return failureTTL
	}
}

// result is the entry with the time that it has left.
func (e *entry) result(now time.Time) (Answer, error) {
	left := max(e.until.Sub(now), 0)
	if e.err != nil {
		err := *e.err
		err.TTL = left
		return Answer{}, &err
	}
	a := e.answer
	a.TTL = left
	return a, nil
}
