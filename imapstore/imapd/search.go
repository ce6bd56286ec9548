package imapd

import (
	"slices"
	"strconv"

	"github.com/forepost/forepost/imapstore/imapd/wire"
)

// search is SEARCH (RFC 9051 section 6.4.4): exact substrings of decoded text,
// never what an index of words believes.
func (s *session) search(byUID bool) reply {
	q := s.parseSearch()
	if !s.dec.End() {
		return syntax()
	}
	at := s.matching(q.root)
	if q.ret["SAVE"] {
		s.saved = s.uidsAt(savedPart(q, at))
	}
	numbers := make([]uint32, len(at))
	for i, n := range at {
		numbers[i] = uint32(n + 1)
		if byUID {
			numbers[i] = uint32(s.view.snap.Messages[n].UID)
		}
	}
	top := uint64(0)
	if q.modseq {
		top = s.topModSeq(q, at)
	}
	if q.ret != nil || s.rev2 {
		s.esearch(q, numbers, top, byUID)
	} else {
		s.oldSearch(numbers, top)
	}
	return done("")
}

func (s *session) matching(root *key) (at []int) {
	var sc scratch
	for i, e := range s.view.snap.Messages {
		if root.match(&candidateMessage{srv: s.srv, at: i, e: e, scratch: &sc}) {
			at = append(at, i)
		}
		if s.ctx().Err() != nil {
			break
		}
	}
	return at
}

// savedPart is what "$" keeps: all, unless only MIN or MAX were asked for (RFC
// 9051 section 6.4.4.1).
func savedPart(q *searching, at []int) []int {
	if q.ret["ALL"] || q.ret["COUNT"] || len(at) == 0 || !q.ret["MIN"] && !q.ret["MAX"] {
		return at
	}
	var out []int
	if q.ret["MIN"] {
		out = append(out, at[0])
	}
	if q.ret["MAX"] {
		out = append(out, at[len(at)-1])
	}
	return slices.Compact(out)
}

// topModSeq is the highest mod-sequence of what the answer shows (RFC 7162
// section 3.1.5, RFC 4731 section 3.2).
func (s *session) topModSeq(q *searching, at []int) (top uint64) {
	if q.ret != nil {
		at = savedPart(q, at)
	}
	for _, i := range at {
		top = max(top, s.view.snap.Messages[i].ModSeq)
	}
	return top
}

func (s *session) oldSearch(numbers []uint32, top uint64) {
	s.enc.Raw("* SEARCH")
	for _, n := range numbers {
		s.enc.Raw(" ")
		s.enc.Uint(uint64(n))
	}
	if top > 0 {
		s.enc.Raw(" (MODSEQ ", strconv.FormatUint(top, 10), ")")
	}
	s.enc.Raw("\r\n")
}

// esearch is the ESEARCH response (RFC 9051 section 7.3.4).
func (s *session) esearch(q *searching, numbers []uint32, top uint64, byUID bool) {
	if len(q.ret) == 1 && q.ret["SAVE"] {
		return // the client wants the result kept, not shown
	}
	s.enc.Raw("* ESEARCH (TAG ", wire.Quote(s.tag), ")")
	if byUID {
		s.enc.Raw(" UID")
	}
	n := len(numbers)
	if n > 0 && q.ret["MIN"] {
		s.enc.Raw(" MIN ", strconv.Itoa(int(numbers[0])))
	}
	if n > 0 && q.ret["MAX"] {
		s.enc.Raw(" MAX ", strconv.Itoa(int(numbers[n-1])))
	}
	if n > 0 && (q.ret["ALL"] || q.ret == nil) {
		s.enc.Raw(" ALL ", wire.FormatSet(numbers))
	}
	if q.ret["COUNT"] {
		s.enc.Raw(" COUNT ", strconv.Itoa(n))
	}
	if n > 0 && top > 0 {
		s.enc.Raw(" MODSEQ ", strconv.FormatUint(top, 10))
	}
	s.enc.Raw("\r\n")
}
