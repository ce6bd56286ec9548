package queue

import (
	"strings"

	"github.com/forepost/forepost/relay/mail"
)

// The window of a line is how many jobs it may have under way now, between one and
// the hop's limit. It begins small, doubles with each round that goes well until the
// destination says for the first time that it is too much, is halved then, and grows
// by one a round from there on: additive increase, multiplicative decrease, which is
// how many senders find their share of a receiver that tells them no more than that.

// firstWindow is what is tried on a destination that nothing is known of.
const firstWindow = 5

// room is how many jobs the line may have under way.
func (l *line) room() int { return max(1, min(l.limit, l.window)) }

// widen follows a job that went well. What was not used up is no proof that more
// would do.
func (l *line) widen(j *job) {
	if j.serial > l.topped || l.window >= l.limit {
		return
	}
	if l.gained++; l.cut == 0 || l.gained >= l.window {
		l.gained = 0
		l.window++
	}
}

// narrow follows a job that was too much for the destination; now counts events.
// False: there was but one under way, and even that was too much.
func (l *line) narrow(j *job, now uint64) bool {
	if j.serial < l.cut {
		return true // of the same round as the one before, which counted for all
	}
	if l.window <= 1 {
		return false
	}
	l.window, l.gained, l.cut = max(1, min(l.window, l.active+1)/2), 0, now+1
	return true
}

// tooMany tells of a server's deferral whether it is about us and not about the
// message: too many connections or messages, too fast, about to close (421, RFC 5321
// section 4.2.1), congested (RFC 3463: X.4.5, X.3.2). What has no code of its own is
// known by the words that large receivers use.
func tooMany(r mail.Reply) bool {
	switch {
	case r.Class != mail.Transient:
		return false
	case r.Code() == 421, r.Subject == [2]int{4, 5}, r.Subject == [2]int{3, 2}:
		return true
	case r.Subject[0] == 5 && r.Subject[1] == 3, r.Subject[0] == 2: // too many recipients, which is about the message; a full mailbox
		return false
	}
	return saysOne(r.Text, "too many connection", "too many concurrent", "too many session", "too many message", "too much mail", "too fast",
		"rate limit", "rate-limit", "ratelimit", "rate of", "throttl", "connection limit", "concurrency", "slow down", "unexpected volume")
}

// greylisted tells of a server's deferral whether the same message is taken when it
// comes back: RFC 6647. There is no code for it: 4.7.1 and 4.7.0 with words about
// the time are as good as the word itself.
func greylisted(r mail.Reply) bool {
	if r.Class != mail.Transient || tooMany(r) {
		return false
	}
	if saysOne(r.Text, "greylist", "graylist", "grey list", "gray list", "grey-list", "gray-list") {
		return true
	}
	return r.Subject[0] == 7 && (r.Subject[1] == 0 || r.Subject[1] == 1) &&
		saysOne(r.Text, "try again", "try later", "retry", "come back", "minutes", "seconds")
}

func saysOne(text string, words ...string) bool {
	text = strings.ToLower(text)
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}
