package pop3pickup

import (
	"strings"
	"time"
)

// capa tells what the server can do (RFC 2449). What needs a login that is not
// possible here is left out.
func (ss *session) capa(string) {
	ss.ok("capabilities follow")
	for _, l := range []string{"TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING"} {
		ss.line("%s", l)
	}
	if ss.state == authorization {
		if ss.secure() {
			ss.line("USER")
			ss.line("SASL %s", strings.Join(ss.mechanisms(), " "))
		}
		if ss.canTLS() {
			ss.line("STLS")
		}
	}
	ss.line("%s", ss.expire())
	if d := ss.c.LoginDelay; d > 0 {
		ss.line("LOGIN-DELAY %d", int64((d+time.Second-1)/time.Second))
	}
	ss.line("IMPLEMENTATION Forepost")
	ss.endLines()
}

// expire is how many days mail is kept at least (RFC 2449 section 6.7).
func (ss *session) expire() string {
	if ss.c.Retention <= 0 {
		return "EXPIRE NEVER"
	}
	return "EXPIRE " + days(ss.c.Retention)
}
