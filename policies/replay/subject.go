package replay

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/forepost/forepost/relay/inbound"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// subject is one record, made ready to be judged.
type subject struct {
	past   past
	client netip.Addr
	tls    pipeline.TLS
	auth   mail.Identity
	from   mail.Address
	places []place        // all that a verdict was given about
	to     []mail.Address // those that a policy is asked about
	acc    map[mail.Address]mail.Acceptance
	part   *mime.Part
	body   mail.Blob
	unread bool // no policy was asked about the message itself
	facts  map[factKey]*trail.Fact
	number map[mail.Address]int // of recipients in the record
}

// place is a recipient, or (to "") the session or transaction as a whole.
type place struct {
	to    string
	was   Verdict
	asked int  // index of subject.to; -1: what became of it is no matter of policy
	late  bool // what was answered came after the data, and is no matter of policy
}

type factKey struct {
	filter string
	rcpt   int
}

// authority are the refusals that come before any policy is asked.
var authority = []string{"builtin.recipients", "builtin.recipient", "builtin.callout", "builtin.relay", "builtin.syntax", "builtin.submission"}

// begin makes a record ready.
func (j *Judge) begin(r *trail.Record) error {
	if r.From != nil && len(r.To) > 0 && len(r.Rcpts) == 0 && !slices.Contains(r.Cut, "recipients") {
		return ErrOld
	}
	if slices.Contains(r.Cut, "recipients") || slices.Contains(r.Cut, "facts") {
		return ErrOld
	}
	s := &j.one
	*s = subject{past: past{r: r, cut: map[string]bool{}}, facts: map[factKey]*trail.Fact{}, acc: map[mail.Address]mail.Acceptance{}, number: map[mail.Address]int{}}
	s.session(r)
	for i := range r.Facts {
		f := &r.Facts[i]
		s.facts[factKey{f.Filter, f.Rcpt}] = f
	}
	for _, f := range r.Header {
		if f.Cut {
			s.past.cut[strings.ToLower(f.Name)] = true
		}
	}
	s.recipients(r)
	s.unread = s.unread || !r.Read
	if !s.unread {
		s.part, s.body = partOf(r), sized(r.Size)
		s.open(j, r)
	}
	return nil
}

// open takes the message itself where it is asked for and still there.
func (s *subject) open(j *Judge, r *trail.Record) {
	if j.o.Bodies == nil {
		return
	}
	blob, err := j.o.Bodies(r.ID)
	if err != nil {
		return // gone: the record must do
	}
	if part, err := mime.Parse(blob, mime.Limits{}); err == nil {
		s.part, s.body, s.past.whole = part, blob, true
	}
}

func (s *subject) session(r *trail.Record) {
	if a, err := netip.ParseAddr(r.Client.IP); err == nil {
		s.client = a
	}
	if r.Client.TLS != "" {
		s.tls.On = true
		s.tls.Version, s.tls.Cipher, _ = strings.Cut(r.Client.TLS, ", ")
		s.tls.Verified = r.Verified
	}
	s.auth.User = r.Auth
	for _, a := range r.Own {
		if ad, err := mail.ParseAddress(a, true); err == nil {
			s.auth.Addresses = append(s.auth.Addresses, ad)
		} else if local, domain, ok := strings.Cut(a, "@"); ok {
			s.auth.Addresses = append(s.auth.Addresses, mail.Address{Local: local, Domain: domain})
		}
	}
	if r.From != nil && *r.From != "" {
		s.from = address(*r.From)
	}
}

// address reads one as it was recorded.
func address(text string) mail.Address {
	if a, err := mail.ParseAddress(text, true); err == nil {
		return a
	}
	i := strings.LastIndexByte(text, '@')
	if i < 0 {
		return mail.Address{Local: text}
	}
	return mail.Address{Local: text[:i], Domain: text[i+1:]}
}

// recipients sorts the outcomes: which are a policy's matter, and which are not.
func (s *subject) recipients(r *trail.Record) {
	left := map[string][]trail.Outcome{}
	for _, o := range r.Outcomes {
		if len(o.To) == 0 && !slices.Contains(authority, o.Rule) {
			s.places = append(s.places, place{was: Verdict{o.Action, o.Rule, o.Where}, asked: -1})
		}
		for _, to := range o.To {
			left[to] = append(left[to], o)
		}
	}
	for i, rc := range r.Rcpts {
		list := left[rc.Address]
		if len(list) == 0 {
			continue // one refusal of many, of which the record has no more
		}
		left[rc.Address] = list[1:]
		o := list[0]
		p := place{to: rc.Address, was: Verdict{o.Action, o.Rule, o.Where}, asked: -1}
		if !slices.Contains(authority, o.Rule) {
			a := address(rc.Address)
			p.asked = len(s.to)
			s.to = append(s.to, a)
			s.acc[a] = mail.Acceptance{Ours: rc.Ours, Known: rc.Known, Domain: rc.Domain, Final: []mail.Address{a}}
			if _, twice := s.number[a]; !twice {
				s.number[a] = i + 1
			}
			p.late = o.Action == "abort" || strings.HasPrefix(o.Rule, "builtin.")
			s.unread = s.unread || p.late
		}
		s.places = append(s.places, p)
	}
}

// judged tells whether any policy was asked at all.
func (s *subject) judged() bool {
	return len(s.to) > 0 || slices.ContainsFunc(s.places, func(p place) bool { return p.to == "" })
}

// Accepts is inbound.Directory: what it said then.
func (s *subject) Accepts(_ context.Context, to mail.Address) (mail.Acceptance, error) {
	acc := s.acc[to]
	if !acc.Ours && !acc.Known { // it was let through to the policy: the client may relay
		acc.Domain = ""
	}
	return acc, nil
}

// fate is what became of a place in one world.
func (s *subject) fate(p *place, got *inbound.Rehearsed) Fate {
	f := Fate{To: p.to, Was: p.was, Now: p.was}
	switch {
	case got.Turned != nil: // at the door, or at MAIL
		f.Now = verdictOf(got.Turned, false)
		if p.to != "" && p.asked < 0 && f.Now.Action == p.was.Action {
			f.Now = p.was
		}
	case p.to == "": // it was turned away, and would not be
		f.Now = Verdict{Action: CannotTell}
		f.Lacks = []string{"what would have come after it: it was refused before that"}
	case p.asked < 0:
	default:
		fate := &got.Fates[p.asked]
		switch {
		case fate.Action != pipeline.None:
			f.Now = verdictOf(fate, got.Tx != nil)
		case !p.late:
			f.Now = Verdict{Action: CannotTell}
			f.Lacks = []string{"the message itself: it was refused before it was sent"}
		}
	}
	return f
}

func verdictOf(f *inbound.Fate, taken bool) Verdict {
	v := Verdict{Action: f.Action.String(), Rule: f.Rule}
	switch {
	case f.Action == pipeline.Reject && taken && f.Reply == "250":
		v.Action = "bounce"
		v.Where = f.Ledger.Route
	case f.Action == pipeline.Quarantine:
		v.Where = f.Into
	case !f.Action.Refuses():
		v.Where = f.Ledger.Route
	}
	return v
}

// sized is a message of which only the size is known.
type sized int64

// Size is in octets.
func (n sized) Size() int64 { return int64(n) }

// Open says that there is nothing.
func (n sized) Open() (mail.BlobReader, error) { return nil, pipeline.ErrNotRecorded }
