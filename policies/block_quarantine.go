package policies

import "time"

const defaultKeep = 30 * 24 * time.Hour

// quarantines reads `quarantine` blocks.
func (l *loader) quarantines() {
	l.each("quarantine", func(name string, b *body) {
		q := Quarantine{Name: name, At: b.where()}
		q.Keep = b.duration("keep", defaultKeep)
		q.Release = b.word("release", "admin", "recipient", "admin")
		q.MaxSize = b.size("max_size", 0)
		if b.has("digest") {
			b.known = append(b.known, "digest")
			l.notServed(b.rangeOf("digest"), "Digests of a quarantine are not sent in this version.", "Leave it out.")
		}
		b.done()
		l.set.Quarantines = append(l.set.Quarantines, q)
	})
	l.fallback = l.defaultQuarantine()
}

// defaultQuarantine is the one for those whose domain names none: the only one
// declared, else the one called spam.
func (l *loader) defaultQuarantine() string {
	if qs := l.set.Quarantines; len(qs) == 1 {
		return qs[0].Name
	}
	if l.named["quarantine"]["spam"] != nil {
		return "spam"
	}
	return ""
}
