package vol

import (
	"slices"
	"strings"

	"github.com/forepost/forepost/imapstore"
)

// sortFlags puts flags in the order that an Entry has them.
func sortFlags(fs []string) []string {
	slices.Sort(fs)
	return fs
}

// cleanFlags writes system flags as RFC 9051 does, takes out \Recent and what
// comes twice, and sorts.
func cleanFlags(fs []string) []string {
	var out []string
	for _, f := range fs {
		if sys, ok := imapstore.SystemFlag(f); ok {
			f = sys
		}
		if f != "" && !strings.EqualFold(f, `\Recent`) && !imapstore.HasFlag(out, f) {
			out = append(out, f)
		}
	}
	return sortFlags(out)
}

// maxKeywords bounds what a mailbox remembers of the case of keywords.
const maxKeywords = 4096

// firstSeen writes keywords as the mailbox saw them first: case does not part
// them (RFC 9051 section 2.3.2). fs are clean; the caller holds a.mu.
func (m *mailbox) firstSeen(fs []string) []string {
	for i, f := range fs {
		if strings.HasPrefix(f, `\`) {
			continue
		}
		low := strings.ToLower(f)
		first, ok := m.keywords[low]
		if !ok && len(m.keywords) >= maxKeywords {
			continue // it keeps its own case
		}
		if !ok {
			if m.keywords == nil {
				m.keywords = map[string]string{}
			}
			m.keywords[low], first = f, f
		}
		fs[i] = first
	}
	return sortFlags(fs)
}

// applyFlags is what a STORE makes of flags; both lists are clean.
func applyFlags(have []string, op imapstore.FlagOp, with []string) []string {
	switch op {
	case imapstore.FlagsAdd:
		out := slices.Clone(have)
		for _, f := range with {
			if !imapstore.HasFlag(out, f) {
				out = append(out, f)
			}
		}
		return sortFlags(out)
	case imapstore.FlagsRemove:
		return slices.DeleteFunc(slices.Clone(have), func(f string) bool { return imapstore.HasFlag(with, f) })
	}
	return with
}
