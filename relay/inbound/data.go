package inbound

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// Limits of a message's own header. One that is larger is refused: fields that
// nobody has looked at would go out with it.
const (
	maxHeader = 1 << 20
	maxFields = 2000
)

// judgeTime bounds stage Data; clients wait ten minutes (RFC 5321 section
// 4.5.3.2.6).
const judgeTime = 8 * time.Minute

// incoming is a message while it is read.
type incoming struct {
	draft    Draft
	parser   parser
	err      error // of the draft
	eightBit bool
}

// parser is what the message is shown to while it is read; *mime.Parser is one.
type parser interface {
	Write(b []byte) (int, error)
	Close() *mime.Part
}

func newParser() parser {
	return mime.NewParser(mime.Limits{HeaderBytes: maxHeader, Fields: maxFields})
}

// data is DATA: read once, judge, take or refuse. go-smtp has seen to it that
// there are MAIL and a RCPT.
func (s *session) data() error {
	tx := s.tx
	tx.touched = true
	in := s.openDraft(tx)
	defer in.discard()
	err := s.conn.wire.readData(s.cfg.MaxSize, in.take)
	if err == nil {
		err = in.err
	}
	if err == errAborted {
		s.abort("given up between chunks")
		return nil
	}
	if r, rule := dataReply(err); !r.IsZero() {
		return s.refuseData(tx, pipeline.Verdict{Action: actionOf(r), Reply: r, Rule: "builtin." + rule})
	}
	tx.Part = in.parser.Close()
	tx.env.EightBit = in.eightBit
	s.describe(tx, in.draft.Blob())
	r, rule := s.checkMessage(tx.Part)
	if r.IsZero() {
		r, rule = s.checkBinary(tx)
	}
	if !r.IsZero() {
		return s.refuseData(tx, pipeline.Verdict{Action: actionOf(r), Reply: r, Rule: "builtin." + rule})
	}
	return s.judgeMessage(tx, in.draft)
}

func (s *session) openDraft(tx *transaction) *incoming {
	in := &tx.in
	in.parser, in.eightBit = s.cfg.newParser(), tx.env.EightBit // where it was declared nobody need look
	in.draft, in.err = s.cfg.Spool.Draft(tx.Transaction.ID)
	return in
}

// take takes octets of the message. After an error of the draft the rest of the
// data is read, because the client listens only then, and forgotten.
func (in *incoming) take(b []byte) {
	if in.err != nil {
		return
	}
	_, in.err = in.draft.Write(b)
	in.parser.Write(b)
	in.eightBit = in.eightBit || hasEightBit(b)
}

func (in *incoming) discard() {
	if in.draft != nil {
		in.draft.Discard()
	}
}

func hasEightBit(b []byte) bool {
	for ; len(b) >= 64; b = b[64:] {
		p, le := (*[64]byte)(b), binary.LittleEndian
		x := le.Uint64(p[:]) | le.Uint64(p[8:]) | le.Uint64(p[16:]) | le.Uint64(p[24:]) |
			le.Uint64(p[32:]) | le.Uint64(p[40:]) | le.Uint64(p[48:]) | le.Uint64(p[56:])
		if x&0x8080808080808080 != 0 {
			return true
		}
	}
	for _, c := range b {
		if c >= 0x80 {
			return true
		}
	}
	return false
}

// dataReply is what an error of taking the data means for the client.
func dataReply(err error) (r mail.Reply, rule string) {
	if err == nil {
		return mail.Reply{}, ""
	}
	var timeout net.Error
	switch {
	case errors.Is(err, errTooLarge):
		return mail.Refuse(52, 3, 4, "The message is larger than the limit"), "size"
	case errors.Is(err, errStrayLine):
		return mail.Refuse(54, 6, 0, "The message has a CR or LF that is no line end"), "lines"
	case errors.Is(err, errNUL):
		return mail.Refuse(54, 6, 0, "The message has a NUL"), "lines"
	case errors.Is(err, journal.ErrFull):
		return mail.Defer(52, 3, 1, "No room for the message, try again later"), "spool"
	case errors.As(err, &timeout) && timeout.Timeout():
		return mail.Defer(21, 4, 2, "The data did not come in time, closing the connection"), "timeout"
	case isConnError(err):
		return mail.Defer(21, 4, 2, "The connection was lost in the data"), "lost"
	}
	return mail.Defer(51, 3, 0, "The message could not be stored, try again later"), "spool"
}

func actionOf(r mail.Reply) pipeline.Action {
	if r.Class == mail.Transient {
		return pipeline.Defer
	}
	return pipeline.Reject
}

// describe notes what the trail keeps of a message.
func (s *session) describe(tx *transaction, blob mail.Blob) {
	tx.message.Blob = blob
	tx.Message = &tx.message
	rec := tx.Trace
	rec.Size = blob.Size()
	if fs := tx.Part.All("Subject"); len(fs) > 0 {
		rec.Subject = shorten(fs[0].Text(), 255)
	}
	rec.Message = shorten(tx.Part.Get("Message-ID"), 255)
	keepHeader(rec, tx.Part)
}

// checkMessage is what no policy is asked about.
func (s *session) checkMessage(p *mime.Part) (r mail.Reply, rule string) {
	switch {
	case len(p.Fields) >= maxFields || p.Body >= maxHeader:
		return mail.Refuse(52, 3, 4, "The header of the message is larger than the limit"), "header"
	case len(p.All("Received")) > s.cfg.MaxReceived: // RFC 5321 section 6.3
		return mail.Refuse(54, 4, 6, "Too many hops: the message is in a loop"), "loop"
	}
	return mail.Reply{}, ""
}

// refuseData refuses a message for all its recipients.
func (s *session) refuseData(tx *transaction, v pipeline.Verdict) error {
	r := refusal(v, tx.Transaction.ID)
	for i := range tx.To {
		tx.Settle(tx.after, i, false)
	}
	tx.Settle(tx.after, -1, false)
	s.refuse(tx, tx.names(), v, r)
	s.tellAll(tx, r)
	s.finish(tx)
	return said(r)
}

// judgeMessage is stage Data and what follows from it.
func (s *session) judgeMessage(tx *transaction, draft Draft) error {
	vs := s.verdicts(tx)
	if s.cfg.Protocol == LMTP && len(vs) == len(tx.To) {
		return s.judgeEach(tx, draft, vs)
	}
	refused, fates := combine(vs)
	if refused != nil {
		return s.refuseData(tx, *refused)
	}
	if r, rule := s.accept(tx, draft, vs, fates); !r.IsZero() {
		return s.refuseData(tx, pipeline.Verdict{Action: actionOf(r), Reply: r, Rule: "builtin." + rule})
	}
	s.accepted(tx, vs, fates)
	s.conn.wire.tell(s.queued())
	return nil
}

// verdicts asks the policy about each recipient. A plan that does not answer for
// each of them has a defect, and the message comes again.
func (s *session) verdicts(tx *transaction) []pipeline.Verdict {
	if len(tx.To) == 0 {
		return nil // all were discarded
	}
	ctx := &tx.judging
	ctx.parent, ctx.limit = tx.ctx, judgeTime
	defer ctx.cancel()
	tx.Trace.Judged = s.cfg.Now()
	vs := tx.plan.Run(ctx, pipeline.Data, tx.Transaction)
	if len(vs) == len(tx.To) {
		return vs
	}
	s.log.Error("the policy did not answer for each recipient", "id", s.name(), "recipients", len(tx.To), "verdicts", len(vs))
	broken := pipeline.Verdict{Action: pipeline.Defer, Reply: mail.Defer(51, 3, 0, "Internal error, try again later"), Rule: "builtin.policy"}
	return []pipeline.Verdict{broken}
}

// accepted tells everybody who wants to know that the message was taken.
func (s *session) accepted(tx *transaction, vs []pipeline.Verdict, fates []pipeline.Action) {
	for i := range vs {
		s.took(tx, i, &vs[i], fates[i])
	}
	s.notifyAll(tx, vs, fates)
	s.settled(tx, vs, true)
}

// took tells what became of a recipient for whom the message was taken.
func (s *session) took(tx *transaction, i int, v *pipeline.Verdict, fate pipeline.Action) {
	tx.Settle(tx.after, i, v.Action != pipeline.Reject)
	o := trail.Outcome{To: tx.rec.toOne(tx.notes[i].name), Action: fateName(fate), Rule: v.Rule,
		Reply: s.reply, Where: where(v, fate), Tags: v.Ledger.Tags}
	s.outcome(tx, o)
	if fate == pipeline.Accept {
		s.conn.srv.accepted.Inc()
	} else {
		messages.WithLabelValues(s.cfg.Name, o.Action).Inc()
	}
	if s.log.Enabled(tx.after, slog.LevelInfo) {
		s.log.LogAttrs(tx.after, slog.LevelInfo, "taken", slog.String("id", string(tx.Transaction.ID)), slog.String("from", *tx.Trace.From),
			slog.String("to", o.To[0]), slog.String("action", o.Action), slog.String("rule", o.Rule),
			slog.String("where", o.Where), slog.Int64("size", tx.Trace.Size))
	}
}

// settled ends a transaction whose recipients all have their fate; kept tells
// whether any of them gets the message.
func (s *session) settled(tx *transaction, vs []pipeline.Verdict, kept bool) {
	if len(vs) > 0 {
		tx.Trace.Points = points(vs[0].Ledger.Points)
	}
	if kept {
		s.conn.srv.octets.Add(float64(tx.Trace.Size))
	}
	tx.Settle(tx.after, -1, kept)
	s.finish(tx)
}

// fateName is what became of a recipient of a message that was taken.
func fateName(fate pipeline.Action) string {
	if fate == pipeline.Reject {
		return "bounce"
	}
	return fate.String()
}

// where is the quarantine or the route that a recipient's message went to.
func where(v *pipeline.Verdict, fate pipeline.Action) string {
	if fate == pipeline.Quarantine {
		return v.Into
	}
	return v.Ledger.Route
}

func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n]
}
