package uribl_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/filtertest"
	"github.com/forepost/forepost/filters/uribl"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/pipeline"
)

// slow answers like its zone, after a while; what is asked for below "never" it
// does not answer at all.
type slow struct {
	zone *dns.Zone
	mu   sync.Mutex
	now  int
	most int // questions at once
}

func (s *slow) Query(ctx context.Context, name string, qtype uint16) (dns.Answer, error) {
	s.mu.Lock()
	s.now++
	s.most = max(s.most, s.now)
	s.mu.Unlock()
	wait := time.Second
	if strings.HasPrefix(name, "never") {
		wait = time.Hour
	}
	defer func() {
		s.mu.Lock()
		s.now--
		s.mu.Unlock()
	}()
	select {
	case <-time.After(wait):
		return s.zone.Query(ctx, name, qtype)
	case <-ctx.Done():
		return dns.Answer{}, ctx.Err()
	}
}

func newSlow() *slow {
	return &slow{zone: dns.MustZone(dns.Names{"evil.com.list.test": {"A": []string{"127.0.0.2"}}})}
}

// find runs the filter over a message that says text, with ten seconds for it.
func find(t *testing.T, ctx context.Context, r dns.Resolver, text string) (pipeline.Finding, error) {
	t.Helper()
	s := uribl.Kind().Settings().(*uribl.Settings)
	s.Zone = "list.test"
	f, err := uribl.Kind().Build(s, filters.Deps{DNS: r})
	if err != nil {
		t.Fatal(err)
	}
	tx := pipeline.NewTransaction(&pipeline.Session{})
	if err := filtertest.Message(tx, "From: ann@stranger.test\n\n"+text+"\n"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return f.Inspect(ctx, tx)
}

// TestSideBySide: many links take as long as one, and one that is never answered
// takes no more than the time of the filter, and no hit away.
func TestSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, begin := newSlow(), time.Now()
		fd, err := find(t, t.Context(), r, "http://a.org http://b.org http://evil.com http://c.org")
		if took := time.Since(begin); err != nil || fd.Facts["hits"] != 1.0 || took != time.Second || r.most != 4 {
			t.Errorf("%v, %v in %v, %d at once", fd.Facts, err, took, r.most)
		}
		begin = time.Now()
		fd, err = find(t, t.Context(), r, "http://never.org http://evil.com")
		if took := time.Since(begin); err != nil || !slices.Equal(fd.Facts["domains"].([]string), []string{"evil.com"}) || took != 10*time.Second {
			t.Errorf("%v, %v in %v", fd.Facts, err, took)
		}
		if fd, err = find(t, t.Context(), r, "http://never.org http://a.org"); err == nil || fd.Facts["listed"] != false {
			t.Errorf("%v, %v; nobody could tell", fd.Facts, err)
		}
	})
}

// TestBudget: links use nothing up of what the transaction may ask, and are asked
// for where that is used up.
func TestBudget(t *testing.T) {
	zone := newSlow().zone
	ctx := dns.WithBudget(t.Context(), 1)
	if fd, err := find(t, ctx, zone, "http://a.org http://b.org http://evil.com"); err != nil || fd.Facts["hits"] != 1.0 {
		t.Errorf("%v, %v", fd.Facts, err)
	}
	if _, err := dns.LookupA(ctx, zone, "evil.com.list.test"); err != nil {
		t.Errorf("the one question of the transaction is used up: %v", err)
	}
}
