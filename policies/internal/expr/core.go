package expr

import (
	"net/netip"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// coreFacts is the table of the facts that the relay itself knows.
func coreFacts() []*Fact {
	var all []*Fact
	for _, group := range [][]*Fact{sessionFacts(), envelopeFacts(), messageFacts(), deliverFacts()} {
		all = append(all, group...)
	}
	for _, f := range all {
		f.Slot = -1
		f.value.Type = f.Type
		f.value.fact = f
	}
	return all
}

func text(path string, from pipeline.Stage, doc string, get func(*Run) string) *Fact {
	return &Fact{Path: path, Type: String, From: from, Doc: doc,
		value: Value{Str: func(r *Run) (string, bool) { return get(r), true }}}
}

func flag(path string, from pipeline.Stage, doc string, get func(*Run) bool) *Fact {
	return &Fact{Path: path, Type: Bool, From: from, Doc: doc,
		value: Value{Bool: func(r *Run) Tri { return truth(get(r)) }}}
}

func number(path string, from pipeline.Stage, doc string, get func(*Run) float64) *Fact {
	return &Fact{Path: path, Type: Number, From: from, Doc: doc,
		value: Value{Num: func(r *Run) (float64, bool) { return get(r), true }}}
}

func texts(path string, from pipeline.Stage, doc string, get func(*Run) []string) *Fact {
	return &Fact{Path: path, Type: Strings, From: from, Doc: doc,
		value: Value{Strs: func(r *Run) ([]string, bool) { return get(r), true }}}
}

// alsoAtDeliver marks facts that outlive a restart.
func alsoAtDeliver(fs ...*Fact) []*Fact {
	for _, f := range fs {
		f.Deliver = true
	}
	return fs
}

func perRecipient(fs ...*Fact) []*Fact {
	for _, f := range fs {
		f.PerRcpt = true
	}
	return fs
}

func forgeable(f *Fact) *Fact {
	f.Forgeable = true
	return f
}

func sessionFacts() []*Fact {
	at := pipeline.Connect
	ip := &Fact{Path: "client.ip", Type: IP, From: at, Doc: "address of the client",
		value: Value{IP: func(r *Run) (netip.Addr, bool) { return r.Tx.Client.Unmap(), true }}}
	return []*Fact{
		text("session.id", at, "the session's ID", func(r *Run) string { return string(r.Tx.Session.ID) }),
		flag("session.trusted", at, "the client's network may relay", func(r *Run) bool { return r.Tx.Trusted }),
		text("session.listener", at, "name of the listener", func(r *Run) string { return r.Tx.Listener }),
		ip,
		flag("tls.on", at, "the connection is encrypted", func(r *Run) bool { return r.Tx.TLS.On }),
		text("tls.version", at, "version of TLS, \"TLS 1.3\"", func(r *Run) string { return r.Tx.TLS.Version }),
		flag("tls.verified", at, "the client showed a certificate that we trust", func(r *Run) bool { return r.Tx.TLS.Verified }),
		forgeable(text("helo.name", pipeline.Helo, "what the client calls itself", func(r *Run) string { return r.Tx.Helo })),
		flag("auth.ok", pipeline.Mail, "the client logged in", func(r *Run) bool { return r.Tx.Auth.User != "" }),
		text("auth.user", pipeline.Mail, "the account, \"\" for nobody", func(r *Run) string { return r.Tx.Auth.User }),
		texts("auth.addresses", pipeline.Mail, "addresses of the account; *@domain for all of a domain", func(r *Run) []string { return addressList(r.Tx.Auth.Addresses) }),
	}
}

func envelopeFacts() []*Fact {
	at := pipeline.Mail
	fs := alsoAtDeliver(
		forgeable(text("mail.from", at, "sender of the envelope, \"\" for the null path", func(r *Run) string { return r.Tx.From.String() })),
		forgeable(text("mail.domain", at, "domain of the sender", func(r *Run) string { return r.Tx.From.Domain })),
		flag("mail.null", at, "the null path <> of bounces", func(r *Run) bool { return r.Tx.From.IsNull() }),
		number("mail.size", at, "declared size in octets, 0 where not declared", func(r *Run) float64 { return float64(r.Tx.Declared) }),
		flag("mail.smtputf8", at, "the envelope may have UTF-8 (RFC 6531)", func(r *Run) bool { return r.Tx.SMTPUTF8 }),
	)
	fs = append(fs, perRecipient(alsoAtDeliver(
		text("rcpt.address", pipeline.Rcpt, "the recipient in question", func(r *Run) string { return recipient(r).Address.String() }),
		text("rcpt.domain", pipeline.Rcpt, "its domain", func(r *Run) string { return recipient(r).Address.Domain }),
		text("rcpt.local", pipeline.Rcpt, "its local part", func(r *Run) string { return recipient(r).Address.Local }),
	)...)...)
	fs = append(fs, perRecipient(
		flag("rcpt.known", pipeline.Rcpt, "the recipient is ours and exists", func(r *Run) bool { return recipient(r).Acceptance.Known }),
		number("rcpt.count", pipeline.Rcpt, "how many recipients were taken so far, this one included", func(r *Run) float64 { return float64(len(r.Tx.To)) }),
	)...)
	written := flag("rcpt.in_header", pipeline.Data, "it stands in To or Cc: not so of blind copies, lists and signed mail that is replayed to others", func(r *Run) bool { return r.message(ofTo).names(recipient(r).Address) })
	return append(fs, perRecipient(forgeable(written))...)
}

func deliverFacts() []*Fact {
	at := pipeline.Deliver
	age := &Fact{Path: "delivery.age", Type: Duration, From: at, Doc: "since the message was taken",
		value: Value{Dur: func(r *Run) (time.Duration, bool) { return r.Tx.Delivery.Age, true }}}
	fs := []*Fact{age,
		number("delivery.attempt", at, "counts from 1", func(r *Run) float64 { return float64(r.Tx.Delivery.Attempt) }),
		number("delivery.last_code", at, "code of the attempt before, 0 for none", func(r *Run) float64 { return float64(r.Tx.Delivery.LastCode) }),
		text("delivery.host", at, "the host that is tried, \"\" before routing", func(r *Run) string { return r.Tx.Delivery.Host }),
	}
	total := number("score.total", pipeline.Data, "points so far", func(r *Run) float64 { return float64(r.Points) / 1000 })
	tags := texts("tags", pipeline.Connect, "tags so far", func(r *Run) []string { return r.Tags })
	tags.Deliver = true
	return append(alsoAtDeliver(fs...), perRecipient(total, tags)...)
}

// recipient is the recipient in question; before there is one, an empty one.
func recipient(r *Run) *pipeline.Recipient {
	if r.Tx.Current < 0 || r.Tx.Current >= len(r.Tx.To) {
		return &pipeline.Recipient{}
	}
	return &r.Tx.To[r.Tx.Current]
}

func addressList(as []mail.Address) []string {
	out := make([]string, len(as))
	for i, a := range as {
		out[i] = a.String()
	}
	return out
}
