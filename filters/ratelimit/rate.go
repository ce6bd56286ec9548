package ratelimit

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Rate is so many in a time.
type Rate struct {
	Max  int64
	Per  time.Duration
	text string
}

// String is the rate as it was written.
func (r Rate) String() string { return r.text }

// ParseRate reads "300/1h", "20/m", "5000/7d".
func ParseRate(text string) (Rate, error) {
	bad := func(why string) (Rate, error) {
		return Rate{}, fmt.Errorf("the rate %q %s; write a number, a slash and a time, as in \"300/1h\"", text, why)
	}
	num, per, ok := strings.Cut(strings.ReplaceAll(text, " ", ""), "/")
	if !ok {
		return bad("has no slash")
	}
	n, err := strconv.ParseInt(num, 10, 64)
	if err != nil || n <= 0 {
		return bad("does not begin with a number above 0")
	}
	d, ok := parseTime(per)
	if !ok {
		return bad("does not end in a time above 0")
	}
	return Rate{Max: n, Per: d, text: num + "/" + per}, nil
}

// parseTime reads a duration as Go writes it, and days (d) and weeks (w); a
// unit alone is one of it.
func parseTime(s string) (time.Duration, bool) {
	if s != "" && (s[0] < '0' || s[0] > '9') {
		s = "1" + s
	}
	unit := time.Duration(0)
	switch {
	case strings.HasSuffix(s, "d"):
		unit = 24 * time.Hour
	case strings.HasSuffix(s, "w"):
		unit = 7 * 24 * time.Hour
	}
	if unit == 0 {
		d, err := time.ParseDuration(s)
		return d, err == nil && d > 0
	}
	n, err := strconv.ParseInt(s[:len(s)-1], 10, 32)
	if err != nil || n <= 0 || n > 10000 {
		return 0, false
	}
	return time.Duration(n) * unit, true
}
