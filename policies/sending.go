package policies

import (
	"strings"

	"github.com/forepost/forepost/policies/internal/expr"
)

// Sending is how much somebody who logs in may send in a time. A Rate with a Max
// of 0 is not given, one below says "none".
type Sending struct {
	Messages, Recipients, Bytes Rate
}

// sending reads the attributes of it.
func (b *body) sending() Sending {
	return Sending{b.sendRate("send_messages"), b.sendRate("send_recipients"), b.sendRate("send_bytes")}
}

func (b *body) sendRate(name string) Rate {
	s := b.text(name, "")
	if s == "" {
		return Rate{}
	}
	r, ok := ParseRate(s)
	if !ok {
		b.bad(name, "\""+s+"\" is no rate.", "Write \"300/1h\" for 300 in an hour, \"500MiB/1d\" for octets, or \"none\" for no limit.")
	}
	return r
}

// ParseRate reads "300/1h", "500MiB/1d", or "none", whose Max is -1.
func ParseRate(s string) (Rate, bool) {
	if s == "none" {
		return Rate{Max: -1}, true
	}
	num, per, _ := strings.Cut(s, "/")
	n, err1 := expr.ParseSize(num)
	d, err2 := expr.ParseDuration(per)
	if err1 != nil || err2 != nil || n <= 0 || d <= 0 {
		return Rate{}, false
	}
	return Rate{n, d}, true
}
