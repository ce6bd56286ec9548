package queue

import (
	"encoding/binary"
	"errors"
)

// errRecord is what every damaged record comes to. The journal checks sums, so
// that it means a record of another program or of a newer Forepost.
var errRecord = errors.New("queue: the record cannot be read (written by a newer version?)")

// encoder puts numbers and strings behind each other: unsigned varints, and
// octets with their length in front.
type encoder struct{ b []byte }

func (e *encoder) uint(v uint64) { e.b = binary.AppendUvarint(e.b, v) }

func (e *encoder) int(v int64) { e.b = binary.AppendVarint(e.b, v) }

func (e *encoder) str(s string) {
	e.uint(uint64(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) bytes(p []byte) {
	e.uint(uint64(len(p)))
	e.b = append(e.b, p...)
}

// flags packs up to eight booleans, the first into the lowest bit.
func (e *encoder) flags(fs ...bool) {
	var v byte
	for i, f := range fs {
		if f {
			v |= 1 << i
		}
	}
	e.b = append(e.b, v)
}

// decoder reads what encoder wrote. After the first damage it gives zeros, and
// err tells.
type decoder struct {
	b     []byte
	bad   bool
	skim  bool  // str passes over texts
	known lasts // what was read before
}

func (d *decoder) fail() { d.bad, d.b = true, nil }

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

// bytes is a piece of the record itself, not a copy.
func (d *decoder) bytes() []byte {
	n := d.uint()
	if n > uint64(len(d.b)) {
		d.fail()
		return nil
	}
	p := d.b[:n:n]
	d.b = d.b[n:]
	return p
}

func (d *decoder) str() string {
	if p := d.bytes(); !d.skim {
		return string(p)
	}
	return ""
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail()
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

// count reads how many things of at least one octet follow, so that a damaged
// number cannot ask for more memory than the record is long.
func (d *decoder) count() int {
	n := d.uint()
	if n > uint64(len(d.b)) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) err() error {
	if d.bad {
		return errRecord
	}
	return nil
}
