package queue

import (
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/forepost/forepost/relay/mail"
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
	if s.Jitter <= 0 {
		s.Jitter = 0.1
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

// jitter is drawn once an attempt and spreads the waits, so that what failed
// together does not come back together for ever.
func (s Schedule) jitter() float64 { return 1 + s.Jitter*(2*rand.Float64()-1) }

// greyWait is the longest that a server that greylists is left alone: most let a
// message pass after one to five minutes, and forget it after some hours.
const greyWait = 5 * time.Minute

// named is a time that a server names: "300 seconds", "5 minutes", "00:04:30".
var named = regexp.MustCompile(`(?i)\b(?:(\d{1,5}) ?(s|sec|secs|seconds?|m|min|mins|minutes?)|(\d\d):(\d\d):(\d\d))\b`)

// waitAfter is how long to wait after the nth attempt (from 1), which came to a
// reply, without jitter; atLeast is that jitter must not shorten it.
func (s Schedule) waitAfter(n int, r mail.Reply, remote bool) (w time.Duration, atLeast bool) {
	w = s.wait(n)
	if !remote || !greylisted(r) {
		return w, false
	}
	num := func(text string) time.Duration { v, _ := strconv.Atoi(text); return time.Duration(v) }
	if m := named.FindStringSubmatch(r.Text); m != nil {
		said := num(m[3])*time.Hour + num(m[4])*time.Minute + num(m[5])*time.Second
		if unit := strings.ToLower(m[2]); strings.HasPrefix(unit, "s") {
			said = num(m[1]) * time.Second
		} else if unit != "" {
			said = num(m[1]) * time.Minute
		}
		if said > 0 && said <= time.Hour {
			return said + 5*time.Second, true // its clock is not ours
		}
	}
	return min(w, greyWait), false
}

// next is when to try again after waiting so long. The last try is at the end of
// the entry's time, not after it.
func (s Schedule) next(now, received time.Time, wait time.Duration, jitter float64) time.Time {
	at := now.Add(time.Duration(float64(wait) * jitter))
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
