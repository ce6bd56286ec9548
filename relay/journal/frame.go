package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// A segment is a run of frames. Each has a head of headLen octets:
//
//	 0  "FPJ"       magic
//	 3  version     of the format
//	 4  type        segment, batch, blob, seal
//	 5  flags       1: the first part of a blob; those seen before do not count
//	 8  length      of the payload, 32 bits
//	12  sum         CRC-32C of the payload
//	16  sequence    of the frame: rises through the journal, with gaps after a full disk
//	24  synced      the highest sequence known to be on the disk when this one was written
//	32  blob        the blob that the payload is a part of
//	40  segment     its number, so that a frame in a strange file is noticed
//	44  head sum    CRC-32C of the octets before
//
// All numbers are little-endian.
const (
	headLen = 48
	version = 1
)

type frameType uint8

const (
	frameSegment frameType = iota + 1 // the first of each segment: segmentHead
	frameBatch                        // what becomes durable together: blobs by name, and records
	frameBlob                         // a blob, or a part of one; of effect once a batch names it
	frameSeal                         // the last of a segment
)

type frame struct {
	typ         frameType
	first       bool
	length      uint32
	sum         uint32
	seq, synced uint64
	blob        BlobID
	segment     uint32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(p []byte) uint32 { return crc32.Checksum(p, castagnoli) }

// encode writes the head into the first headLen octets of p.
func (f *frame) encode(p []byte) {
	copy(p, "FPJ")
	p[3] = version
	p[4], p[5], p[6], p[7] = byte(f.typ), 0, 0, 0
	if f.first {
		p[5] = 1
	}
	le := binary.LittleEndian
	le.PutUint32(p[8:], f.length)
	le.PutUint32(p[12:], f.sum)
	le.PutUint64(p[16:], f.seq)
	le.PutUint64(p[24:], f.synced)
	le.PutUint64(p[32:], uint64(f.blob))
	le.PutUint32(p[40:], f.segment)
	le.PutUint32(p[44:], checksum(p[:44]))
}

var (
	errNoFrame = errors.New("no frame")
	errHeadSum = errors.New("the checksum of a frame's head does not match")
	errOrder   = errors.New("a frame older than the one before it")
	errSum     = errors.New("the checksum of a frame's payload does not match")
)

// decodeFrame reads a head that should belong to the segment of that number.
func decodeFrame(p []byte, segment uint32) (f frame, err error) {
	if len(p) < headLen || string(p[:3]) != "FPJ" {
		return f, errNoFrame
	}
	le := binary.LittleEndian
	if le.Uint32(p[44:]) != checksum(p[:44]) {
		return f, errHeadSum
	}
	if p[3] != version {
		return f, fmt.Errorf("the frame is of format version %d, this program knows %d", p[3], version)
	}
	f = frame{
		typ: frameType(p[4]), first: p[5]&1 != 0, length: le.Uint32(p[8:]), sum: le.Uint32(p[12:]),
		seq: le.Uint64(p[16:]), synced: le.Uint64(p[24:]), blob: BlobID(le.Uint64(p[32:])), segment: le.Uint32(p[40:]),
	}
	if f.segment != segment {
		return f, fmt.Errorf("the frame belongs to segment %d", f.segment)
	}
	return f, nil
}
