package imapd

import (
	"slices"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/imapstore/imapd/wire"
)

// indexes are the places in the view of the messages that set names. UIDs that
// are not there are passed over (RFC 9051 section 6.4.9); of sequence numbers
// that lie beyond the last message, ok is false.
func (s *session) indexes(set wire.Set, byUID bool) (at []int, ok bool) {
	v := s.view
	if set.Saved {
		return s.savedIndexes(), true
	}
	if byUID {
		for _, r := range s.uidRanges(set) {
			i, _ := v.index(imapstore.UID(r.From))
			for ; i < len(v.snap.Messages) && uint32(v.snap.Messages[i].UID) <= r.To; i++ {
				at = append(at, i)
			}
		}
		return at, true
	}
	for _, r := range clip(set, v.exists()).Resolve(v.exists()) {
		if r.To > v.exists() {
			return nil, false
		}
		for n := r.From; n <= r.To && n != 0; n++ { // in an empty mailbox "*" is 0: nothing
			at = append(at, int(n-1))
		}
	}
	return at, true
}

// clip takes "7:*" as "*" where there are fewer messages: clients ask so for
// what may be new, and RFC 9051 would have them fail.
func clip(set wire.Set, exists uint32) wire.Set {
	rs := slices.Clone(set.Ranges)
	for i, r := range rs {
		switch {
		case r.To == wire.Star && r.From > exists:
			rs[i].From = wire.Star
		case r.From == wire.Star && r.To > exists:
			rs[i].To = wire.Star
		}
	}
	return wire.Set{Ranges: rs}
}

func (s *session) savedIndexes() (at []int) {
	for _, uid := range s.saved {
		if i, ok := s.view.index(uid); ok {
			at = append(at, i)
		}
	}
	return at
}

// uidRanges are the ranges of a set of UIDs; "*" is the highest one there is.
func (s *session) uidRanges(set wire.Set) []wire.Range {
	if set.Saved {
		rs := []wire.Range{}
		for _, uid := range s.saved {
			rs = append(rs, wire.Range{From: uint32(uid), To: uint32(uid)})
		}
		return rs
	}
	last := uint32(0)
	if n := len(s.view.snap.Messages); n > 0 {
		last = uint32(s.view.snap.Messages[n-1].UID)
	}
	return set.Resolve(last)
}

// uidsAt are the UIDs of messages in the view.
func (s *session) uidsAt(at []int) []imapstore.UID {
	uids := make([]imapstore.UID, len(at))
	for i, n := range at {
		uids[i] = s.view.snap.Messages[n].UID
	}
	return slices.Clip(uids)
}

func noSuchMessage() reply { return bad("There is no message of that number") }
