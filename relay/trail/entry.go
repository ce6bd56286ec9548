package trail

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// An entry is a record of the journal: what it is (r or e), the time in
// milliseconds, the length of the ID, the ID, and the Record or Event as JSON.
// What stands before the JSON is enough to pass over entries without reading it.
const (
	isRecord = 'r'
	isEvent  = 'e'

	fixedLen = 10
)

// maxEntry bounds one entry. A record with more facts than this loses facts
// and rules, not its outcome.
const maxEntry = 256 << 10

func encodeRecord(r *Record) ([]byte, error) {
	p, err := encode(isRecord, r.ID, r.Time, r)
	if err != nil || len(p) <= maxEntry {
		return p, err
	}
	short := *r
	short.Facts, short.Rules = nil, nil
	short.To, short.Outcomes = firstOf(r.To), firstOf(r.Outcomes)
	p, err = encode(isRecord, r.ID, r.Time, &short)
	if err == nil && len(p) > maxEntry {
		err = fmt.Errorf("a record of %d octets", len(p))
	}
	return p, err
}

// firstOf keeps what one can read.
func firstOf[T any](s []T) []T { return s[:min(len(s), 100)] }

func encode(what byte, id mail.ID, at time.Time, v any) ([]byte, error) {
	if len(id) > mail.TransactionIDLen {
		return nil, errors.New("an ID that is too long")
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	p := make([]byte, 0, fixedLen+len(id)+len(text))
	p = append(p, what)
	p = binary.BigEndian.AppendUint64(p, uint64(at.UnixMilli()))
	p = append(p, byte(len(id)))
	p = append(p, id...)
	return append(p, text...), nil
}

// entry is one that was read; its fields lie in the buffer of the reader.
type entry struct {
	what byte
	at   time.Time
	id   []byte
	text []byte
}

var errEntry = errors.New("trail: an entry that cannot be read")

func decode(p []byte) (e entry, err error) {
	if len(p) < fixedLen || len(p) < fixedLen+int(p[9]) {
		return e, errEntry
	}
	n := fixedLen + int(p[9])
	return entry{what: p[0], at: time.UnixMilli(int64(binary.BigEndian.Uint64(p[1:]))), id: p[fixedLen:n], text: p[n:]}, nil
}

// session is the part of an ID that all transactions of a session share.
func session(id []byte) []byte { return id[:min(len(id), mail.SessionIDLen)] }
