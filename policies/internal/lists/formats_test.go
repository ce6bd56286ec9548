package lists

import (
	"strings"
	"testing"
)

func TestParseAs(t *testing.T) {
	for _, c := range []struct {
		format string
		typ    Type
		text   string
		want   string
	}{
		{"postfix", Address, "# access(5)\nann@a.test  REJECT no more\n\n  of you\n.b.test\tOK\nc@  OK\n\"d@e.test\" OK\r\n", "ann@a.test .b.test d@e.test"},
		{"postfix", IP, "192.0.2 REJECT\n198.51.100.0/24 OK # x\n", "192.0.2 198.51.100.0/24"},
		{"postfix", Regex, "/^ann@/ REJECT\n/x\\/y/i OK\n", "(?i)^ann@ x\\/y"},
		{"rspamd", Domain, "# map\na.test\nb.test 2.5\n", "a.test b.test"},
		{"rspamd", Regex, "/Viagra/i\nplain [a-z]\n", "(?i)Viagra plain"},
		{"lines", Word, "a b\n# c\nd\n", "a b d"},
	} {
		if got := strings.Join(ParseAs(c.format, c.typ, []byte(c.text)), " "); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.format, c.typ, got, c.want)
		}
	}
}
