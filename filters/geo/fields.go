package geo

import (
	"strconv"
	"strings"
)

// record is what a database has about an address. Decoding of a path that is not
// there leaves the value alone.
type record interface {
	DecodePath(v any, path ...any) error
}

// asnOf is the number of the autonomous system, 0 where the record has none:
// autonomous_system_number in the databases of MaxMind and DB-IP, asn = "AS64496"
// in those of IPinfo.
func asnOf(r record) (uint32, error) {
	for _, name := range []string{"autonomous_system_number", "asn"} {
		var v any
		if err := r.DecodePath(&v, name); err != nil {
			return 0, err
		}
		switch v := v.(type) {
		case uint64:
			if v > 0 && v < 1<<32 {
				return uint32(v), nil
			}
		case string:
			if n, err := strconv.ParseUint(strings.TrimPrefix(strings.ToUpper(v), "AS"), 10, 32); err == nil && n > 0 {
				return uint32(n), nil
			}
		}
	}
	return 0, nil
}

// countryOf is the country of an address, "" where the record has none:
// country.iso_code in the databases of MaxMind and DB-IP, and what it is
// registered for where nobody knows where it is; country_code or country in those
// of IPinfo, where country may be the English name as well.
func countryOf(r record) (string, error) {
	for _, name := range []string{"country_code", "country", "registered_country"} {
		var v any
		if err := r.DecodePath(&v, name); err != nil {
			return "", err
		}
		if m, ok := v.(map[string]any); ok {
			v = m["iso_code"]
		}
		if code, ok := v.(string); ok && isCode(code) {
			return strings.ToUpper(code), nil
		}
	}
	return "", nil
}

// isCode tells codes of ISO 3166 (alpha-2) from names of countries.
func isCode(s string) bool {
	letter := func(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
	return len(s) == 2 && letter(s[0]) && letter(s[1])
}
