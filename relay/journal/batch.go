package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// maxRecords bounds what one batch may hold in records, in octets.
const maxRecords = 64 << 20

// batch is the inside of a Batch. Records are kept as they go to the disk: the
// kind, the length as a varint, the octets.
type batch struct {
	records []byte
	blobs   []*blobWriter
	moved   []movedBlob // by compaction
	then    []func()
	err     error
}

func (b *batch) add(k Kind, data []byte) {
	if k < 16 {
		b.err = fmt.Errorf("journal: kind %d is the journal's own", k)
		return
	}
	b.records = append(b.records, byte(k))
	b.records = binary.AppendUvarint(b.records, uint64(len(data)))
	b.records = append(b.records, data...)
}

func (b *batch) addBlob(w *BlobWriter) { b.blobs = append(b.blobs, &w.blobWriter) }

func (b *batch) empty() bool {
	return len(b.records) == 0 && len(b.blobs) == 0 && len(b.moved) == 0
}

// check finds what makes a batch impossible, before anything is written.
func (b *batch) check() error {
	if b.err != nil {
		return b.err
	}
	if len(b.records) > maxRecords {
		return fmt.Errorf("journal: a batch of %d octets of records, at most %d are possible", len(b.records), maxRecords)
	}
	for _, w := range b.blobs {
		if err := w.take(); err != nil {
			return err
		}
	}
	return nil
}

// encode appends the frame of the batch, its head still empty, to p: the
// number of blobs, each with name and size, then the records.
func (b *batch) encode(p []byte) []byte {
	p = append(p, make([]byte, headLen)...)
	p = binary.AppendUvarint(p, uint64(len(b.blobs)+len(b.moved)))
	for _, w := range b.blobs {
		p = binary.AppendUvarint(p, uint64(w.id))
		p = binary.AppendUvarint(p, uint64(w.size))
	}
	for _, m := range b.moved {
		p = binary.AppendUvarint(p, uint64(m.id))
		p = binary.AppendUvarint(p, uint64(m.size))
	}
	return append(p, b.records...)
}

// decoded is the payload of a batch frame.
type decoded struct {
	blobs   []declared
	records []byte
}

// declared is a blob that a batch makes count.
type declared struct {
	id   BlobID
	size int64
}

var errBatch = errors.New("a batch that cannot be read, though its checksum matches")

// decodeBatch reads the payload of a batch frame; blobs may be used again for what it
// declares.
func decodeBatch(p []byte, blobs []declared) (d decoded, err error) {
	d.blobs = blobs[:0]
	count, p, err := uvarint(p)
	if err != nil || count > uint64(len(p)) {
		return d, errBatch
	}
	for range count {
		var id, size uint64
		if id, p, err = uvarint(p); err != nil {
			return d, err
		}
		if size, p, err = uvarint(p); err != nil {
			return d, err
		}
		d.blobs = append(d.blobs, declared{BlobID(id), int64(size)})
	}
	d.records = p
	return d, nil
}

// eachRecord calls f for every record of a batch.
func eachRecord(p []byte, f func(k Kind, data []byte) error) error {
	for len(p) > 0 {
		k := Kind(p[0])
		n, rest, err := uvarint(p[1:])
		if err != nil || n > uint64(len(rest)) {
			return errBatch
		}
		if err := f(k, rest[:n:n]); err != nil {
			return err
		}
		p = rest[n:]
	}
	return nil
}

func uvarint(p []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(p)
	if n <= 0 {
		return 0, nil, errBatch
	}
	return v, p[n:], nil
}
