package inbound

import "strings"

// priorityParam takes MT-PRIORITY (RFC 6710 section 4) out of the parameters of MAIL:
// go-smtp knows it on RCPT only, where it does not belong. ok is false where its value
// is none of -9 to 9, or it is there twice.
func priorityParam(params string) (p int8, others string, ok bool) {
	value, times := param(params, "MT-PRIORITY")
	if times == 0 {
		return 0, params, true
	}
	digit := strings.TrimPrefix(value, "-")
	if times > 1 || len(digit) != 1 || digit[0] < '0' || digit[0] > '9' || value == "-0" {
		return 0, params, false
	}
	if p = int8(digit[0] - '0'); digit != value {
		p = -p
	}
	for f := range strings.FieldsSeq(params) {
		if name, _, _ := strings.Cut(f, "="); !strings.EqualFold(name, "MT-PRIORITY") {
			others += " " + f
		}
	}
	return p, others, true
}

// grant is what a message gets of what its client asks for. To go before others
// is for those whom we know; to go behind them anybody may ask.
func (s *session) grant(asked int8) int8 {
	if s.ps.Trusted || s.ps.Auth.User != "" {
		return asked
	}
	return min(asked, 0)
}

func (s *session) priority() int8 {
	if s.tx == nil {
		return 0
	}
	return s.tx.env.Priority
}

// mailTaken is our reply to MAIL; of a priority that was not granted it tells as RFC
// 6710 has it: 2.3.6, then the priority, then words.
func (w *wire) mailTaken() {
	if w.talk.priority() != w.priority {
		w.counted(250, "2.3.6", "0 is the priority of the message: a higher one is for clients that are known")
		return
	}
	w.fine("250 2.1.0 Sender OK")
}
