package state

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/forepost/forepost/relay/journal"
)

// A record is the whole state of one key: what it is (w, s or v), the length
// of the key, the key, and four numbers or, for v, the end and the text. A key
// without anything behind it was deleted.
type dirtyKey struct {
	what byte
	key  string
}

// flushAll writes what has changed, once in a while.
func (e *Embedded) flushAll(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = e.flush(ctx) // the journal has logged why it stopped; what is in memory counts on
		}
	}
}

// flush writes all keys that have changed, each as it is now, and waits so
// that no more than one flush is under way.
func (e *Embedded) flush(ctx context.Context) error {
	var b journal.Batch
	any := false
	for i := range e.shards {
		any = e.collect(&e.shards[i], &b) || any
	}
	if !any {
		return nil
	}
	return e.j.Commit(ctx, &b)
}

func (e *Embedded) collect(s *shard, b *journal.Batch) bool {
	now := e.now().UnixNano()
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.dirty {
		b.Add(journal.KindState, s.record(k, now))
	}
	any := len(s.dirty) > 0
	clear(s.dirty)
	return any
}

// record encodes the state of a key; the shard is locked.
func (s *shard) record(k dirtyKey, now int64) []byte {
	p := append(make([]byte, 0, len(k.key)+32), k.what)
	p = binary.AppendUvarint(p, uint64(len(k.key)))
	p = append(p, k.key...)
	switch k.what {
	case 'w':
		if v, ok := s.windows.m[k.key]; ok && v > now {
			p = binary.AppendVarint(p, v)
		}
	case 's':
		if v, ok := s.seen.m[k.key]; ok && v.until > now {
			for _, n := range []int64{v.until, v.first, v.last, v.count} {
				p = binary.AppendVarint(p, n)
			}
		}
	case 'v':
		if v, ok := s.values.m[k.key]; ok && v.until > now {
			p = append(binary.AppendVarint(p, v.until), v.text...)
		}
	}
	return p
}

var errRecord = errors.New("state: a record that cannot be read")

func splitRecord(p []byte) (k dirtyKey, rest []byte, err error) {
	if len(p) == 0 {
		return k, nil, errRecord
	}
	n, used := binary.Uvarint(p[1:])
	if used <= 0 || n > uint64(len(p)-1-used) {
		return k, nil, errRecord
	}
	end := 1 + used + int(n)
	return dirtyKey{p[0], string(p[1+used : end])}, p[end:], nil
}

// Replay is journal.Owner's.
func (e *Embedded) Replay(_ journal.Kind, data []byte) error {
	k, rest, err := splitRecord(data)
	if err != nil {
		return err
	}
	s := e.shard(k.key)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.replay(k, rest, e.now().UnixNano())
}

func (s *shard) replay(k dirtyKey, rest []byte, now int64) error {
	until, used := binary.Varint(rest)
	if len(rest) > 0 && used <= 0 {
		return errRecord
	}
	if until <= now { // deleted, or over
		s.forget(k)
		return nil
	}
	switch k.what {
	case 'w':
		s.windows.set(k.key, until, now)
	case 's':
		v := sighting{until: until}
		at := rest[used:]
		for _, n := range []*int64{&v.first, &v.last, &v.count} {
			if *n, used = binary.Varint(at); used <= 0 {
				return errRecord
			}
			at = at[used:]
		}
		s.seen.set(k.key, v, now)
	case 'v':
		s.values.set(k.key, value{string(rest[used:]), until}, now)
	}
	return nil
}

func (s *shard) forget(k dirtyKey) {
	switch k.what {
	case 'w':
		delete(s.windows.m, k.key)
	case 's':
		delete(s.seen.m, k.key)
	case 'v':
		delete(s.values.m, k.key)
	}
}

// Rewrite is journal.Owner's: what has ended is not written again, nor what a
// later record tells.
func (e *Embedded) Rewrite(kind journal.Kind, data []byte, b *journal.Batch) error {
	k, _, err := splitRecord(data)
	if err != nil {
		return err
	}
	s := e.shard(k.key)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := e.now().UnixNano()
	if !s.alive(k, now) {
		return nil
	}
	present := s.record(k, now)
	if _, unwritten := s.dirty[k]; unwritten || bytes.Equal(present, data) {
		b.Add(kind, present)
	}
	return nil
}

func (s *shard) alive(k dirtyKey, now int64) bool {
	switch k.what {
	case 'w':
		return s.windows.m[k.key] > now
	case 's':
		return s.seen.m[k.key].until > now
	case 'v':
		return s.values.m[k.key].until > now
	}
	return false
}
