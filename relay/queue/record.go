package queue

import (
	"unique"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
)

// The kinds of records. Each begins with the version of its form and the key
// of the entry.
const (
	kindEntry    = journal.KindQueue     // an entry with its whole state
	kindProgress = journal.KindQueue + 1 // some recipients' state, and where the dress was parked
	kindDone     = journal.KindQueue + 2 // nothing is left to do
	kindPause    = journal.KindQueue + 3 // a route is paused, or goes on; no key
)

const version = 1

func (e *encoder) head(k key) {
	e.b = append(e.b, version)
	e.uint(uint64(k.blob))
	e.uint(uint64(k.n))
}

func (d *decoder) head() (k key) {
	if d.byte() != version {
		d.fail()
	}
	k.blob = journal.BlobID(d.uint())
	k.n = uint32(d.uint())
	return k
}

// entryRecord is the whole state of an entry. That of a fresh one lists no
// recipients' states, since all are zero.
func entryRecord(e *entry) []byte {
	out := encoder{make([]byte, 0, 64+len(e.env))}
	out.head(e.key)
	out.str(e.env)
	out.uint(uint64(e.parked))
	if e.dress != nil {
		out.bytes(encodeDress(e.dress))
	} else {
		out.bytes(nil)
	}
	out.rcpts(e.rcpts, changed(e.rcpts))
	return out.b
}

// changed are the recipients that are not as Commit made them.
func changed(rs []rcpt) []int32 {
	var to []int32
	for i := range rs {
		if r := &rs[i]; r.state.kept() != Waiting || r.attempts > 0 || r.next != 0 {
			to = append(to, int32(i))
		}
	}
	return to
}

// kept is the state as it is kept on the disk.
func (s State) kept() State {
	if s == Ready || s == Active {
		return Waiting
	}
	return s
}

func decodeEntry(data []byte, known lasts) (*entry, error) {
	d := decoder{b: data, known: known}
	e := &entry{key: d.head(), at: -1}
	octets := d.bytes()
	e.env = string(octets)
	env, to, err := skimEnvelope(octets)
	if err != nil || d.bad {
		return nil, errRecord
	}
	e.received, e.priority = env.Received.UnixMilli(), env.Priority
	e.makeRcpts(to)
	e.parked = journal.BlobID(d.uint())
	if b := d.bytes(); len(b) > 0 {
		if e.dress, err = decodeDress(b); err != nil {
			return nil, err
		}
	}
	d.rcpts(e)
	return e, d.err()
}

// progressRecord is the state of the recipients to of e, whose dress is parked
// in that blob (0: not). States are whole, not
// steps, so that replaying twice does no harm.
func progressRecord(e *entry, rs []rcpt, parked journal.BlobID, to []int32) []byte {
	out := encoder{make([]byte, 0, 96)}
	out.head(e.key)
	out.uint(uint64(parked))
	out.rcpts(rs, to)
	return out.b
}

func doneRecord(k key) []byte {
	out := encoder{make([]byte, 0, 16)}
	out.head(k)
	return out.b
}

func (e *encoder) rcpts(rs []rcpt, to []int32) {
	e.uint(uint64(len(to)))
	for _, i := range to {
		e.uint(uint64(i))
		e.rcpt(&rs[i])
	}
}

func (d *decoder) rcpts(e *entry) {
	for n := d.count(); n > 0; n-- {
		i := d.uint()
		if i >= uint64(len(e.rcpts)) {
			d.fail()
			return
		}
		e.rcpts[i] = d.rcpt()
	}
	e.recount()
}

func (e *encoder) rcpt(r *rcpt) {
	e.b = append(e.b, byte(r.state.kept()))
	e.int(r.next)
	e.uint(uint64(r.attempts))
	l := r.last.Value()
	e.flags(r.warned, l.remote, l.paused, l.doomed)
	e.uint(uint64(l.reply.Class))
	e.uint(uint64(l.reply.Basic))
	e.uint(uint64(l.reply.Subject[0]))
	e.uint(uint64(l.reply.Subject[1]))
	e.str(l.reply.Text)
	e.str(l.said)
	e.str(l.host)
	e.str(l.route)
}

func (d *decoder) rcpt() (r rcpt) {
	r.state = State(d.byte())
	if r.state > Removed {
		d.fail()
	}
	r.next = d.int()
	r.attempts = uint16(d.uint())
	r.last, r.warned = d.last()
	return r
}

// lasts are what attempts came to, by their octets in records: thousands of
// records have the same, and making it anew for each is most of the work of a
// start. Nil for none kept.
type lasts map[string]unique.Handle[last]

// last reads what an attempt came to.
func (d *decoder) last() (h unique.Handle[last], warned bool) {
	from := d.b
	warned = d.byte()&1 != 0
	for range 4 {
		d.uint()
	}
	for range 4 {
		d.bytes()
	}
	if d.bad {
		return noLast, false
	}
	octets := from[:len(from)-len(d.b)]
	if h, ok := d.known[string(octets)]; ok {
		return h, warned
	}
	h = unique.Make(decodeLast(octets))
	if d.known != nil && len(d.known) < many {
		d.known[string(octets)] = h
	}
	return h, warned
}

// decodeLast reads octets that were found to be whole.
func decodeLast(octets []byte) last {
	d := decoder{b: octets}
	f := d.byte()
	l := last{remote: f&2 != 0, paused: f&4 != 0, doomed: f&8 != 0}
	l.reply.Class = mail.Class(d.uint())
	l.reply.Basic = int(d.uint())
	l.reply.Subject[0] = int(d.uint())
	l.reply.Subject[1] = int(d.uint())
	l.reply.Text = d.str()
	l.said = d.str()
	l.host = d.str()
	l.route = d.str()
	return l
}
