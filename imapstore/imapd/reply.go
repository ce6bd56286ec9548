package imapd

import (
	"errors"

	"github.com/forepost/forepost/imapstore"
)

// reply is what a tagged response says (RFC 9051 section 7.1).
type reply struct {
	status string // OK, NO, BAD
	code   string // a response code without its brackets, or ""
	text   string
}

func done(text string) reply { return reply{"OK", "", text} }

func doneCode(code, text string) reply { return reply{"OK", code, text} }

func no(code, text string) reply { return reply{"NO", code, text} }

func bad(text string) reply { return reply{"BAD", "", text} }

// syntax stands for whatever the decoder has to say.
func syntax() reply { return reply{"BAD", "", "Syntax"} }

func bracket(code string) string {
	if code == "" {
		return ""
	}
	return "[" + code + "] "
}

// refusal turns an error of the store into a reply; what nobody foresaw goes
// to the log, and the client hears the session's ID to ask with.
func (s *session) refusal(err error) reply {
	switch {
	case errors.Is(err, imapstore.ErrNoMailbox):
		return no("NONEXISTENT", "There is no such mailbox")
	case errors.Is(err, imapstore.ErrExists):
		return no("ALREADYEXISTS", "The mailbox exists already")
	case errors.Is(err, imapstore.ErrName):
		return no("CANNOT", "That is not a mailbox name that can be used")
	case errors.Is(err, imapstore.ErrQuota):
		return no("OVERQUOTA", "The account is over its quota")
	case errors.Is(err, imapstore.ErrGone):
		return no("EXPUNGEISSUED", "Some of the messages no longer exist")
	case errors.Is(err, errUnknownCTE):
		return no("UNKNOWN-CTE", "A part has a transfer encoding that cannot be undone")
	}
	s.log.Error("imap: the store failed", "user", s.user, "err", err)
	return no("SERVERBUG", "Internal error; the log has it under "+string(s.id))
}

var errUnknownCTE = errors.New("imap: unknown transfer encoding")

// orTryCreate is refusal for a target mailbox (RFC 9051 sections 6.3.12, 6.4.7).
func (s *session) orTryCreate(err error) reply {
	if errors.Is(err, imapstore.ErrNoMailbox) {
		return no("TRYCREATE", "There is no such mailbox; create it first")
	}
	return s.refusal(err)
}
