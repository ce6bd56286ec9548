package imapd

import (
	"slices"
	"strconv"

	"github.com/forepost/forepost/imapstore"
)

func (s *session) selectBox() reply { return s.open(false) }

func (s *session) examine() reply { return s.open(true) }

// open is SELECT and EXAMINE (RFC 9051 sections 6.3.2, 6.3.3). It leaves the
// mailbox that was selected, even if it fails.
func (s *session) open(readOnly bool) reply {
	s.dec.SP()
	name := s.mailboxName()
	if s.dec.Take(' ') {
		s.selectParameters()
	}
	if !s.dec.End() {
		return syntax()
	}
	s.leave()
	box, err := s.mailbox(name)
	if err != nil {
		return s.refusal(err)
	}
	snap := box.Snapshot()
	s.view = &view{name: box.Name(), box: box, base: snap, snap: snap, readOnly: readOnly, keywords: map[string]bool{}}
	s.view.learn(snap.Messages)
	s.state = stateSelected
	s.takeRecent(snap)
	s.describe()
	if readOnly {
		return doneCode("READ-ONLY", "EXAMINE completed")
	}
	return doneCode("READ-WRITE", "SELECT completed")
}

// selectParameters are those of RFC 4466: CONDSTORE, in any order with others
// that may come.
func (s *session) selectParameters() {
	s.dec.List(func() {
		switch w := s.dec.Word(); w {
		case "CONDSTORE":
			s.condstore = true
		default:
			s.dec.Bad("SELECT knows no parameter %s", w)
		}
	})
}

// describe sends what a client learns of a mailbox when it selects it.
func (s *session) describe() {
	v := s.view
	s.flagsLine()
	if v.readOnly {
		s.enc.Line("* OK [PERMANENTFLAGS ()] Nothing can be changed")
	} else {
		s.enc.Line("* OK [PERMANENTFLAGS (", s.flagList(), ` \*)] Flags that can be changed`)
	}
	s.enc.Line("* ", strconv.Itoa(len(v.snap.Messages)), " EXISTS")
	if !s.rev2 {
		s.describeRev1()
	}
	s.enc.Line("* OK [UIDVALIDITY ", strconv.Itoa(int(v.snap.UIDValidity)), "] UIDs are valid")
	s.enc.Line("* OK [UIDNEXT ", strconv.Itoa(int(v.snap.UIDNext)), "] Predicted next UID")
	s.enc.Line("* OK [HIGHESTMODSEQ ", strconv.FormatUint(v.snap.HighestModSeq, 10), "] Highest mod-sequence")
	if s.rev2 { // RFC 9051 section 6.3.2
		s.enc.Raw(`* LIST () "/" `)
		s.enc.Mailbox(v.name)
		s.enc.Raw("\r\n")
	}
}

// describeRev1 tells what RFC 9051 took out of RFC 3501.
func (s *session) describeRev1() {
	s.recentLine()
	first := slices.IndexFunc(s.view.snap.Messages, func(e *imapstore.Entry) bool { return !e.Has(`\Seen`) })
	if first >= 0 {
		s.enc.Line("* OK [UNSEEN ", strconv.Itoa(first+1), "] First unseen")
	}
}

// leave gives the selected mailbox up.
func (s *session) leave() {
	if s.view != nil && s.rev2 {
		s.enc.Line("* OK [CLOSED] The mailbox is no longer selected") // RFC 9051 section 7.1
	}
	s.forget()
}

func (s *session) forget() {
	s.view, s.saved, s.state = nil, nil, stateAuth
}

// unselect is UNSELECT (RFC 9051 section 6.4.2).
func (s *session) unselect() reply {
	if !s.dec.End() {
		return syntax()
	}
	s.forget()
	return done("")
}

// close is CLOSE (RFC 9051 section 6.4.1): deleted messages go without a word.
func (s *session) close() reply {
	if !s.dec.End() {
		return syntax()
	}
	if !s.view.readOnly {
		if err := s.view.box.Expunge(s.ctx(), deleted(s.view.box.Snapshot(), nil)); err != nil {
			return s.refusal(err)
		}
	}
	s.forget()
	return done("")
}
