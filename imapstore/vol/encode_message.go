package vol

import (
	"strings"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
)

// messageState is what kindMessage says.
type messageState struct {
	account, mailbox uint64
	blob             journal.BlobID
	entry            imapstore.Entry // its Message has no Blob yet
}

func encodeMessage(m *mailbox, x *imapstore.Entry) []byte {
	e := newEnc(256)
	e.num(m.a.id)
	e.num(m.id)
	e.num(uint64(x.UID))
	e.num(x.ModSeq)
	e.flags(x.Flags)
	e.date(x.Date)
	e.time(x.SaveDate)
	e.num(uint64(x.Size))
	e.str(x.UIDL)
	e.str(x.EmailID)
	e.num(uint64(blobID(x)))
	e.num(uint64(len(x.Message.Prefix)))
	for _, f := range x.Message.Prefix {
		e.str(f.Name)
		e.str(f.Value)
	}
	e.num(uint64(len(x.Message.Edits)))
	for _, ed := range x.Message.Edits {
		e.num(uint64(ed.Off))
		e.num(uint64(ed.End))
		e.octets(ed.With)
	}
	return e.b
}

func decodeMessage(d *dec) messageState {
	st := messageState{account: d.num(), mailbox: d.num()}
	st.entry = imapstore.Entry{UID: imapstore.UID(d.num()), ModSeq: d.num(), Flags: d.flags(), Date: d.date(), SaveDate: d.time(),
		Size: int64(d.num()), UIDL: d.str(), EmailID: d.str()}
	st.blob = journal.BlobID(d.num())
	msg := &mail.Message{}
	for range d.count() {
		msg.Prefix = append(msg.Prefix, mail.Field{Name: d.str(), Value: d.str()})
	}
	for range d.count() {
		ed := mail.Edit{Off: int64(d.num()), End: int64(d.num())}
		ed.With = append([]byte(nil), d.octets()...)
		msg.Edits = append(msg.Edits, ed)
	}
	st.entry.Message = msg
	return st
}

// flags are a set of bits for the system flags, and the keywords.
func (e *enc) flags(fs []string) {
	var bits uint64
	var words []string
	for _, f := range fs {
		if i := systemBit(f); i >= 0 {
			bits |= 1 << i
		} else {
			words = append(words, f)
		}
	}
	e.num(bits)
	e.strs(words)
}

func (d *dec) flags() []string {
	bits := d.num()
	var fs []string
	for i, f := range imapstore.SystemFlags {
		if bits&(1<<i) != 0 {
			fs = append(fs, f)
		}
	}
	return sortFlags(append(fs, d.strs()...))
}

func systemBit(f string) int {
	for i, s := range imapstore.SystemFlags {
		if strings.EqualFold(s, f) {
			return i
		}
	}
	return -1
}

// flagsPerRecord keeps records small: a STORE over a large mailbox is several
// records of one batch.
const flagsPerRecord = 4096

// encodeFlags adds records with the flags of entries.
func encodeFlags(b *journal.Batch, all []placed) {
	for len(all) > 0 {
		n := 1
		for n < len(all) && n < flagsPerRecord && all[n].m == all[0].m {
			n++
		}
		e := newEnc(32 + 6*n)
		e.num(all[0].m.a.id)
		e.num(all[0].m.id)
		e.num(uint64(n))
		for _, p := range all[:n] {
			e.num(uint64(p.e.UID))
			e.num(p.e.ModSeq)
			e.flags(p.e.Flags)
		}
		b.Add(kindFlags, e.b)
		all = all[n:]
	}
}

// flagState is the flags of one message at a mod-sequence.
type flagState struct {
	uid    imapstore.UID
	modseq uint64
	flags  []string
}

func decodeFlags(d *dec) (account, mailbox uint64, fs []flagState) {
	account, mailbox = d.num(), d.num()
	for range d.count() {
		fs = append(fs, flagState{imapstore.UID(d.num()), d.num(), d.flags()})
	}
	return account, mailbox, fs
}
