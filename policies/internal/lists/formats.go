package lists

import "strings"

// Formats are the ways in which a file of entries is written: one a line; a
// lookup table of Postfix (access(5), virtual(5)); a map of Rspamd.
func Formats() []string { return []string{"lines", "postfix", "rspamd"} }

// ParseAs splits a file of one of the Formats into its entries. Of tables and
// maps the keys count, whatever their values say.
func ParseAs(format string, typ Type, text []byte) []string {
	if format == "lines" || format == "" {
		return ParseFile(text)
	}
	var out []string
	for _, line := range strings.Split(string(text), "\n") {
		if format == "postfix" && line != "" && strings.ContainsRune(" \t", rune(line[0])) {
			continue // goes on with the value of the line before
		}
		key := strings.TrimSpace(line)
		if key == "" || key[0] == '#' {
			continue
		}
		if typ == Regex && key[0] == '/' {
			out = append(out, slashed(key, format == "postfix"))
			continue
		}
		key = strings.Trim(strings.Fields(key)[0], `"`)
		if format == "postfix" && typ == Address && strings.HasSuffix(key, "@") {
			continue // a local part of any domain, which no list of addresses has
		}
		out = append(out, key)
	}
	return out
}

// slashed is /pattern/flags as RE2 has it. The flag i changes whether case counts:
// in Postfix it does not unless that is said, in Rspamd it does.
func slashed(s string, anyCase bool) string {
	end := strings.LastIndexByte(s, '/')
	pattern, flags := s[1:max(end, 1)], ""
	if end > 0 {
		flags, _, _ = strings.Cut(s[end+1:], " ")
	}
	if strings.Contains(flags, "i") != anyCase {
		return "(?i)" + pattern
	}
	return pattern
}
