package imapd

import (
	"slices"

	"github.com/forepost/forepost/imapstore"
)

// view is the selected mailbox as the client knows it. snap.Messages are in
// the client's numbering: the sequence number of Messages[i] is i+1. It is a
// snapshot of the store, or, while expunges wait to be told, one with the
// messages that went still in it.
type view struct {
	name     string
	box      imapstore.Mailbox
	base     *imapstore.Snapshot // of the store, the last one seen
	snap     *imapstore.Snapshot
	readOnly bool
	keywords map[string]bool // told in FLAGS
	recent   []uidRun        // in order; for RFC 3501 only
}

// exists is how many messages the client knows of.
func (v *view) exists() uint32 { return uint32(len(v.snap.Messages)) }

// index finds a message by its UID.
func (v *view) index(uid imapstore.UID) (int, bool) { return v.snap.Find(uid) }

// delta is what the client has to be told to get from one view to the next.
type delta struct {
	gone    []uint32 // sequence numbers, falling, so that none shifts another
	exists  bool     // there are new messages
	changed []change // in the numbering of the next view
}

// change is a message whose flags or mod-sequence are no more what they were.
type change struct {
	at  int
	old *imapstore.Entry
}

// merge brings old, the client's view, up to cur. If gone messages may be told
// the result is cur; otherwise they stay in the numbering until they may.
func merge(old, cur *imapstore.Snapshot, expunge bool) (*imapstore.Snapshot, delta) {
	var d delta
	if n := len(old.Messages); n <= len(cur.Messages) && slices.Equal(old.Messages, cur.Messages[:n]) {
		d.exists = len(cur.Messages) > n // the common case: mail came in, and nothing else
		return cur, d
	}
	kept := 0
	next := make([]*imapstore.Entry, 0, len(cur.Messages)+8)
	i := 0
	for n, e := range old.Messages {
		for i < len(cur.Messages) && cur.Messages[i].UID < e.UID {
			i++ // cannot be: UIDs only rise. The client could not be told of it.
		}
		if i < len(cur.Messages) && cur.Messages[i].UID == e.UID {
			if cur.Messages[i] != e {
				d.changed = append(d.changed, change{len(next), e})
			}
			next = append(next, cur.Messages[i])
			i++
			continue
		}
		if expunge {
			d.gone = append(d.gone, uint32(n+1))
			continue
		}
		next = append(next, e)
		kept++
	}
	d.exists = i < len(cur.Messages)
	next = append(next, cur.Messages[i:]...)
	slices.Reverse(d.gone)
	if kept == 0 && len(next) == len(cur.Messages) {
		return cur, d
	}
	s := *cur
	s.Messages = next
	return &s, d
}
