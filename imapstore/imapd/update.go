package imapd

import (
	"slices"
	"strconv"
	"strings"

	"github.com/forepost/forepost/imapstore"
)

// update brings the view up to the store and tells the client what changed;
// EXPUNGE only where the command allows it.
func (s *session) update(expunge bool) { s.updateBut(expunge, nil) }

// updateBut is update that keeps quiet about the changes that hush knows: the
// client made them and asked for no answer, or has had it.
func (s *session) updateBut(expunge bool, hush func(old, now *imapstore.Entry) bool) {
	v := s.view
	cur := v.box.Snapshot()
	if cur == v.snap || cur == v.base && !(expunge && v.snap != v.base) {
		return
	}
	next, d := merge(v.snap, cur, expunge)
	v.base, v.snap = cur, next
	for _, n := range d.gone {
		s.enc.Line("* ", strconv.Itoa(int(n)), " EXPUNGE")
	}
	if len(d.gone) > 0 {
		s.dropSaved()
	}
	if d.exists {
		s.enc.Line("* ", strconv.Itoa(len(next.Messages)), " EXISTS")
		s.takeRecent(next)
		s.recentLine()
	}
	s.tellKeywords(next.Messages)
	for _, c := range d.changed {
		now := next.Messages[c.at]
		if hush != nil && hush(c.old, now) {
			continue
		}
		if s.condstore && c.old.ModSeq != now.ModSeq || !slices.Equal(c.old.Flags, now.Flags) {
			s.tellFlags(c.at, s.condstore || s.rev2)
		}
	}
}

// tellFlags is an untagged FETCH of what STORE changes (RFC 9051 section 7.5.2).
func (s *session) tellFlags(at int, withUID bool) {
	e := s.view.snap.Messages[at]
	s.enc.Raw("* ", strconv.Itoa(at+1), " FETCH (")
	if withUID {
		s.enc.Raw("UID ", strconv.Itoa(int(e.UID)), " ")
	}
	s.enc.Raw("FLAGS (", s.flagsOf(e), ")")
	if s.condstore {
		s.enc.Raw(" MODSEQ (", strconv.FormatUint(e.ModSeq, 10), ")")
	}
	s.enc.Raw(")\r\n")
}

// dropSaved takes messages that went out of "$" (RFC 9051 section 6.4.4.1).
func (s *session) dropSaved() {
	s.saved = slices.DeleteFunc(s.saved, func(uid imapstore.UID) bool {
		_, ok := s.view.index(uid)
		return !ok
	})
}

// systemFlags are those that every mailbox has.
const systemFlags = `\Answered \Flagged \Deleted \Seen \Draft`

// learn notes the keywords of messages and tells whether there were new ones.
func (v *view) learn(messages []*imapstore.Entry) (more bool) {
	for _, e := range messages {
		for _, f := range showable(e.Flags) {
			if f[0] != '\\' && !v.keywords[f] {
				v.keywords[f] = true
				more = true
			}
		}
	}
	return more
}

// tellKeywords announces keywords before a FETCH shows them (RFC 9051 section 7.3.5).
func (s *session) tellKeywords(messages []*imapstore.Entry) {
	if s.view.learn(messages) {
		s.flagsLine()
	}
}

func (s *session) flagsLine() {
	s.enc.Line("* FLAGS (", s.flagList(), ")")
}

func (s *session) flagList() string {
	words := make([]string, 0, len(s.view.keywords))
	for k := range s.view.keywords {
		words = append(words, k)
	}
	slices.Sort(words)
	return strings.TrimRight(systemFlags+" "+strings.Join(words, " "), " ")
}
