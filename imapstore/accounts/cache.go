package accounts

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

// A client of IMAP logs in over and over. recent remembers, for a while, which
// passwords were right, under a key that never leaves the process; the stored
// hash is part of it, so that a changed password is forgotten at once.
type recent struct {
	key []byte
	ttl time.Duration
	max int

	mu    sync.Mutex
	until map[[sha256.Size]byte]time.Time
}

func newRecent(ttl time.Duration, max int) *recent {
	r := &recent{key: make([]byte, 32), ttl: ttl, max: max, until: map[[sha256.Size]byte]time.Time{}}
	rand.Read(r.key)
	return r
}

func (r *recent) sum(phc, password string) (s [sha256.Size]byte) {
	h := hmac.New(sha256.New, r.key)
	h.Write([]byte(phc)) // has no NUL
	h.Write([]byte{0})
	h.Write([]byte(password))
	h.Sum(s[:0])
	return s
}

// has tells whether the password was right not long ago.
func (r *recent) has(phc, password string, now time.Time) bool {
	s := r.sum(phc, password)
	r.mu.Lock()
	defer r.mu.Unlock()
	until, ok := r.until[s]
	if ok && now.After(until) {
		delete(r.until, s)
		return false
	}
	return ok
}

// add notes that the password was right.
func (r *recent) add(phc, password string, now time.Time) {
	s := r.sum(phc, password)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.until) >= r.max {
		r.sweep(now)
	}
	r.until[s] = now.Add(r.ttl)
}

// sweep makes room: what is over goes, and if that is nothing, all does.
func (r *recent) sweep(now time.Time) {
	for k, until := range r.until {
		if now.After(until) {
			delete(r.until, k)
		}
	}
	if len(r.until) >= r.max {
		clear(r.until)
	}
}
