package accounts

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"

	"github.com/forepost/forepost/relay/journal"
)

// scramIterations is above the 4096 that RFC 7677 section 4 asks for at least.
const scramIterations = 10_000

// newSCRAM makes the keys of a prepared password, RFC 5802 section 3.
func newSCRAM(password string) SCRAM {
	s := SCRAM{Iterations: scramIterations, Salt: make([]byte, 16)}
	rand.Read(s.Salt)
	salted, err := pbkdf2.Key(sha256.New, password, s.Salt, s.Iterations, sha256.Size)
	if err != nil {
		return SCRAM{} // a mode of the library that forbids it: no SCRAM then
	}
	stored := sha256.Sum256(mac(salted, "Client Key"))
	s.StoredKey, s.ServerKey = stored[:], mac(salted, "Server Key")
	return s
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// SCRAM tells whether SCRAM may be offered: every account with a password has
// keys. An account of the configuration that gives a hash has none, and a client
// that chose SCRAM would never get in.
func (b *Book) SCRAM() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, a := range b.all() {
		if a.Password != "" && a.SCRAM.Iterations == 0 {
			return false
		}
	}
	return true
}

// Keys are the SCRAM keys of a name or alias. A name that nobody has, or that has
// no password, gets keys that look like anybody's, the same ones for ever, so
// that nobody learns who has an account (RFC 5802 section 9).
func (b *Book) Keys(ctx context.Context, user string) (SCRAM, error) {
	name := Normal(user)
	secret, err := b.secretOf(ctx)
	if err != nil {
		return SCRAM{}, err
	}
	keys := pretended(secret, name) // made for every name: it takes the same time
	b.mu.RLock()
	defer b.mu.RUnlock()
	if a := b.find(name); a != nil && a.SCRAM.Iterations > 0 {
		return a.SCRAM, nil
	}
	return keys, nil
}

// Proved ends an exchange of SCRAM: whose name it was, if the proof was right and
// the account may log in; else ErrCredentials.
func (b *Book) Proved(user string, right bool) (Account, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	a := b.find(Normal(user))
	if a == nil || !right || a.Disabled || a.SCRAM.Iterations == 0 {
		return Account{}, ErrCredentials
	}
	return *a, nil
}

func pretended(secret []byte, name string) SCRAM {
	return SCRAM{Iterations: scramIterations, Salt: mac(secret, "salt "+name)[:16],
		StoredKey: mac(secret, "stored "+name), ServerKey: mac(secret, "server "+name)}
}

// secretOf is kept in the journal: with another one after each start, whoever
// asks twice would see which salts are pretended.
func (b *Book) secretOf(ctx context.Context) ([]byte, error) {
	b.mu.RLock()
	secret := b.secret
	b.mu.RUnlock()
	if secret != nil {
		return secret, nil
	}
	b.one.Lock()
	defer b.one.Unlock()
	if b.mu.RLock(); b.secret != nil { // somebody was quicker
		defer b.mu.RUnlock()
		return b.secret, nil
	}
	b.mu.RUnlock()
	secret = make([]byte, 32)
	rand.Read(secret)
	var batch journal.Batch
	batch.Add(kindSecret, secret)
	batch.Then(func() {
		b.mu.Lock()
		b.secret = secret
		b.mu.Unlock()
	})
	return secret, b.j.Commit(context.WithoutCancel(ctx), &batch)
}
