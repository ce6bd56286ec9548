package imapd

import "strings"

// maxPatterns is the most patterns of one LIST: each is matched with every name.
const maxPatterns = 50

// listing is a parsed LIST (RFC 9051 section 6.3.9, RFC 5258, RFC 5819, RFC 6154).
type listing struct {
	extended bool // in the form of RFC 5258
	empty    bool // asks for the delimiter only

	// What is selected.
	subscribed, specialUse, recursive bool
	patterns                          []string

	// What is returned.
	retSubscribed, retChildren, retSpecialUse bool
	retStatus                                 []string
}

func (s *session) parseList() (l listing) {
	s.dec.SP()
	if s.dec.Is('(') {
		l.extended = true
		s.dec.List(func() { s.listSelection(&l) })
		s.dec.SP()
	}
	reference := s.decodeName(s.dec.AString())
	s.dec.SP()
	s.listPatterns(&l, reference)
	if s.dec.Take(' ') {
		l.extended = true
		if s.dec.Word() != "RETURN" {
			s.dec.Bad("RETURN is missing")
		}
		s.dec.SP()
		s.dec.List(func() { s.listReturn(&l) })
	}
	if l.recursive && !l.subscribed && !l.specialUse {
		s.dec.Bad("RECURSIVEMATCH needs another selection option") // RFC 9051 section 6.3.9.1
	}
	return l
}

func (s *session) listPatterns(l *listing, reference string) {
	raw := []string{}
	if s.dec.Is('(') {
		l.extended = true
		s.dec.List(func() { raw = append(raw, s.dec.ListMailbox()) })
	} else {
		raw = append(raw, s.dec.ListMailbox())
	}
	if len(raw) > maxPatterns {
		s.dec.Bad("a LIST has at most %d patterns", maxPatterns)
		return
	}
	l.empty = !l.extended && raw[0] == "" // RFC 9051 section 6.3.9: a request for the delimiter
	for _, p := range raw {
		if p = s.decodeName(p); p != "" {
			l.patterns = append(l.patterns, strings.TrimPrefix(reference+p, delimiter))
		}
	}
}

func (s *session) listSelection(l *listing) {
	switch w := s.dec.Word(); w {
	case "SUBSCRIBED":
		l.subscribed, l.retSubscribed = true, true
	case "SPECIAL-USE":
		l.specialUse, l.retSpecialUse = true, true
	case "RECURSIVEMATCH":
		l.recursive = true
	case "REMOTE": // there are none
	default:
		s.dec.Bad("LIST knows no selection option %s", w)
	}
}

func (s *session) listReturn(l *listing) {
	switch w := s.dec.Word(); w {
	case "SUBSCRIBED":
		l.retSubscribed = true
	case "CHILDREN":
		l.retChildren = true
	case "SPECIAL-USE":
		l.retSpecialUse = true
	case "STATUS":
		s.dec.SP()
		l.retStatus = s.statusItems()
	default:
		s.dec.Bad("LIST knows no return option %s", w)
	}
}
