package imapd

import (
	"strconv"
	"strings"
)

// noop is NOOP and CHECK: what the table does around it is all.
func (s *session) noop() reply {
	s.dec.End()
	return done("")
}

// logout is LOGOUT (RFC 9051 section 6.1.3).
func (s *session) logout() reply {
	if !s.dec.End() {
		return syntax()
	}
	s.enc.Line("* BYE Logging out")
	s.state, s.view = stateLogout, nil
	return done("")
}

// maxIDPairs is the most of RFC 2971 section 3.3.
const maxIDPairs = 30

// identify is ID (RFC 2971). What the client says of itself goes to the log.
func (s *session) identify() reply {
	s.dec.SP()
	var said []string
	if s.dec.Is('(') {
		key := true
		s.dec.List(func() {
			if len(said) >= 2*maxIDPairs {
				s.dec.Bad("ID has at most %d pairs", maxIDPairs)
				return
			}
			v := ""
			if key {
				v = s.dec.Text()
			} else {
				v, _ = s.dec.NString()
			}
			key = !key
			said = append(said, v)
		})
		if !key {
			s.dec.Bad("a value is missing")
		}
	} else if _, ok := s.dec.NString(); ok {
		s.dec.Bad("a list is missing")
	}
	if !s.dec.End() {
		return syntax()
	}
	s.log.Info("imap: client", "user", s.user, "says", strings.Join(said, " "))
	s.enc.Line(`* ID ("name" "Forepost")`)
	return done("")
}

// enable is ENABLE (RFC 9051 section 6.3.1). Unknown capabilities are passed over.
func (s *session) enable() reply {
	var on []string
	for s.dec.SP(); s.dec.Err() == nil; s.dec.SP() {
		switch w := s.dec.Word(); w {
		case "CONDSTORE":
			on = append(on, w)
		case "UTF8=ACCEPT", "IMAP4REV2":
			on = append(on, strings.Replace(w, "REV2", "rev2", 1))
		}
		if s.dec.AtEnd() {
			break
		}
	}
	if !s.dec.End() {
		return syntax()
	}
	for _, w := range on {
		s.switchOn(w)
	}
	s.enc.Line(strings.TrimRight("* ENABLED "+strings.Join(on, " "), " "))
	return done("")
}

// useCondstore turns mod-sequences on (RFC 7162 section 3.1). If a mailbox is
// selected already the client hears where it begins to count.
func (s *session) useCondstore() {
	if s.condstore {
		return
	}
	s.condstore = true
	if s.view != nil {
		s.enc.Line("* OK [HIGHESTMODSEQ ", strconv.FormatUint(s.view.snap.HighestModSeq, 10), "] Highest mod-sequence")
	}
}

func (s *session) switchOn(w string) {
	switch w {
	case "CONDSTORE":
		s.useCondstore()
	case "UTF8=ACCEPT":
		s.enc.UTF8 = true
	case "IMAP4rev2":
		s.enc.UTF8, s.rev2 = true, true
	}
}
