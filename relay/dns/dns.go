// Package dns asks the DNS for the rest of the house: a resolver with a cache,
// one that answers from a zone file, and a budget of work that a transaction
// carries in its context. DNS is an argument everywhere: no room asks the
// system's resolver behind the operator's back.
package dns

import (
	"context"
	"errors"
	"fmt"
	"time"

	mdns "github.com/miekg/dns"
)

// Resolver answers one question. It is safe for concurrent use, follows CNAMEs
// of the answer and keeps to the deadline of ctx.
type Resolver interface {
	// Query asks for the records of a type (miekg/dns Type constants) at a name,
	// with or without a final dot. An answer without records is an *Error with
	// NotFound.
	Query(ctx context.Context, name string, qtype uint16) (Answer, error)
}

// Answer is what the DNS said.
type Answer struct {
	RRs       []mdns.RR // of the type asked for, in the order of the answer; shared: not to be changed
	Authentic bool      // the AD bit, from a resolver that is trusted to validate
	TTL       time.Duration
}

// Kind is why there is no answer.
type Kind uint8

// The kinds of failure.
const (
	NXDomain  Kind = iota + 1 // the name does not exist
	NoData                    // the name exists, without records of the type
	Temporary                 // timeout, SERVFAIL, REFUSED, lame: could not tell
	Bogus                     // validation failed
	Budget                    // the transaction's budget of questions is used up
	BadName                   // not a name that can be asked for
)

// Error is a question without an answer.
type Error struct {
	Kind    Kind
	Name    string
	Type    uint16
	Text    string        // what happened, for people
	TTL     time.Duration // how long "there is nothing" may be believed, RFC 2308
	Timeout bool          // of Temporary: nobody answered in time
}

func (e *Error) Error() string {
	return fmt.Sprintf("dns: %s %s: %s", e.Name, mdns.TypeToString[e.Type], e.Text)
}

// IsNotFound tells whether err says for certain that there is nothing.
func IsNotFound(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Kind == NXDomain || e.Kind == NoData || e.Kind == BadName)
}

// IsTemporary tells whether asking again later may help.
func IsTemporary(err error) bool { return err != nil && !IsNotFound(err) }
