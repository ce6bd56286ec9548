package vol

import (
	"encoding/binary"
	"errors"
	"time"
)

// A record is a version octet and fields: numbers as varints, strings with
// their length before them. A new field goes to the end and is read as zero
// where an older record ends before it.
const recordVersion = 1

var errRecord = errors.New("vol: a record of the store cannot be read")

// enc writes a record.
type enc struct{ b []byte }

func newEnc(size int) *enc {
	return &enc{append(make([]byte, 0, size), recordVersion)}
}

func (e *enc) num(v uint64)     { e.b = binary.AppendUvarint(e.b, v) }
func (e *enc) str(s string)     { e.num(uint64(len(s))); e.b = append(e.b, s...) }
func (e *enc) octets(s []byte)  { e.num(uint64(len(s))); e.b = append(e.b, s...) }
func (e *enc) time(t time.Time) { e.b = binary.AppendVarint(e.b, t.UnixNano()) }

func (e *enc) yes(b bool) {
	if b {
		e.num(1)
	} else {
		e.num(0)
	}
}

func (e *enc) strs(l []string) {
	e.num(uint64(len(l)))
	for _, s := range l {
		e.str(s)
	}
}

// set writes ranges as distances, which are small.
func (e *enc) set(s idset) {
	e.num(uint64(len(s)))
	var at uint64
	for _, r := range s {
		e.num(r.from - at)
		e.num(r.to - r.from)
		at = r.to
	}
}

// dec reads a record. After the first error it gives zeros.
type dec struct {
	b   []byte
	err error
}

func newDec(b []byte) *dec {
	d := &dec{b: b}
	if len(b) == 0 || b[0] != recordVersion {
		d.err = errRecord
		return d
	}
	d.b = b[1:]
	return d
}

func (d *dec) num() uint64 {
	if d.err != nil || len(d.b) == 0 {
		return 0
	}
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.err = errRecord
		return 0
	}
	d.b = d.b[n:]
	return v
}

// count reads how many things follow; each takes an octet at least.
func (d *dec) count() int {
	n := d.num()
	if n > uint64(len(d.b)) {
		d.err = errRecord
		return 0
	}
	return int(n)
}

func (d *dec) octets() []byte {
	n := d.count()
	if d.err != nil {
		return nil
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}

func (d *dec) str() string { return string(d.octets()) }
func (d *dec) yes() bool   { return d.num() != 0 }

func (d *dec) time() time.Time {
	if d.err != nil || len(d.b) == 0 {
		return time.Time{}
	}
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.err = errRecord
		return time.Time{}
	}
	d.b = d.b[n:]
	return time.Unix(0, v)
}

func (d *dec) strs() []string {
	n := d.count()
	if n == 0 {
		return nil
	}
	l := make([]string, n)
	for i := range l {
		l[i] = d.str()
	}
	return l
}

func (d *dec) set() idset {
	n := d.count()
	s := make(idset, 0, n)
	var at uint64
	for range n {
		from := at + d.num()
		to := from + d.num()
		s.add(from, to)
		at = to
	}
	return s
}

// date keeps the zone of a time as well, in minutes: INTERNALDATE is shown in
// the zone in which it was given.
func (e *enc) date(t time.Time) {
	_, zone := t.Zone()
	e.time(t)
	e.num(uint64(zone/60 + 24*60))
}

func (d *dec) date() time.Time {
	t := d.time()
	zone := (int(d.num()) - 24*60) * 60
	if zone == 0 {
		return t.UTC()
	}
	return t.In(time.FixedZone("", zone))
}
