package queue

import (
	"math"
	"math/rand/v2"
	"time"
)

// withDefaults fills what the operator left out.
func (s Schedule) withDefaults() Schedule {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&s.First, time.Minute)
	set(&s.Max, time.Hour)
	set(&s.Warn, 4*time.Hour)
	set(&s.Expire, 5*24*time.Hour) // RFC 5321 section 4.5.4.1: at least 4 to 5 days
	if s.Factor < 1 {
		s.Factor = 2
	}
	return s
}

// wait is how long to wait after the nth attempt (from 1), without jitter.
func (s Schedule) wait(n int) time.Duration {
	w := float64(s.First) * math.Pow(s.Factor, float64(n-1))
	if w > float64(s.Max) {
		return s.Max
	}
	return time.Duration(w)
}

// jitter is drawn once an attempt and spreads the waits over 90 to 110 per
// cent, so that what failed together does not come back together for ever.
func jitter() float64 { return 0.9 + 0.2*rand.Float64() }

// next is when to try again after the nth attempt. The last try is at the end
// of the entry's time, not after it.
func (s Schedule) next(now, received time.Time, n int, jitter float64) time.Time {
	at := now.Add(time.Duration(float64(s.wait(n)) * jitter))
	if end := received.Add(s.Expire); at.After(end) && end.After(now) {
		return end
	}
	return at
}

// expired tells whether an entry that was received then is to be given up.
func (s Schedule) expired(now, received time.Time) bool {
	return !now.Before(received.Add(s.Expire))
}

// warns tells whether a delay is to be reported.
func (s Schedule) warns(now, received time.Time) bool {
	return s.Warn > 0 && !now.Before(received.Add(s.Warn))
}
