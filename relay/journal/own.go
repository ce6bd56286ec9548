package journal

// Owns tells whether b is a blob of this journal, so that a room may refer to
// it by Hold instead of copying its octets.
func (j *Journal) Owns(b *Blob) bool { return b != nil && b.j == &j.journal }
