package imapd

import (
	"slices"
	"strings"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/imapstore/imapd/wire"
)

// storing is a parsed STORE (RFC 9051 section 6.4.6, RFC 7162 section 3.1.3).
type storing struct {
	set       wire.Set
	op        imapstore.FlagOp
	silent    bool
	flags     []string
	unchanged *uint64 // UNCHANGEDSINCE
}

func (s *session) parseStore() (st storing) {
	s.dec.SP()
	st.set = s.dec.Set()
	s.dec.SP()
	if s.dec.Take('(') {
		if s.dec.Word() != "UNCHANGEDSINCE" {
			s.dec.Bad("STORE knows only UNCHANGEDSINCE")
		}
		s.dec.SP()
		n := s.dec.Number64()
		st.unchanged = &n
		s.dec.Expect(')')
		s.dec.SP()
	}
	st.op, st.silent = s.flagOp()
	s.dec.SP()
	st.flags = s.flags()
	return st
}

func (s *session) flagOp() (op imapstore.FlagOp, silent bool) {
	switch {
	case s.dec.Take('+'):
		op = imapstore.FlagsAdd
	case s.dec.Take('-'):
		op = imapstore.FlagsRemove
	}
	word, silent := strings.CutSuffix(s.dec.Word(), ".SILENT")
	if word != "FLAGS" {
		s.dec.Bad("FLAGS is missing")
	}
	return op, silent
}

// Bounds of keywords: a mailbox shows each of them with every message.
const (
	maxFlags   = 100
	maxKeyword = 100
)

// flags reads a list of flags, or, as RFC 3501 has it for STORE, flags without
// parentheses. \Recent is not the client's to change; it is passed over.
func (s *session) flags() (flags []string) {
	one := func() {
		f := s.dec.Flag()
		switch known, ok := imapstore.SystemFlag(f); {
		case strings.EqualFold(f, `\Recent`):
		case len(f) > maxKeyword || len(flags) >= maxFlags:
			s.dec.Bad("too many flags, or one too long")
		case ok:
			flags = append(flags, known)
		case strings.HasPrefix(f, `\`):
			s.dec.Bad("%s is no flag that there is", f)
		default:
			flags = append(flags, f)
		}
	}
	if s.dec.Is('(') {
		s.dec.List(one)
		return flags
	}
	for one(); s.dec.Take(' '); {
		one()
	}
	return flags
}

func (s *session) store(byUID bool) reply {
	st := s.parseStore()
	if !s.dec.End() {
		return syntax()
	}
	at, ok := s.indexes(st.set, byUID)
	if !ok {
		return noSuchMessage()
	}
	if s.view.readOnly {
		return readOnly()
	}
	if st.unchanged != nil {
		s.useCondstore()
	}
	uids := s.uidsAt(at)
	modified, err := s.storeFlags(uids, &st)
	if err != nil {
		return s.refusal(err)
	}
	s.tellStored(uids, modified, &st, byUID)
	return s.stored(modified, byUID)
}

func (s *session) storeFlags(uids []imapstore.UID, st *storing) ([]imapstore.UID, error) {
	since := uint64(0)
	if st.unchanged != nil {
		if since = *st.unchanged; since == 0 { // every message has changed since
			return uids, nil
		}
	}
	if len(uids) == 0 {
		return nil, nil
	}
	return s.view.box.Store(s.ctx(), uids, st.op, st.flags, since)
}

// tellStored answers with the flags as they are now: those of all messages, or
// under SILENT only where somebody else changed them too, and with mod-sequences
// for a client that keeps them (RFC 7162 section 3.1.3).
func (s *session) tellStored(uids, modified []imapstore.UID, st *storing, byUID bool) {
	ours := func(uid imapstore.UID) bool {
		_, in := slices.BinarySearch(uids, uid)
		return in && !slices.Contains(modified, uid)
	}
	s.updateBut(false, func(old, now *imapstore.Entry) bool {
		if !ours(now.UID) {
			return false
		}
		return !st.silent || !s.condstore && slices.Equal(apply(old.Flags, st.op, st.flags), now.Flags)
	})
	if st.silent {
		return
	}
	for _, uid := range uids {
		if i, ok := s.view.index(uid); ok && ours(uid) {
			s.tellFlags(i, byUID || s.condstore || s.rev2)
		}
	}
}

// apply is what op makes of flags, in their order.
func apply(flags []string, op imapstore.FlagOp, with []string) []string {
	var out []string
	if op != imapstore.FlagsReplace {
		out = slices.DeleteFunc(slices.Clone(flags), func(f string) bool {
			return op == imapstore.FlagsRemove && imapstore.HasFlag(with, f)
		})
	}
	if op != imapstore.FlagsRemove {
		for _, f := range with {
			if !imapstore.HasFlag(out, f) {
				out = append(out, f)
			}
		}
	}
	slices.Sort(out)
	return out
}

func (s *session) stored(modified []imapstore.UID, byUID bool) reply {
	if len(modified) == 0 {
		return done("")
	}
	numbers := make([]uint32, 0, len(modified))
	for _, uid := range modified {
		if i, ok := s.view.index(uid); ok && !byUID {
			numbers = append(numbers, uint32(i+1))
		} else if byUID {
			numbers = append(numbers, uint32(uid))
		}
	}
	return doneCode("MODIFIED "+wire.FormatSet(numbers), "Some messages had changed")
}
