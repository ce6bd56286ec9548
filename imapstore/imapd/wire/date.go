package wire

import (
	"strings"
	"time"
)

// Layouts of RFC 9051 section 9: date-time and date.
const (
	dateTimeLayout = "_2-Jan-2006 15:04:05 -0700"
	dateLayout     = "2-Jan-2006"
)

// DateTime reads a quoted date-time.
func (d *Decoder) DateTime() time.Time {
	s := d.quoted()
	if d.err != nil {
		return time.Time{}
	}
	t, err := time.Parse(dateTimeLayout, s)
	if err != nil {
		t, err = time.Parse("02-Jan-2006 15:04:05 -0700", s)
	}
	if err != nil {
		d.Bad("%q is no date and time such as \"17-Jul-1996 02:44:25 -0700\"", s)
	}
	return t
}

// Date reads a date, quoted or not.
func (d *Decoder) Date() time.Time {
	s := d.AString()
	if d.err != nil {
		return time.Time{}
	}
	t, err := time.Parse(dateLayout, strings.TrimSpace(s))
	if err != nil {
		d.Bad("%q is no date such as 1-Feb-1994", s)
	}
	return t
}

// FormatDateTime writes INTERNALDATE, with its quotes.
func FormatDateTime(t time.Time) string {
	return `"` + t.Format(dateTimeLayout) + `"`
}
