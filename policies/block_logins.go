package policies

import (
	"net/netip"
	"time"
)

// Logins is the `logins` block: when somebody who guesses passwords is banned. A
// zero means the default.
type Logins struct {
	Failures int // of an address in Per
	Per      time.Duration
	Ban      time.Duration // the first; later ones are longer, up to MaxBan
	MaxBan   time.Duration
	Never    []netip.Prefix // networks that are never banned
}

// logins reads the block.
func (l *loader) logins() {
	b := l.single("logins")
	if b == nil {
		return
	}
	v := &l.set.Logins
	v.Failures = b.number("failures", 10)
	v.Per = b.duration("per", 10*time.Minute)
	v.Ban = b.duration("ban", 15*time.Minute)
	v.MaxBan = b.duration("max_ban", 24*time.Hour)
	v.Never = b.networks("never")
	if v.Failures < 2 {
		b.bad("failures", "One wrong password is no attack.", "Write failures = 10, or another number from 2.")
	}
	if v.Per < time.Minute || v.Ban < time.Minute {
		b.bad("per", "per and ban are at least a minute.", "Write per = \"10m\" and ban = \"15m\".")
	}
	if v.MaxBan < v.Ban {
		b.bad("max_ban", "max_ban is shorter than ban.", "")
	}
	b.done()
}
