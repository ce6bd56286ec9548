package pop3pickup

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/journal"
)

// command is one command of POP3.
type command struct {
	in  state // where it is known
	arg bool  // it takes arguments
	run func(ss *session, arg string)
}

// commands is set in init, since CAPA looks at it in its way.
var commands map[string]command

func init() {
	commands = map[string]command{
		"CAPA": {authorization | transaction, false, (*session).capa},
		"QUIT": {authorization | transaction, false, (*session).quit},
		"STLS": {authorization, false, (*session).stls},
		"USER": {authorization, true, (*session).userCommand},
		"PASS": {authorization, true, (*session).pass},
		"AUTH": {authorization, true, (*session).auth},
		"STAT": {transaction, false, (*session).stat},
		"LIST": {transaction, true, (*session).list},
		"UIDL": {transaction, true, (*session).uidl},
		"RETR": {transaction, true, (*session).retr},
		"TOP":  {transaction, true, (*session).top},
		"DELE": {transaction, true, (*session).dele},
		"RSET": {transaction, false, (*session).rset},
		"NOOP": {transaction, false, (*session).noop},
	}
}

func (ss *session) stat(string) { ss.ok("%d %d", ss.drop.count, ss.drop.size) }

func (ss *session) noop(string) { ss.ok("still here") }

func (ss *session) rset(string) {
	ss.drop.reset()
	ss.ok("maildrop has %d messages (%d octets)", ss.drop.count, ss.drop.size)
}

func (ss *session) list(arg string) {
	ss.listing(arg, func(n uint64, e *imapstore.Entry) string {
		return strconv.FormatUint(n, 10) + " " + strconv.FormatInt(e.Size, 10)
	})
}

func (ss *session) uidl(arg string) {
	ss.listing(arg, func(n uint64, e *imapstore.Entry) string { return strconv.FormatUint(n, 10) + " " + e.UIDL })
}

// listing answers for one message, or for all that are not deleted.
func (ss *session) listing(arg string, show func(n uint64, e *imapstore.Entry) string) {
	if arg = strings.TrimSpace(arg); arg != "" {
		if n, e, ok := ss.message(arg); ok {
			ss.ok("%s", show(n, e))
		}
		return
	}
	ss.ok("%d messages (%d octets)", ss.drop.count, ss.drop.size)
	for i := range ss.drop.msgs {
		n := uint64(i + 1)
		if e, ok := ss.drop.get(n); ok {
			ss.line("%s", show(n, e))
		}
	}
	ss.endLines()
}

// message finds the message that a client names by number, or says that there
// is none.
func (ss *session) message(arg string) (uint64, *imapstore.Entry, bool) {
	n, ok := number(arg)
	if !ok {
		ss.fail("", "A message number is needed")
		return 0, nil, false
	}
	e, ok := ss.drop.get(n)
	if !ok {
		ss.fail("", "There is no such message")
	}
	return n, e, ok
}

// number reads digits; what is too large to be counted is the largest number.
func number(s string) (uint64, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil || errors.Is(err, strconv.ErrRange)
}

func (ss *session) retr(arg string) {
	n, e, ok := ss.message(strings.TrimSpace(arg))
	if !ok {
		return
	}
	ss.send(e, func(r io.Reader) io.Reader { return r }, func() bool { return true }, n)
}

// top gives the header and some lines. Clients that want a message whole and
// unseen ask for more lines than it has (fetchmail: TOP n 99999999), which counts
// as fetching it.
func (ss *session) top(arg string) {
	which, lines, _ := strings.Cut(strings.TrimSpace(arg), " ")
	count, good := number(strings.TrimSpace(lines))
	if !good {
		ss.fail("", "TOP needs a message number and a number of lines")
		return
	}
	n, e, ok := ss.message(which)
	if !ok {
		return
	}
	var t *topReader
	ss.send(e, func(r io.Reader) io.Reader { t = newTopReader(r, count); return t }, func() bool { return t.all }, n)
}

// send writes a message, or a part of it, as a multi-line response. Once +OK is
// said an error can only be told by cutting the connection: an end that looks
// right would make the client believe that it has the message.
func (ss *session) send(e *imapstore.Entry, part func(io.Reader) io.Reader, whole func() bool, n uint64) {
	r, err := e.Message.Open()
	switch {
	case errors.Is(err, journal.ErrNoBlob):
		ss.err("SYS/TEMP", "Another session has deleted the message")
		return
	case err != nil:
		ss.log.Error("pop3: a message cannot be opened", "account", ss.account, "uid", e.UID, "error", err)
		ss.err("SYS/TEMP", "The message cannot be read now, try again later")
		return
	}
	defer r.Close()
	ss.ok("%d octets", e.Size)
	d := newDotWriter(ss.w)
	count, err := io.Copy(d, part(r))
	if err == nil {
		err = d.Close()
	}
	if err != nil {
		ss.log.Warn("pop3: a message was cut short", "account", ss.account, "uid", e.UID, "error", err)
		ss.reason = "a message was cut short"
		ss.state = ended
		ss.abort()
		return
	}
	ss.octets += count
	if whole() {
		ss.fetched++
		ss.drop.seen[n-1] = true
		retrieved.WithLabelValues().Inc()
	}
}

func (ss *session) dele(arg string) {
	if n, _, ok := ss.message(strings.TrimSpace(arg)); ok {
		ss.drop.delete(n)
		ss.ok("message %d deleted", n)
	}
}

// quit ends the session, after a login by way of the UPDATE state (RFC 1939
// section 6).
func (ss *session) quit(string) {
	ss.state = ended
	if ss.drop == nil {
		ss.ok("bye")
		return
	}
	n, err := ss.drop.commit(context.Background(), ss.c.Delete, ss.c.MarkSeen)
	ss.drop.unlock() // before the reply, so that the client may come again at once
	if err != nil {
		ss.log.Error("pop3: the deletions of a session could not be kept", "account", ss.account, "error", err)
		ss.err("SYS/TEMP", "Some deleted messages were not removed")
		return
	}
	ss.deleted = n
	deleted.WithLabelValues().Add(float64(n))
	ss.ok("bye, %d messages deleted", n)
}
