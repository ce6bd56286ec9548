package vol

import (
	"context"
	"slices"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/journal"
)

// change is what one client-visible command does to an account: gathered first,
// then one batch in the journal, then made true in memory, all or nothing. It
// is used by who holds the account alone.
type change struct {
	a       *account
	modseq  uint64
	acc     *accountState // what the account becomes, nil as long as it stays as it is
	made    []*mailbox
	renamed []naming
	added   []placed
	updated []placed
	gone    map[*mailbox][]imapstore.UID
	dropped []*mailbox
}

// naming is the new name, use and kind of a mailbox.
type naming struct {
	m         *mailbox
	name, use string
	noselect  bool
}

// placed is an entry and where it stands.
type placed struct {
	m *mailbox
	e *imapstore.Entry
}

// change begins one, with the next mod-sequence.
func (a *account) change() *change {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.modseq++
	return &change{a: a, modseq: a.modseq, gone: map[*mailbox][]imapstore.UID{}}
}

// account is what the account becomes, to be changed.
func (c *change) account() *accountState {
	if c.acc == nil {
		c.a.mu.Lock()
		st := c.a.state()
		c.a.mu.Unlock()
		st.ver, st.modseq = c.modseq, c.modseq
		c.acc = &st
	}
	return c.acc
}

// make adds a mailbox.
func (c *change) make(name, use string) *mailbox {
	st := c.account()
	st.validity++
	m := &mailbox{a: c.a, id: st.nextBox, name: name, use: use, ver: c.modseq, highest: c.modseq,
		validity: st.validity, tipUID: 1, nextUID: 1}
	st.nextBox++
	c.made = append(c.made, m)
	return m
}

// drop takes a mailbox away with all that is in it.
func (c *change) drop(m *mailbox) {
	c.account().gone.add(m.id, m.id)
	c.dropped = append(c.dropped, m)
}

// rename gives a mailbox another name, use or kind.
func (c *change) rename(m *mailbox, name, use string, noselect bool) {
	c.renamed = append(c.renamed, naming{m, name, use, noselect})
}

// subscribe sets or takes off a subscription.
func (c *change) subscribe(name string, on bool) {
	if c.a.subs[name] == on {
		return
	}
	st := c.account()
	i, _ := slices.BinarySearch(st.subs, name)
	if on {
		st.subs = slices.Insert(st.subs, i, name)
	} else {
		st.subs = slices.Delete(st.subs, i, i+1)
	}
}

// add puts a copy of e into m, as its newest message.
func (c *change) add(m *mailbox, e *imapstore.Entry) imapstore.UID {
	n := *e
	n.UID, n.ModSeq, n.SaveDate = m.tipUID, c.modseq, c.a.s.o.Now()
	n.UIDL = m.uidl(n.UID)
	m.tipUID++
	c.added = append(c.added, placed{m, &n})
	return n.UID
}

// update replaces an entry of m by one with other flags.
func (c *change) update(m *mailbox, e *imapstore.Entry, flags []string) {
	n := *e
	n.Flags, n.ModSeq = flags, c.modseq
	c.updated = append(c.updated, placed{m, &n})
}

// expunge takes a message out of m.
func (c *change) expunge(m *mailbox, uid imapstore.UID) {
	c.gone[m] = append(c.gone[m], uid)
}

// commit writes the change to the journal, which makes it true in memory before
// it writes anything else.
func (c *change) commit(ctx context.Context) error {
	j := c.a.s.j
	var b journal.Batch
	var released []journal.BlobID
	c.encode(&b)
	b.Then(func() { released = c.apply() })
	for _, p := range c.added { // a hold more, before any other is given back
		j.Hold(blobID(p.e))
	}
	err := c.a.s.commit(ctx, &b)
	if err != nil {
		for _, p := range c.added {
			released = append(released, blobID(p.e))
		}
	}
	for _, id := range released {
		j.Release(id)
	}
	return err
}

func (c *change) encode(b *journal.Batch) {
	if c.acc != nil {
		b.Add(kindAccount, c.acc.encode())
	}
	for _, m := range c.made {
		b.Add(kindMailbox, m.encode())
	}
	for _, r := range c.renamed {
		st := r.m.state()
		st.ver, st.highest = c.modseq, max(st.highest, c.modseq)
		st.name, st.use, st.noselect = r.name, r.use, r.noselect
		b.Add(kindMailbox, st.encode())
	}
	for _, p := range c.added {
		b.Add(kindMessage, encodeMessage(p.m, p.e))
	}
	encodeFlags(b, c.updated)
	for m, uids := range c.gone {
		b.Add(kindExpunge, encodeExpunge(m, c.modseq, uids))
	}
}

// become makes a state of the account its own. The caller holds mu.
func (a *account) become(st *accountState) {
	a.ver, a.quota, a.removed, a.nextBox, a.validity = st.ver, st.quota, st.removed, st.nextBox, st.validity
	a.subs = map[string]bool{}
	for _, n := range st.subs {
		a.subs[n] = true
	}
}

// apply makes the change true in memory and returns the blobs to release.
func (c *change) apply() (released []journal.BlobID) {
	a := c.a
	a.mu.Lock()
	defer a.mu.Unlock()
	if c.acc != nil {
		a.become(c.acc)
	}
	for _, r := range c.renamed {
		delete(a.byName, r.m.name)
	}
	for _, r := range c.renamed {
		r.m.name, r.m.use, r.m.noselect, r.m.ver = r.name, r.use, r.noselect, c.modseq
		r.m.touch(c.modseq)
		a.byName[r.name] = r.m
	}
	for _, m := range c.dropped {
		released = append(released, m.drop(c.modseq)...)
	}
	for _, m := range c.made {
		a.put(m)
	}
	for _, p := range c.updated {
		p.m.replace(p.e)
	}
	for m, uids := range c.gone {
		released = append(released, m.remove(uids, c.modseq)...)
	}
	for _, p := range c.added {
		a.bytes += p.e.Size
		a.messages++
		p.m.publish(p.e)
	}
	return released
}
