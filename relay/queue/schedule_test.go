package queue

import (
	"testing"
	"time"
)

func TestScheduleWait(t *testing.T) {
	s := Schedule{}.withDefaults()
	for _, c := range []struct {
		n    int
		want time.Duration
		why  string
	}{
		{1, time.Minute, "the first wait"},
		{2, 2 * time.Minute, "doubled"},
		{6, 32 * time.Minute, "and doubled again"},
		{7, time.Hour, "up to the longest"},
		{60_000, time.Hour, "where the power is beyond all numbers"},
	} {
		if got := s.wait(c.n); got != c.want {
			t.Errorf("%s: wait(%d) = %s, want %s", c.why, c.n, got, c.want)
		}
	}
}

func TestScheduleNext(t *testing.T) {
	s := Schedule{}.withDefaults()
	got := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		age, want time.Duration // since it was received
		n         int
		jitter    float64
		why       string
	}{
		{0, 54 * time.Second, 1, 0.9, "jitter shortens"},
		{0, 66 * time.Second, 1, 1.1, "jitter lengthens"},
		{119*time.Hour + 30*time.Minute, 120 * time.Hour, 99, 1, "the last try is at the end of its time"},
		{121 * time.Hour, 122 * time.Hour, 99, 1, "held beyond its time and released: an ordinary wait"},
	} {
		if at := s.next(got.Add(c.age), got, s.wait(c.n), c.jitter).Sub(got); at != c.want {
			t.Errorf("%s: next at %s, want %s", c.why, at, c.want)
		}
	}
}

func TestJitterSpreads(t *testing.T) {
	low, high := 2.0, 0.0
	for range 1000 {
		j := Schedule{}.withDefaults().jitter()
		low, high = min(low, j), max(high, j)
	}
	if low < 0.9 || high > 1.1 || high-low < 0.1 {
		t.Errorf("jitter from %g to %g", low, high)
	}
}
