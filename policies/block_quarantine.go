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
		q.Digest = b.clock("digest")
		if q.Digest != nil && q.Release != "recipient" {
			b.bad("digest", "A digest tells recipients what they can have, and nobody but an administrator may release from this quarantine.", "Write release = recipient, or leave digest out.")
		}
		b.done()
		l.set.Quarantines = append(l.set.Quarantines, q)
	})
	l.fallback = l.defaultQuarantine()
}

// clock is a time of day, nil where none is written.
func (b *body) clock(name string) *TimeOfDay {
	s := b.text(name, "")
	if s == "" {
		return nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		b.bad(name, "\""+s+"\" is no time of day.", "Write \"07:30\": hours from 00 to 23, and minutes.")
		return nil
	}
	return &TimeOfDay{t.Hour(), t.Minute()}
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
