package queue

import (
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// encodeEnvelope is an envelope as a record has it, and as a waiting entry
// keeps it in memory: about 90 octets for one recipient.
func encodeEnvelope(env *mail.Envelope) []byte {
	e := encoder{make([]byte, 0, 48+64*len(env.To))}
	e.str(string(env.ID))
	e.address(env.From)
	e.flags(env.SMTPUTF8, env.EightBit, env.RequireTLS, env.Binary, env.Priority != 0, env.Standing&1 != 0, env.Standing&2 != 0)
	if env.Priority != 0 {
		e.int(int64(env.Priority))
	}
	e.str(env.Ret)
	e.str(env.EnvID)
	e.int(env.Received.UnixMicro())
	e.str(env.Listener)
	e.uint(uint64(len(env.To)))
	for i := range env.To {
		e.recipient(&env.To[i])
	}
	return e.b
}

func decodeEnvelope(b []byte) (env mail.Envelope, err error) {
	d := decoder{b: b}
	n := d.sender(&env)
	env.To = make([]mail.Recipient, n)
	for i := range env.To {
		env.To[i] = d.recipient()
	}
	return env, d.err()
}

// skimEnvelope reads an envelope of which only the time, the priority and the number of
// recipients are wanted: texts are passed over, and empty.
func skimEnvelope(b []byte) (env mail.Envelope, recipients int, err error) {
	d := decoder{b: b, skim: true}
	recipients = d.sender(&env)
	for range recipients {
		d.recipient()
	}
	return env, recipients, d.err()
}

// sender reads an envelope up to its recipients, and tells how many follow.
func (d *decoder) sender(env *mail.Envelope) (recipients int) {
	env.ID = mail.ID(d.str())
	env.From = d.address()
	f := d.byte()
	env.SMTPUTF8, env.EightBit, env.RequireTLS, env.Binary = f&1 != 0, f&2 != 0, f&4 != 0, f&8 != 0
	env.Standing = mail.Standing(f >> 5 & 3)
	if f&16 != 0 {
		env.Priority = int8(d.int())
	}
	env.Ret = d.str()
	env.EnvID = d.str()
	env.Received = time.UnixMicro(d.int())
	env.Listener = d.str()
	return d.count()
}

func (e *encoder) address(a mail.Address) {
	e.str(a.Local)
	e.str(a.Domain)
}

func (d *decoder) address() mail.Address {
	local := d.str()
	return mail.Address{Local: local, Domain: d.str()}
}

// hasVia stands above the bits of mail.Notify.
const hasVia = 1 << 8

func (e *encoder) recipient(r *mail.Recipient) {
	e.address(r.Address)
	e.str(r.Original)
	if r.Via == "" {
		e.uint(uint64(r.Notify))
	} else {
		e.uint(uint64(r.Notify) | hasVia)
		e.str(r.Via)
	}
	e.str(r.Route)
	e.str(r.Folder)
	e.uint(uint64(len(r.Tags)))
	for _, t := range r.Tags {
		e.str(t)
	}
}

func (d *decoder) recipient() (r mail.Recipient) {
	r.Address = d.address()
	r.Original = d.str()
	n := d.uint()
	r.Notify = mail.Notify(n)
	if n&hasVia != 0 {
		r.Via = d.str()
	}
	r.Route = d.str()
	r.Folder = d.str()
	if n := d.count(); n > 0 {
		r.Tags = make([]string, n)
	}
	for i := range r.Tags {
		r.Tags[i] = d.str()
	}
	return r
}

// dress is what goes on top of an entry's octets: it is large beside the
// envelope (Received and Authentication-Results) and needed at attempts only.
type dress struct {
	prefix []mail.Field
	edits  []mail.Edit
}

func (s *dress) empty() bool { return len(s.prefix) == 0 && len(s.edits) == 0 }

func encodeDress(s *dress) []byte {
	var e encoder
	e.uint(uint64(len(s.prefix)))
	for _, f := range s.prefix {
		e.str(f.Name)
		e.str(f.Value)
	}
	e.uint(uint64(len(s.edits)))
	for _, x := range s.edits {
		e.int(x.Off)
		e.int(x.End)
		e.bytes(x.With)
	}
	return e.b
}

func decodeDress(b []byte) (*dress, error) {
	d := decoder{b: b}
	s := &dress{prefix: make([]mail.Field, d.count())}
	for i := range s.prefix {
		s.prefix[i].Name = d.str()
		s.prefix[i].Value = d.str()
	}
	s.edits = make([]mail.Edit, d.count())
	for i := range s.edits {
		s.edits[i] = mail.Edit{Off: d.int(), End: d.int(), With: append([]byte(nil), d.bytes()...)}
	}
	return s, d.err()
}
