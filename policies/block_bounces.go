package policies

// SRS is the `srs` block: the sender of mail that an alias leads elsewhere.
type SRS struct {
	On bool // default: true
	// Secret signs rewritten addresses, Previous is accepted as well; without Secret the
	// gateway keeps one of its own.
	Secret, Previous Secret
}

// Bounces is the `bounces` block: who hears of mail that could not be delivered.
type Bounces struct {
	// To is all; plausible (the default): not a sender whose domain's SPF disowns who
	// brought the message; verified: only one whom a login, a network of ours, SPF or a
	// DKIM signature of its domain speaks for.
	To string
}

// returns reads both.
func (l *loader) returns() {
	l.set.SRS.On, l.set.Bounces.To = true, "plausible"
	if b := l.single("srs"); b != nil {
		l.set.SRS = SRS{On: b.boolean("on", true), Secret: b.secret("secret"), Previous: b.secret("previous")}
		l.plainPassword(b, "secret")
		l.plainPassword(b, "previous")
		b.done()
	}
	if b := l.single("bounces"); b != nil {
		l.set.Bounces.To = b.word("to", "plausible", "all", "plausible", "verified")
		b.done()
	}
}
