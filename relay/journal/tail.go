package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

func sealTime(p []byte) time.Time {
	if len(p) < 8 {
		return time.Time{}
	}
	return time.UnixMilli(int64(binary.LittleEndian.Uint64(p)))
}

// looksSealed tells whether the file ends in a seal, as it does after Close.
func (r *replayer) looksSealed() bool {
	p := make([]byte, headLen)
	if n, _ := r.s.f.ReadAt(p, r.s.alloc-sealLen); n < headLen {
		return false
	}
	h, err := decodeFrame(p, r.s.number)
	return err == nil && h.typ == frameSeal
}

// torn tells what an interrupted write may leave behind from what it cannot:
// a disk that does not read, a format of another version.
func torn(err error) bool {
	for _, e := range []error{errShort, errNoFrame, errHeadSum, errSum, errOrder} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// cut ends the last segment before a frame that cannot be read, because it
// was being written when the machine stopped. If instead a later frame tells
// that the unreadable one had been synced, the file is damaged, and cutting it
// would lose what was promised.
func (r *replayer) cut(why error) error {
	if r.off < segmentHeadLen {
		return r.damage(why)
	}
	lost, err := r.syncedBeyond()
	if err != nil {
		return r.damage(err)
	}
	if lost {
		return r.damage(fmt.Errorf("%w, and what follows shows that it was on the disk once", why))
	}
	if err := r.renew(); err != nil {
		return err
	}
	s := r.s
	if err := s.f.Truncate(r.off); err != nil {
		return fmt.Errorf("journal: cannot cut the torn end of %s: %w", r.path, err)
	}
	seq := max(r.j.w.seq, r.seq) + 1<<20 // beyond whatever was torn away
	now := r.j.now()
	if err := sealAt(s, r.off, seq, seq-1, now.UnixMilli()); err != nil {
		return fmt.Errorf("journal: cannot seal %s: %w", r.path, err)
	}
	if torn := s.alloc - r.off; !errors.Is(why, errNoFrame) {
		r.j.log.Info("cut a torn end", "file", r.path, "offset", r.off, "octets", torn, "why", why)
	}
	s.sealed, s.end = now, r.off+sealLen
	s.alloc, s.written = s.end, s.end
	r.j.w.seq, r.j.w.synced = seq, seq
	return nil
}

// prove notes what a frame says about those before it.
func (r *replayer) prove(h frame) {
	r.proven = max(r.proven, h.synced)
	n := 0
	for n < len(r.unproven) && r.unproven[n].seq <= r.proven {
		n++
	}
	r.unproven = append(r.unproven[n:], placed{h.seq, r.off})
}

// renew writes the end of the last segment once more, and syncs: all that no later
// frame says was on the disk. If a sync failed when it was written, the system may
// still show it and never write it, whatever is synced afterwards; what is built on
// from here on must be there.
func (r *replayer) renew() error {
	if !r.last || len(r.unproven) == 0 {
		return nil
	}
	buf := make([]byte, 1<<20)
	for off := r.unproven[0].off; off < r.off; {
		p := buf[:min(int64(len(buf)), r.off-off)]
		n, err := r.s.f.ReadAt(p, off)
		if n == len(p) {
			_, err = r.s.f.WriteAt(p, off)
		}
		if err != nil {
			return fmt.Errorf("journal: cannot write the end of %s once more: %w", r.path, err)
		}
		off += int64(n)
	}
	if err := r.s.f.Sync(); err != nil {
		return fmt.Errorf("journal: cannot sync %s: %w", r.path, err)
	}
	return nil
}

// syncedBeyond looks behind off for a frame that was written after something
// beyond the last good frame had been synced.
func (r *replayer) syncedBeyond() (bool, error) {
	const step = 1 << 20
	for at := r.off; at < r.win.size; {
		n := int(min(step, r.win.size-at))
		p, err := r.win.at(at, n)
		if err != nil {
			return false, err
		}
		for i := 0; ; i++ {
			k := bytes.Index(p[i:], []byte("FPJ"))
			if k < 0 || len(p)-(i+k) < headLen {
				break
			}
			i += k
			h, err := decodeFrame(p[i:], r.s.number)
			if err == nil && h.seq > r.seq && h.synced > r.seq {
				return true, nil
			}
		}
		if n < step {
			return false, nil
		}
		at += step - headLen + 1
	}
	return false, nil
}
