package imapd

import (
	"strconv"
	"strings"

	"github.com/forepost/forepost/relay/sasl"
)

// What is advertised is what is wholly there. LITERAL+ includes LITERAL-
// (RFC 7888 section 5 wants one of the two words, not both).
const (
	capsBefore = "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE"
	capsAfter  = " NAMESPACE UNSELECT UIDPLUS MOVE CHILDREN SPECIAL-USE CREATE-SPECIAL-USE" +
		" LIST-EXTENDED LIST-STATUS STATUS=SIZE ESEARCH SEARCHRES CONDSTORE UTF8=ACCEPT BINARY APPENDLIMIT="
)

// capabilities are those of the session as it is now.
func (s *session) capabilities() string {
	if s.state != stateNew {
		return capsBefore + capsAfter + strconv.FormatInt(s.srv.cfg.AppendLimit, 10)
	}
	var b strings.Builder
	b.WriteString(capsBefore)
	if s.canStartTLS() {
		b.WriteString(" STARTTLS")
	}
	if s.mayLogin() {
		for _, mech := range sasl.Offer(s.srv.cfg.Logins, s.loginClient()) {
			b.WriteString(" AUTH=" + mech)
		}
	} else {
		b.WriteString(" LOGINDISABLED")
	}
	return b.String()
}

func (s *session) capability() reply {
	if !s.dec.End() {
		return syntax()
	}
	s.enc.Line("* CAPABILITY ", s.capabilities())
	return done("")
}
