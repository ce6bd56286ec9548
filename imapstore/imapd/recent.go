package imapd

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/imapstore/imapd/wire"
)

// \Recent of RFC 3501 section 2.3.2: the first session that selects a mailbox
// after a message came in finds it recent, and no other. It says nothing that
// lasts, and RFC 9051 has it no more, so it is kept in memory: what came in before
// the server started is not recent.

// recents knows of each mailbox the first UID that no session has had as recent.
type recents struct {
	started time.Time

	mu   sync.Mutex
	next *lru.Cache[mailboxKey, imapstore.UID]
}

// mailboxKey names a mailbox: no two of an account have the same UIDVALIDITY.
type mailboxKey struct {
	account  string
	validity uint32
}

// maxRecents is how many mailboxes are remembered. Of one that was forgotten
// messages can be recent twice.
const maxRecents = 100_000

func newRecents(started time.Time) (*recents, error) {
	next, err := lru.New[mailboxKey, imapstore.UID](maxRecents)
	return &recents{started: started, next: next}, err
}

// claim returns the first UID that is recent; take makes the messages up to now
// the caller's, recent for nobody else.
func (r *recents) claim(account string, snap *imapstore.Snapshot, take bool) imapstore.UID {
	key := mailboxKey{account, snap.UIDValidity}
	r.mu.Lock()
	defer r.mu.Unlock()
	from, ok := r.next.Get(key)
	if !ok {
		from = r.since(snap)
		r.next.Add(key, from)
	}
	if take && from < snap.UIDNext {
		r.next.Add(key, snap.UIDNext)
	}
	return from
}

// since is the UID of the first message that came in after the server started.
func (r *recents) since(snap *imapstore.Snapshot) imapstore.UID {
	from := snap.UIDNext
	for i := len(snap.Messages) - 1; i >= 0 && !snap.Messages[i].SaveDate.Before(r.started); i-- {
		from = snap.Messages[i].UID
	}
	return from
}

// uidRun is a run of UIDs, From to before End.
type uidRun struct{ from, end imapstore.UID }

// takeRecent makes new messages recent in this session, if they are in none.
func (s *session) takeRecent(snap *imapstore.Snapshot) {
	from := s.srv.recents.claim(s.user, snap, !s.view.readOnly)
	if n := len(s.view.recent); n > 0 {
		from = max(from, s.view.recent[n-1].end) // what EXAMINE did not take
	}
	if from < snap.UIDNext {
		s.view.recent = append(s.view.recent, uidRun{from, snap.UIDNext})
	}
}

func (v *view) isRecent(uid imapstore.UID) bool {
	for _, r := range v.recent {
		if r.from <= uid && uid < r.end {
			return true
		}
	}
	return false
}

func (v *view) countRecent() (n int) {
	if len(v.recent) == 0 {
		return 0
	}
	for i := len(v.snap.Messages) - 1; i >= 0 && v.snap.Messages[i].UID >= v.recent[0].from; i-- {
		if v.isRecent(v.snap.Messages[i].UID) {
			n++
		}
	}
	return n
}

// flagsOf is how the flags of a message stand in FETCH.
func (s *session) flagsOf(e *imapstore.Entry) string {
	flags := strings.Join(showable(e.Flags), " ")
	if !s.rev2 && s.view.isRecent(e.UID) {
		return strings.TrimLeft(flags+` \Recent`, " ")
	}
	return flags
}

// showable leaves out keywords that are no atoms: a tag of a policy may hold
// anything, and in a list of flags it would be read as something else.
func showable(flags []string) []string {
	odd := func(f string) bool { return !wire.IsAtom(strings.TrimPrefix(f, `\`)) }
	if !slices.ContainsFunc(flags, odd) {
		return flags
	}
	return slices.DeleteFunc(slices.Clone(flags), odd)
}

// recentLine is the RECENT response of RFC 3501 section 7.3.2.
func (s *session) recentLine() {
	if !s.rev2 {
		s.enc.Line("* ", strconv.Itoa(s.view.countRecent()), " RECENT")
	}
}
