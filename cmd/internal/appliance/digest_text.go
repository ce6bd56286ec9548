package appliance

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// digestText is the text of a digest. Times are in the zone of loc.
func (a *Appliance) digestText(d *digestOf, loc *time.Location) []byte {
	s := a.live().settings
	var may, not, b bytes.Buffer
	left := 0
	for i, k := range d.list {
		if i >= digestMost {
			left = len(d.list) - digestMost
			break
		}
		why, harmless := a.whyKept(k)
		w := &may
		if !harmless {
			w = &not
		}
		digestItem(w, k, why, loc)
	}
	fmt.Fprintf(&b, "Mail to %s was put into quarantine by %s, and not delivered. This is what is new:\r\n", d.to, s.Hostname)
	post := postmasterOf(s)
	if may.Len() > 0 {
		fmt.Fprintf(&b, "%s\r\nIf one of them is wanted, ask %s, and quote its ID. The others need nothing.\r\n"+
			"(What the postmaster does: forepost quarantine release ID)\r\n", may.Bytes(), post)
	}
	if not.Len() > 0 {
		fmt.Fprintf(&b, "\r\nThese may do harm, and are not let go:\r\n%s", not.Bytes())
	}
	if left > 0 {
		fmt.Fprintf(&b, "\r\nThere are %d more; %s can list them.\r\n", left, post)
	}
	return b.Bytes()
}

func digestItem(b *bytes.Buffer, k kept, why string, loc *time.Location) {
	fmt.Fprintf(b, "\r\nFrom:     <%s>\r\n", plainText(k.info.From))
	if s := plainText(k.info.Subject); s != "" {
		fmt.Fprintf(b, "Subject:  %s\r\n", s)
	}
	fmt.Fprintf(b, "Why:      %s\r\nCame:     %s\r\n", why, k.info.Since.In(loc).Format("2006-01-02 15:04"))
	if !k.info.Until.IsZero() {
		fmt.Fprintf(b, "Kept:     until %s\r\n", k.info.Until.In(loc).Format("2006-01-02 15:04"))
	}
	fmt.Fprintf(b, "ID:       %s\r\n", k.info.ID)
}

// whyKept is the reason in words, and whether the message may be let go: it may
// not where a rule about malware kept it, nor where it is not known any more what
// the rule was about.
func (a *Appliance) whyKept(k kept) (why string, harmless bool) {
	rule := a.ruleOf(k)
	class, ok := a.live().policies.Class(rule)
	if !ok {
		return "the rule that kept it is no longer there, so that nobody can say that it is harmless", false
	}
	if strings.Contains(rule, ".thresholds.") {
		return "it looks like spam: score " + a.record(k.info.ID).Points, true
	}
	parts := strings.SplitN(rule, ".", 4)
	why = "the rule \"" + parts[len(parts)-1] + "\""
	if class != "" {
		why += " (" + class + ")"
	}
	return why, class != protected
}

// plainText is text from outside without what could deceive a reader: no controls,
// no marks that turn the direction of writing, one line of a bounded length.
func plainText(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r', unicode.In(r, unicode.Zl, unicode.Zp):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if rs := []rune(s); len(rs) > 200 {
		s = string(rs[:200]) + "..."
	}
	return s
}
