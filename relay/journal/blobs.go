package journal

// extent is where a part of a blob lies: its frame begins at off.
type extent struct {
	segment, off, size uint32
}

// place is what is known of a committed blob: 16 octets, since there may be
// millions. A blob in several parts has size manyParts, and the parts stand in
// blobTable.parts.
type place struct {
	extent
	holds uint32
}

const manyParts = 1<<32 - 1

// blobTable is where the blobs are. A place in segment 0 is that of a blob
// that is held but was not seen yet, which happens during recovery only.
type blobTable struct {
	places map[BlobID]place
	parts  map[BlobID][]extent
}

func newBlobTable() blobTable {
	return blobTable{places: map[BlobID]place{}, parts: map[BlobID][]extent{}}
}

// set says where a blob is, with so many holds.
func (t *blobTable) set(id BlobID, at []extent, holds uint32) {
	if len(at) == 1 {
		t.setOne(id, at[0], holds)
		return
	}
	t.places[id] = place{extent{at[0].segment, 0, manyParts}, holds}
	t.parts[id] = at
}

func (t *blobTable) setOne(id BlobID, at extent, holds uint32) {
	t.places[id] = place{at, holds}
	if len(t.parts) > 0 {
		delete(t.parts, id)
	}
}

// extents says where the parts of a blob are, none for an unknown one.
func (t *blobTable) extents(id BlobID) []extent {
	p, ok := t.places[id]
	switch {
	case !ok || p.segment == 0:
		return nil
	case p.size == manyParts:
		return t.parts[id]
	}
	return []extent{p.extent}
}

func (t *blobTable) forget(id BlobID) {
	delete(t.places, id)
	delete(t.parts, id)
}

func (j *journal) hold(id BlobID) {
	j.mu.Lock()
	defer j.mu.Unlock()
	p, ok := j.table.places[id]
	if !ok && j.state != recovering {
		return
	}
	p.holds++
	j.table.places[id] = p
}

func (j *journal) release(id BlobID) {
	j.mu.Lock()
	defer j.mu.Unlock()
	p, ok := j.table.places[id]
	if !ok || p.holds == 0 {
		return
	}
	p.holds--
	j.table.places[id] = p
	if p.holds > 0 || j.state == recovering { // a later record may hold it again
		return
	}
	at := j.table.extents(id)
	j.account(at, -1)
	j.table.forget(id)
	j.wasted(sizeOf(at))
}

// account adds the frames at the extents to what lives in their segments, or
// takes them away.
func (j *journal) account(at []extent, sign int64) {
	for _, e := range at {
		if s := j.segments[e.segment]; s != nil {
			s.live += sign * (int64(e.size) + headLen)
		}
	}
}

// abandon gives up the parts of a blob that is not going to be committed.
func (j *journal) abandon(parts []extent) {
	j.account(parts, -1)
	j.unpin(parts)
}

// pin notes that the parts belong to a blob being written, so that their
// segments stay.
func (j *journal) pin(parts []extent) {
	for _, e := range parts {
		j.segments[e.segment].pending++
	}
}

// unpin takes back that the parts belong to a blob being written.
func (j *journal) unpin(parts []extent) {
	for _, e := range parts {
		if s := j.segments[e.segment]; s != nil {
			s.pending--
		}
	}
}

func (j *journal) findBlob(id BlobID) (*Blob, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	at := j.table.extents(id)
	if at == nil {
		return nil, ErrNoBlob
	}
	return &Blob{ID: id, blobRef: blobRef{j: j, n: sizeOf(at)}}, nil
}

func sizeOf(at []extent) (n int64) {
	for _, e := range at {
		n += int64(e.size)
	}
	return n
}
