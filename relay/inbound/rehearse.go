package inbound

import (
	"context"
	"io"
	"net/netip"
	"slices"

	"github.com/emersion/go-smtp"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// Play is a session with one message, for Rehearse.
type Play struct {
	// Session says who comes: ID, Listener, Client, Helo, TLS, Auth. Trusted is
	// worked out of Config.RelayFrom.
	Session  *pipeline.Session
	From     mail.Address
	Declared int64 // the SIZE parameter, 0 for none
	SMTPUTF8 bool
	To       []mail.Address
	Message  mail.Blob

	// What follows is for replays of records, in which not all is known.
	Part   *mime.Part // the structure of the message; Message is not read then
	NoMail bool       // the client was turned away before MAIL
	Unread bool       // the message was never read: who is taken at RCPT has a Fate of Action None
}

// Fate is what became of one recipient.
type Fate struct {
	To     mail.Address
	Action pipeline.Action // never None
	Rule   string          // the path of what decided, "" where nothing stood against it
	Reply  string          // that the client would see for it: "550 5.7.1 text", "250" where it is taken
	Into   string          // the quarantine
	Ledger pipeline.Ledger // all that was noted about it; empty where it was refused before Data
}

// Rehearsed is what came of a Play.
type Rehearsed struct {
	Fates []Fate // by Play.To
	Rules []*trail.Rule
	// Turned is what the session or MAIL was refused with, nil where it was not.
	Turned *Fate
	// Tx is the transaction with the recipients that came as far as Data; nil where
	// MAIL was refused.
	Tx *pipeline.Transaction
}

// Rehearse plays a session without a wire: the same questions in the same order
// as over SMTP, asked by the same code, and nothing is stored. Of cfg it needs
// what decides: Name, Protocol, Auth, RelayFrom, RejectEarly, MaxRecipients,
// Policies and Directory.
func Rehearse(ctx context.Context, cfg Config, p Play) Rehearsed {
	cfg = cfg.withDefaults()
	kept := &keptRecord{}
	cfg.Trail = kept
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &session{cfg: &cfg, ps: p.Session, log: cfg.Log, ctx: ctx}
	s.ps.Trusted = slices.ContainsFunc(cfg.RelayFrom, func(n netip.Prefix) bool { return n.Contains(p.Session.Client) })
	r := rehearsal{s: s, p: p, kept: kept}
	return r.run()
}

// keptRecord is a trail of the last record.
type keptRecord struct{ rec *trail.Record }

func (k *keptRecord) Record(rec *trail.Record) { k.rec = rec }

func (k *keptRecord) Event(trail.Event) {}

type rehearsal struct {
	s    *session
	p    Play
	kept *keptRecord
	out  Rehearsed
	at   []int // of Play.To, by Tx.To
}

func (r *rehearsal) run() Rehearsed {
	if reply := r.s.connect(); !reply.IsZero() {
		return r.turnedAway()
	}
	if r.p.NoMail && r.p.Session.Helo == "" {
		return r.noMail()
	}
	if reply := r.s.hello("EHLO", r.p.Session.Helo); !reply.IsZero() {
		return r.turnedAway()
	}
	if r.p.NoMail {
		return r.noMail()
	}
	if reply := r.s.mail(r.p.From, r.p.From.String(), &smtp.MailOptions{Size: r.p.Declared, UTF8: r.p.SMTPUTF8}); !reply.IsZero() {
		return r.turnedAway()
	}
	tx := r.s.tx
	defer tx.life.cancel()
	for i, to := range r.p.To {
		r.rcpt(i, to)
	}
	if len(tx.To) > 0 && !r.p.Unread {
		r.data()
	}
	r.out.Tx, r.out.Rules = tx.Transaction, tx.Trace.Rules
	return r.out
}

// turnedAway is the fate of all where the session or MAIL was refused.
func (r *rehearsal) turnedAway() Rehearsed {
	rec := r.kept.rec
	r.out.Rules = rec.Rules
	turned := fateOf(mail.Address{}, rec.Outcomes[len(rec.Outcomes)-1])
	r.out.Turned = &turned
	for _, to := range r.p.To {
		r.out.Fates = append(r.out.Fates, fateOf(to, rec.Outcomes[len(rec.Outcomes)-1]))
	}
	return r.out
}

// noMail is a session that came to nothing, and was not refused.
func (r *rehearsal) noMail() Rehearsed {
	r.out.Rules = r.s.ps.Trace
	return r.out
}

func fateOf(to mail.Address, o trail.Outcome) Fate {
	f := Fate{To: to, Rule: o.Rule, Reply: o.Reply}
	for a := pipeline.Accept; a <= pipeline.Hold; a++ {
		if a.String() == o.Action {
			f.Action = a
		}
	}
	if f.Reply == "" {
		f.Reply = "250"
	}
	return f
}

func (r *rehearsal) rcpt(i int, to mail.Address) {
	tx := r.s.tx
	had, taken := len(tx.Trace.Outcomes), len(tx.To)
	r.s.rcpt(to, to.String(), &smtp.RcptOptions{})
	if len(tx.To) > taken {
		r.at = append(r.at, i)
		r.out.Fates = append(r.out.Fates, Fate{To: to})
		return
	}
	if len(tx.Trace.Outcomes) > had {
		r.out.Fates = append(r.out.Fates, fateOf(to, tx.Trace.Outcomes[had]))
		return
	}
	r.out.Fates = append(r.out.Fates, Fate{To: to, Action: pipeline.Defer}) // beyond what the trail keeps
}

// data is the end of the message.
func (r *rehearsal) data() {
	tx := r.s.tx
	if tx.Part = r.p.Part; tx.Part == nil {
		parser := mime.NewParser(mime.Limits{HeaderBytes: maxHeader, Fields: maxFields})
		if err := copyBlob(parser, r.p.Message); err != nil {
			r.all(pipeline.Verdict{Action: pipeline.Defer, Reply: mail.Defer(51, 3, 0, err.Error()), Rule: "builtin.spool"}, nil)
			return
		}
		tx.Part = parser.Close()
	}
	r.s.describe(tx, r.p.Message)
	if reply, rule := r.s.checkMessage(tx.Part); !reply.IsZero() {
		r.all(pipeline.Verdict{Action: actionOf(reply), Reply: reply, Rule: "builtin." + rule}, nil)
		return
	}
	vs := r.s.verdicts(tx)
	if r.s.cfg.Protocol == LMTP && len(vs) == len(tx.To) {
		r.each(vs)
		return
	}
	refused, fates := combine(vs)
	if refused != nil {
		r.all(*refused, vs)
		return
	}
	for j, v := range vs {
		r.out.Fates[r.at[j]] = Fate{To: tx.To[j].Address, Action: fates[j], Rule: v.Rule, Reply: "250", Into: v.Into, Ledger: v.Ledger}
	}
}

// each gives each recipient its own fate.
func (r *rehearsal) each(vs []pipeline.Verdict) {
	tx := r.s.tx
	for j, f := range eachFate(vs) {
		v := vs[j]
		out := Fate{To: tx.To[j].Address, Action: f, Rule: v.Rule, Reply: "250", Into: v.Into, Ledger: v.Ledger}
		if f.Refuses() {
			out.Reply = eachRefusal(v, r.s.current).String()
		}
		r.out.Fates[r.at[j]] = out
	}
}

// all refuses the message for everybody; vs, where they stand, say what was
// noted about each.
func (r *rehearsal) all(v pipeline.Verdict, vs []pipeline.Verdict) {
	reply := refusal(v, r.s.current).String()
	for j, i := range r.at {
		f := Fate{To: r.s.tx.To[j].Address, Action: v.Action, Rule: v.Rule, Reply: reply}
		if j < len(vs) {
			f.Ledger = vs[j].Ledger
		}
		r.out.Fates[i] = f
	}
}

func copyBlob(to io.Writer, b mail.Blob) error {
	f, err := b.Open()
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(to, f)
	return err
}
