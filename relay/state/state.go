// Package state is the memory that filters share: counters of limits, the
// greylist, later reputation and bans. One contract, two keepers: embedded (in
// a journal, survives a restart) and Redis (shared by several nodes).
package state

import (
	"context"
	"errors"
	"time"
)

// ErrAway is what a Store says that cannot be reached; the caller fails open or
// closed as its operator chose.
var ErrAway = errors.New("state: the keeper cannot be reached")

// Window is one limit to count against: at most Max in Per, with Burst allowed
// at once (0: Max). It is kept as a GCRA cell.
type Window struct {
	Key   string // whole: instance, what is counted and for whom
	Max   int64
	Per   time.Duration
	Burst int64
}

// Taken is what became of a Take.
type Taken struct {
	OK    bool          // all windows had room, and were charged
	Over  int           // the index of the first window without room, -1 for none
	Count int64         // of the window Over, or else of the fullest: how many of its Max are in use, what was asked for included
	Wait  time.Duration // how long until it would be OK
}

// Seen is what a greylist knows of a key.
type Seen struct {
	First time.Time // when it was first seen: now, for a new one
	Last  time.Time // when it was last seen, before this time; zero for a new one
	Count int64     // how often, this time included
}

// Store is the contract. It is safe for concurrent use; all keys of one call
// go in one round trip. Time is the keeper's own clock (an argument at its
// making).
type Store interface {
	// Take charges n to all windows or, if one has no room, to none.
	Take(ctx context.Context, n int64, windows ...Window) (Taken, error)

	// Return gives n back to the windows, for what was taken and then came to nothing.
	Return(ctx context.Context, n int64, windows ...Window) error

	// See notes that key was seen and keeps it for keep from now on.
	See(ctx context.Context, key string, keep time.Duration) (Seen, error)

	// Get and Put keep a small value for a time. Get of an unknown key is "", nil.
	Get(ctx context.Context, key string) (string, error)
	Put(ctx context.Context, key, value string, keep time.Duration) error

	// Delete forgets a key of See or Put.
	Delete(ctx context.Context, key string) error

	Close() error
}

// Lister is a Store that can be asked what it keeps. Embedded, Redis and Fallback
// are.
type Lister interface {
	// List gives what Put keeps under keys that begin so, in no order. It looks at
	// every key there is: for an operator's question, not for a message.
	List(ctx context.Context, prefix string) ([]Kept, error)
}

// Kept is a value of Put.
type Kept struct{ Key, Value string }
