package lists

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// cidr reads the networks of a Postfix table: those of cidr_table(5), with
// brackets or without, and the first octets or groups of an address as access(5)
// has them, "192.0.2" and "2001:db8".
func cidr(s string) (string, error) {
	switch strings.ToLower(s) {
	case "if", "endif":
		return "", errors.New("if and endif have no meaning in a list: write out which networks are meant")
	}
	if strings.HasPrefix(s, "[") {
		addr, bits, ok := strings.Cut(s[1:], "]")
		if ok && (bits == "" || bits[0] == '/') {
			return addr + bits, nil
		}
	}
	if strings.ContainsAny(s, "/%") || strings.Contains(s, "::") {
		return s, nil
	}
	if groups := strings.Split(strings.TrimSuffix(s, ":"), ":"); len(groups) > 1 && len(groups) < 8 {
		return strings.Join(groups, ":") + "::/" + strconv.Itoa(16*len(groups)), nil
	}
	octets := strings.Split(strings.TrimSuffix(s, "."), ".")
	if len(octets) > 3 || !numbers(octets) {
		return s, nil
	}
	return strings.Join(octets, ".") + strings.Repeat(".0", 4-len(octets)) + "/" + strconv.Itoa(8*len(octets)), nil
}

func numbers(ss []string) bool {
	for _, s := range ss {
		if _, err := strconv.ParseUint(s, 10, 8); err != nil {
			return false
		}
	}
	return true
}

// expression reads /pattern/flags. Postfix's have no case unless the flag i
// turns that round, and a dot is a line end as well (regexp_table(5),
// pcre_table(5)); Rspamd's have case unless i is there. Postfix takes other
// characters than the slash.
func expression(f Format, s string) (pattern, value string, err error) {
	bracket := s[0]
	if f == Rspamd && bracket != '/' {
		pattern, value = cut(s)
		return pattern, value, nil
	}
	if key, _ := cut(s); bracket == '!' || strings.EqualFold(key, "if") || strings.EqualFold(key, "endif") {
		return "", "", fmt.Errorf("%.80q has no meaning in a list: if, endif and !/pattern/ ask twice; write one pattern that says it", s)
	}
	if letter(bracket) {
		return "", "", fmt.Errorf("%.80q is no /pattern/", s)
	}
	end := 1
	for ; end < len(s) && s[end] != bracket; end++ {
		if s[end] == '\\' {
			end++
		}
	}
	if end >= len(s) {
		return "", "", fmt.Errorf("%.80q has no %c at its end", s, bracket)
	}
	if pattern = s[1:end]; pattern == "" {
		return "", "", fmt.Errorf("%.80q is an empty pattern: it would match everything", s)
	}
	if bracket == '/' {
		pattern = strings.ReplaceAll(pattern, `\/`, "/")
	}
	flags, value := cut(s[end+1:])
	set, err := goFlags(f, flags)
	if err != nil {
		return "", "", fmt.Errorf("%w in %.80q", err, s)
	}
	return set + pattern, value, nil
}

func letter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80
}

// goFlags are the flags of a table's pattern in our form.
func goFlags(f Format, flags string) (string, error) {
	on := map[rune]bool{'i': f == Postfix, 's': f == Postfix}
	for _, c := range flags {
		switch c {
		case 'i', 's', 'm':
			on[c] = f == Rspamd || !on[c]
		case 'u':
		case 'x':
			return "", errors.New("the flag x is not taken: write the pattern without the white space and the remarks")
		default:
			return "", fmt.Errorf("the flag %c is not known", c)
		}
	}
	set := ""
	for _, c := range "ims" {
		if on[c] {
			set += string(c)
		}
	}
	if set == "" {
		return "", nil
	}
	return "(?" + set + ")", nil
}
