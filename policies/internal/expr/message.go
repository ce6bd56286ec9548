package expr

import (
	"strings"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

// aspect is a part of what the msg facts say.
type aspect uint8

const (
	ofSubject aspect = 1 << iota
	ofFrom
	ofTo
	ofID
	ofList // list_id, is_bulk
	ofForm // is_bounce, defects
)

// message is what the msg facts say of a message, each aspect made once, when a
// fact of it is asked.
type message struct {
	read                       aspect
	subject                    string
	from, fromName, fromDomain string
	to                         []string
	named                      map[string]bool // the same, by mail.Address.Key; made when it is asked
	id, listID                 string
	bulk, bounce               bool
	defects                    []string
}

func messageFacts() []*Fact {
	at := pipeline.Data
	size := number("msg.size", at, "octets of the message as received", func(r *Run) float64 {
		if r.Tx.Message == nil {
			return 0
		}
		return float64(r.Tx.Message.Size())
	})
	return append(alsoAtDeliver(size),
		fromFields(forgeable(text("msg.id", at, "the Message-ID, without angle brackets", func(r *Run) string { return r.message(ofID).id })), "Message-ID"),
		fromFields(forgeable(text("msg.subject", at, "the Subject, decoded", func(r *Run) string { return r.message(ofSubject).subject })), "Subject"),
		fromFields(forgeable(text("msg.from", at, "the first address of From", func(r *Run) string { return r.message(ofFrom).from })), "From"),
		fromFields(forgeable(text("msg.from_name", at, "the name beside it, decoded", func(r *Run) string { return r.message(ofFrom).fromName })), "From"),
		fromFields(forgeable(text("msg.from_domain", at, "its domain", func(r *Run) string { return r.message(ofFrom).fromDomain })), "From"),
		fromFields(forgeable(texts("msg.to", at, "addresses of To and Cc", func(r *Run) []string { return r.message(ofTo).to })), "To", "Cc"),
		fromFields(flag("msg.is_bulk", at, "says of itself that it is from a list or in bulk", func(r *Run) bool { return r.message(ofList).bulk }), "List-Id*"),
		fromFields(flag("msg.is_bounce", at, "a report about another message", func(r *Run) bool { return r.message(ofForm).bounce }), "Content-Type*"),
		fromFields(forgeable(text("msg.list_id", at, "the List-Id (RFC 2919)", func(r *Run) string { return r.message(ofList).listID })), "List-Id"),
		fromFields(texts("msg.defects", at, "what is odd about its form, in the words of the table below", func(r *Run) []string { return r.message(ofForm).defects }), "Content-Type*"),
	)
}

func (r *Run) message(what aspect) *message {
	if r.msg.read&what == 0 {
		r.msg.read |= what
		if r.Tx.Part != nil {
			r.msg.make(what, r.Tx)
		}
	}
	return &r.msg
}

// make reads one aspect.
func (m *message) make(what aspect, tx *pipeline.Transaction) {
	p := tx.Part
	switch what {
	case ofSubject:
		m.subject = DecodeText(field(p, "Subject"))
	case ofFrom:
		if from, ok := mime.Author(field(p, "From")); ok {
			m.fromName, m.from = from.Name, lowerDomain(from.Address)
			m.fromDomain = m.from[strings.LastIndexByte(m.from, '@')+1:]
		}
	case ofTo:
		for _, f := range append(fields(p, "To"), fields(p, "Cc")...) {
			for _, a := range addressesOf(f) {
				m.to = append(m.to, a.address)
			}
		}
	case ofID:
		m.id = strings.Trim(strings.TrimSpace(field(p, "Message-ID")), "<>")
	case ofList:
		m.listID = listID(strings.TrimSpace(field(p, "List-Id")))
		m.bulk = isBulk(p, m.listID)
	case ofForm:
		m.bounce = tx.From.IsNull() || p.Type == "multipart/report"
		for _, d := range p.AllDefects() {
			m.defects = append(m.defects, string(d))
		}
	}
}

// names tells whether an address stands in To or Cc.
func (m *message) names(a mail.Address) bool {
	if m.named == nil {
		m.named = make(map[string]bool, len(m.to))
		for _, s := range m.to {
			if at, err := mail.ParseAddress(s, true); err == nil {
				m.named[at.Key()] = true
			}
		}
	}
	return m.named[a.Key()]
}

// isBulk follows the fields that list and bulk senders set: List-Id (RFC 2919),
// List-Unsubscribe (RFC 2369) and Precedence.
func isBulk(p *mime.Part, listID string) bool {
	if listID != "" || field(p, "List-Unsubscribe") != "" {
		return true
	}
	switch strings.ToLower(strings.TrimSpace(field(p, "Precedence"))) {
	case "bulk", "list", "junk":
		return true
	}
	return false
}

// listID is what stands between the last angle brackets, RFC 2919 section 2.
func listID(s string) string {
	if i := strings.LastIndexByte(s, '<'); i >= 0 {
		s = s[i+1:]
		if j := strings.IndexByte(s, '>'); j >= 0 {
			s = s[:j]
		}
	}
	return strings.ToLower(strings.TrimSpace(s))
}

// fields are the raw values of the header fields of a name.
func fields(p *mime.Part, name string) []string {
	if p == nil {
		return nil
	}
	var out []string
	for i := range p.Fields {
		if strings.EqualFold(p.Fields[i].Name, name) {
			out = append(out, p.Fields[i].Raw)
		}
	}
	return out
}

func field(p *mime.Part, name string) string {
	if p == nil {
		return ""
	}
	for i := range p.Fields {
		if strings.EqualFold(p.Fields[i].Name, name) {
			return p.Fields[i].Raw
		}
	}
	return ""
}
