package mail

import (
	"fmt"
	"strings"
)

// Class is the class of a refusal: the first digit of the basic and of the
// enhanced code at once (RFC 3463 section 2), so that a 4yz can never go out
// with a 5.y.z.
type Class uint8

// The classes of refusals.
const (
	Transient Class = 4
	Permanent Class = 5
)

// Reply is a refusal, as it is given to a client or was given by a server. The
// zero Reply says nothing.
type Reply struct {
	Class   Class
	Basic   int    // the last two digits of the basic code: 50 of 450 and 550
	Subject [2]int // subject and detail of the enhanced code: {7, 1} of 4.7.1 and 5.7.1
	Text    string // one line, or several parted by \n; no codes
}

// Refuse makes a permanent refusal.
func Refuse(basic, subject, detail int, text string) Reply {
	return Reply{Permanent, basic, [2]int{subject, detail}, text}
}

// Defer makes a transient refusal.
func Defer(basic, subject, detail int, text string) Reply {
	return Reply{Transient, basic, [2]int{subject, detail}, text}
}

// IsZero tells whether r says nothing.
func (r Reply) IsZero() bool { return r.Class == 0 }

// Code is the three-digit reply code.
func (r Reply) Code() int { return int(r.Class)*100 + r.Basic }

// Enhanced is the enhanced status code, RFC 3463.
func (r Reply) Enhanced() string {
	return fmt.Sprintf("%d.%d.%d", r.Class, r.Subject[0], r.Subject[1])
}

// String is the reply on one line, with both codes.
func (r Reply) String() string {
	if r.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d %s %s", r.Code(), r.Enhanced(), strings.ReplaceAll(r.Text, "\n", " "))
}

// Error makes a Reply an error, for interfaces that ask for one.
func (r Reply) Error() string { return r.String() }
