package imapd

import (
	"slices"
	"strings"

	"github.com/forepost/forepost/imapstore"
)

// list is LIST (RFC 9051 section 6.3.9).
func (s *session) list() reply {
	l := s.parseList()
	if !s.dec.End() {
		return syntax()
	}
	if l.empty {
		s.enc.Line(`* LIST (\Noselect) "/" ""`)
		return done("")
	}
	for _, i := range s.candidates(&l) {
		s.listOne(&l, i)
	}
	return done("")
}

// candidate is a mailbox of a list; gone is a subscription to one that is not there.
type candidate struct {
	imapstore.Info
	gone      bool
	childInfo bool // selected for what is below it only (RECURSIVEMATCH)
}

// candidates are the mailboxes that the listing selects, in order of names.
func (s *session) candidates(l *listing) (out []candidate) {
	infos := s.account.Mailboxes()
	all := make([]candidate, 0, len(infos))
	for _, i := range infos {
		all = append(all, candidate{Info: i})
	}
	if l.subscribed {
		all = append(all, s.goneSubscriptions(infos)...)
	}
	for _, c := range all {
		if !matchesAny(l.patterns, c.Name) {
			continue
		}
		if !l.selects(c.Info) {
			if !l.recursive || !l.selectsBelow(all, c.Name) {
				continue
			}
			c.childInfo = true
		} else if l.recursive {
			c.childInfo = l.selectsBelow(all, c.Name)
		}
		out = append(out, c)
	}
	return out
}

func (l *listing) selects(i imapstore.Info) bool {
	return (!l.subscribed || i.Subscribed) && (!l.specialUse || i.Use != "")
}

// selectsBelow tells whether a mailbox below name is selected but does not fit
// the patterns itself.
func (l *listing) selectsBelow(all []candidate, name string) bool {
	return slices.ContainsFunc(all, func(c candidate) bool {
		return strings.HasPrefix(c.Name, name+delimiter) && l.selects(c.Info) && !matchesAny(l.patterns, c.Name)
	})
}

func (s *session) goneSubscriptions(infos []imapstore.Info) (out []candidate) {
	for _, name := range s.account.Subscriptions() {
		if !slices.ContainsFunc(infos, func(i imapstore.Info) bool { return i.Name == name }) {
			out = append(out, candidate{Info: imapstore.Info{Name: name, Subscribed: true}, gone: true})
		}
	}
	return out
}

func (s *session) listOne(l *listing, c candidate) {
	s.enc.Raw("* LIST (", strings.Join(l.attributes(c), " "), `) "/" `)
	s.enc.Mailbox(c.Name)
	if c.childInfo {
		s.enc.Raw(` ("CHILDINFO" (`, strings.Join(l.criteria(), " "), "))")
	}
	s.enc.Raw("\r\n")
	if l.retStatus != nil && !c.NoSelect && !c.gone {
		if box, err := s.account.Mailbox(c.Name); err == nil {
			s.tellStatus(c.Name, box.Snapshot(), l.retStatus)
		}
	}
}

func (l *listing) criteria() (words []string) {
	if l.subscribed {
		words = append(words, `"SUBSCRIBED"`)
	}
	if l.specialUse {
		words = append(words, `"SPECIAL-USE"`)
	}
	return words
}

// attributes of a LIST response (RFC 9051 section 7.3.1). Children and special
// uses cost nothing, so they are told whether asked for or not.
func (l *listing) attributes(c candidate) (a []string) {
	switch {
	case c.gone:
		a = append(a, `\NonExistent`)
	case c.NoSelect:
		a = append(a, `\Noselect`)
	}
	if c.HasChildren {
		a = append(a, `\HasChildren`)
	} else if !c.gone {
		a = append(a, `\HasNoChildren`)
	}
	if c.Use != "" {
		a = append(a, c.Use)
	}
	if l.retSubscribed && c.Subscribed {
		a = append(a, `\Subscribed`)
	}
	return a
}

// lsub is LSUB (RFC 3501 section 6.3.9).
func (s *session) lsub() reply {
	s.dec.SP()
	reference := s.decodeName(s.dec.AString())
	s.dec.SP()
	l := listing{subscribed: true}
	s.listPatterns(&l, reference)
	if !s.dec.End() {
		return syntax()
	}
	told := map[string]bool{}
	names := s.account.Subscriptions()
	slices.Sort(names)
	for _, name := range names {
		s.lsubOne(l.patterns, name, told)
	}
	return done("")
}

// lsubOne tells of a subscription; where only its parent fits the pattern the
// parent is told as \Noselect (the "%" rule of RFC 3501 section 6.3.9).
func (s *session) lsubOne(patterns []string, name string, told map[string]bool) {
	attr := ""
	for !matchesAny(patterns, name) {
		i := strings.LastIndex(name, delimiter)
		if i < 0 {
			return
		}
		name, attr = name[:i], `\Noselect`
	}
	if told[name] || attr != "" && slices.Contains(s.account.Subscriptions(), name) {
		return
	}
	told[name] = true
	s.enc.Raw("* LSUB (", attr, `) "/" `)
	s.enc.Mailbox(name)
	s.enc.Raw("\r\n")
}
