package trail

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// An entry is a record of the journal: what it is, the time in milliseconds, the
// length of the ID, the ID, and what there is to say. What stands before that is
// enough to pass over entries without reading them.
const (
	isRecord  = 'R' // a Record: its version, its dictionary, its fields
	isJSON    = 'r' // a Record as JSON, as it was before versions
	isEvent   = 'e' // an Event as JSON
	isWords   = 'w' // words of a dictionary; it has neither time nor ID
	fixedLen  = 10
	dictLen   = 4
	recordTop = 1 + dictLen
)

// encodeRecord makes the entry of a record, in the words of a dictionary. What is
// too large is left out step by step: a record stays small whatever a message does.
func encodeRecord(r *Record, d *dictionary) ([]byte, error) {
	if len(r.ID) > mail.TransactionIDLen {
		return nil, errLongID
	}
	short := bounded(r)
	for step := 0; ; step++ {
		c := coder{enc: true, dict: d, p: head(isRecord, r.ID, r.Time, 512)}
		c.p = append(c.p, recordVersion)
		c.p = binary.LittleEndian.AppendUint32(c.p, d.id)
		c.record(short)
		if len(c.p) <= maxEntry {
			return c.p, nil
		}
		if step == len(sheds) {
			return nil, fmt.Errorf("a record of %d octets", len(c.p))
		}
		shed(short, step)
	}
}

// decodeRecord reads a record of any version. need tells that words of its
// dictionary are not known.
func (e *entry) decodeRecord(t *tables) (r *Record, need bool, err error) {
	r = &Record{}
	if e.what == isJSON {
		if err := json.Unmarshal(e.text, r); err != nil {
			return nil, false, fmt.Errorf("%w: %w", errEntry, err)
		}
		r.Rules = slices.DeleteFunc(r.Rules, func(x *Rule) bool { return x == nil }) // null
		return r, false, nil
	}
	if len(e.text) < recordTop || e.text[0] == 0 {
		return nil, false, errEntry
	}
	if e.text[0] > recordVersion {
		return nil, false, fmt.Errorf("trail: a record of version %d; this program knows up to %d", e.text[0], recordVersion)
	}
	c := coder{p: e.text[recordTop:], list: t.get(binary.LittleEndian.Uint32(e.text[1:]))}
	r.ID, r.Time = mail.ID(e.id), e.at.UTC()
	c.record(r)
	return r, c.need, c.err
}

// isOne tells whether the entry is a record.
func (e *entry) isOne() bool { return e.what == isRecord || e.what == isJSON }

func encodeEvent(ev Event) ([]byte, error) {
	if len(ev.ID) > mail.TransactionIDLen {
		return nil, errLongID
	}
	for _, s := range []*string{&ev.To, &ev.Host, &ev.Reply, &ev.TLS, &ev.Note} {
		*s = cut(*s, maxReplyText)
	}
	text, err := json.Marshal(ev)
	return append(head(isEvent, ev.ID, ev.Time, len(text)), text...), err
}

// head begins an entry.
func head(what byte, id mail.ID, at time.Time, room int) []byte {
	p := make([]byte, 0, fixedLen+len(id)+room)
	p = append(p, what)
	p = binary.BigEndian.AppendUint64(p, uint64(at.UnixMilli()))
	p = append(p, byte(len(id)))
	return append(p, id...)
}

// entry is one that was read; its fields lie in the buffer of the reader.
type entry struct {
	what byte
	at   time.Time
	id   []byte
	text []byte
}

var (
	errEntry  = errors.New("trail: an entry that cannot be read")
	errLongID = errors.New("an ID that is too long")
)

func decode(p []byte) (e entry, err error) {
	if len(p) < fixedLen || len(p) < fixedLen+int(p[9]) {
		return e, errEntry
	}
	n := fixedLen + int(p[9])
	return entry{what: p[0], at: time.UnixMilli(int64(binary.BigEndian.Uint64(p[1:]))), id: p[fixedLen:n], text: p[n:]}, nil
}

// session is the part of an ID that all transactions of a session share.
func session(id []byte) []byte { return id[:min(len(id), mail.SessionIDLen)] }
