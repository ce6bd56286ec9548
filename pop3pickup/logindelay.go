package pop3pickup

import (
	"sync"
	"time"
)

// loginTimes keeps the least time between two logins of an account (RFC 2449
// section 6.5).
type loginTimes struct {
	delay time.Duration

	mu   sync.Mutex
	last map[string]time.Time
}

func newLoginTimes(delay time.Duration) *loginTimes {
	return &loginTimes{delay: delay, last: map[string]time.Time{}}
}

// wait is how long the account has to wait yet.
func (l *loginTimes) wait(account string, now time.Time) time.Duration {
	if l.delay <= 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	last, ok := l.last[account]
	if !ok {
		return 0
	}
	return max(0, last.Add(l.delay).Sub(now))
}

// note notes a login, and forgets those that are long enough ago.
func (l *loginTimes) note(account string, now time.Time) {
	if l.delay <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.last) >= 1024 && len(l.last)&(len(l.last)-1) == 0 { // at powers of two
		for a, t := range l.last {
			if now.Sub(t) >= l.delay {
				delete(l.last, a)
			}
		}
	}
	l.last[account] = now
}
