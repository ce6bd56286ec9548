package journaltest

import "maps"

// Crash stops the machine, and returns the disk as it is found after the next
// start: what was synced is there; of everything else, choose (which returns
// one of 0 to n-1) decides what got there, wholly, in part or not at all, in
// any order within a file. Changes of directories keep their order, as on a
// file system with a journal. The old disk fails from now on.
func (d *Disk) Crash(choose func(n int) int) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	after := New()
	dir := maps.Clone(d.durable)
	for _, f := range d.moves[:choose(len(d.moves)+1)] {
		f(dir)
	}
	for name, node := range dir {
		if node != nil {
			after.names[name] = node.crash(choose)
		}
	}
	after.durable = maps.Clone(after.names)
	return after
}

// change is a write or a change of length that was not synced.
type change struct {
	off    int64
	data   []byte
	length int64 // the new length; -1 for a write
}

// inode is a file: how it looks, how it looked at the last sync, and what
// happened since.
type inode struct {
	data, synced []byte
	changes      []change
}

func (n *inode) do(c change) {
	n.data = c.apply(n.data)
	n.changes = append(n.changes, c)
}

func (n *inode) sync() {
	for _, c := range n.changes {
		n.synced = c.apply(n.synced)
	}
	n.changes = nil
}

// crash makes the file that is found afterwards.
func (n *inode) crash(choose func(n int) int) *inode {
	data := append([]byte(nil), n.synced...)
	for _, c := range n.changes {
		switch choose(3) {
		case 0:
			continue
		case 1:
			if c.length < 0 {
				data = c.torn(choose).apply(data)
				continue
			}
		}
		data = c.apply(data)
	}
	return &inode{data: data, synced: append([]byte(nil), data...)}
}

// torn is a part of a write, from one octet to another.
func (c change) torn(choose func(n int) int) change {
	from := choose(len(c.data) + 1)
	to := from + choose(len(c.data)-from+1)
	return change{off: c.off + int64(from), data: c.data[from:to], length: -1}
}

func (c change) apply(data []byte) []byte {
	want := c.length
	if c.length < 0 {
		want = max(int64(len(data)), c.off+int64(len(c.data)))
	}
	if want < int64(len(data)) {
		return append([]byte(nil), data[:want]...) // readers may hold the old one
	}
	data = append(data, make([]byte, want-int64(len(data)))...)
	copy(data[c.off:], c.data)
	return data
}
