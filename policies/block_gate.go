package policies

import (
	"strconv"
	"strings"
	"time"

	"github.com/forepost/forepost/policies/internal/expr"
)

// Gate is how many clients a listener lets in, and how fast, before any policy
// is asked. Networks of relay_from and xclient are counted in MaxSessions only.
type Gate struct {
	MaxSessions    int // at once, in all
	MaxPerClient   int // at once, from one address
	MaxPerNetwork  int // at once, from one network
	RatePerClient  Rate
	RatePerNetwork Rate
	NetworkV4      int           // bits of an IPv4 network
	NetworkV6      int           // bits of an IPv6 network
	GreetingDelay  time.Duration // how long a stranger waits for the greeting; who talks in it is refused
}

// Rate is so many in a time; the zero Rate is no limit.
type Rate struct {
	Max int64
	Per time.Duration
}

// defaultGreetingDelay is for listeners that take mail from strangers. Honest
// servers wait for minutes (RFC 5321 section 4.5.3.2.1).
const defaultGreetingDelay = time.Second

// gate reads the attributes of a listener that bound its clients.
func (l *loader) gate(b *body, protocol string) Gate {
	delay := time.Duration(0)
	if protocol == "smtp" {
		delay = defaultGreetingDelay
	}
	g := Gate{
		MaxSessions:    b.between("max_sessions", 1000, 1, 1<<20),
		MaxPerClient:   b.between("max_per_client", 50, 1, 1<<20),
		MaxPerNetwork:  b.between("max_per_network", 200, 1, 1<<20),
		RatePerClient:  b.rate("rate_per_client", "600/1m"),
		RatePerNetwork: b.rate("rate_per_network", "2400/1m"),
		NetworkV4:      b.between("network_v4", 24, 8, 32),
		NetworkV6:      b.between("network_v6", 64, 16, 128),
		GreetingDelay:  b.duration("greeting_delay", delay),
	}
	if g.GreetingDelay > time.Minute {
		b.bad("greeting_delay", "Nobody waits that long for a greeting.", "Write a time of up to \"1m\"; \"2s\" is enough for most.")
	}
	return g
}

// between is a whole number between two.
func (b *body) between(name string, def, low, high int) int {
	n := b.number(name, def)
	if n < low || n > high {
		b.bad(name, name+" is a whole number between "+strconv.Itoa(low)+" and "+strconv.Itoa(high)+".", "")
		return def
	}
	return n
}

// rate is so many in a time, "600/1m"; "none" is no limit.
func (b *body) rate(name, def string) Rate {
	s := b.text(name, def)
	if s == "none" {
		return Rate{}
	}
	num, per, _ := strings.Cut(s, "/")
	n, err1 := strconv.ParseInt(num, 10, 32)
	d, err2 := expr.ParseDuration(per)
	if err1 != nil || err2 != nil || n <= 0 || d <= 0 {
		b.bad(name, "\""+s+"\" is no rate.", "Write \"600/1m\" for 600 in a minute, or \"none\" for no limit.")
		return Rate{}
	}
	return Rate{n, d}
}
