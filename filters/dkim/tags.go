package dkim

import "strings"

// tags reads a tag-list, RFC 6376 section 3.2: folding white space counts for
// nothing. A tag that stands twice spoils the list.
func tags(s string) (map[string]string, bool) {
	m := map[string]string{}
	for _, t := range strings.Split(s, ";") {
		name, value, ok := strings.Cut(t, "=")
		name = strings.TrimSpace(name)
		if !ok {
			if name != "" {
				return nil, false
			}
			continue
		}
		if _, twice := m[name]; twice || name == "" {
			return nil, false
		}
		m[name] = strings.TrimSpace(value)
	}
	return m, true
}

// squeeze takes out all white space: of values in which it means nothing.
func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

// names are the header fields of an h= tag, lower case.
func names(h string) []string {
	list := strings.Split(strings.ToLower(squeeze(h)), ":")
	if len(list) == 1 && list[0] == "" {
		return nil
	}
	return list
}
