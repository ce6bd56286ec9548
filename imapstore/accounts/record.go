package accounts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"weak"

	"github.com/forepost/forepost/relay/journal"
)

// The kinds of records. There are few of them, so they are JSON: an operator in
// need can read them.
const (
	kindAccount = journal.KindUsers + iota // an account, whole
	kindRemoved                            // the name of one that went
	kindSecret                             // what the salts of names that nobody has are made of
)

var _ journal.Owner = (*Book)(nil)

func encodeAccount(a *Account) []byte {
	b, err := json.Marshal(a)
	if err != nil { // an Account has nothing that JSON cannot say
		panic("accounts: " + err.Error())
	}
	return b
}

type removed struct{ Name string }

func encodeRemoved(name string) []byte {
	b, err := json.Marshal(removed{name})
	if err != nil {
		panic("accounts: " + err.Error())
	}
	return b
}

// Replay takes a record while the journal recovers.
func (b *Book) Replay(k journal.Kind, data []byte) error {
	var err error
	switch k {
	case kindAccount:
		var a Account
		if err = json.Unmarshal(data, &a); err == nil {
			a.Config = false
			b.know(a)
		}
	case kindRemoved:
		var r removed
		if err = json.Unmarshal(data, &r); err == nil {
			b.forget(r.Name)
		}
	case kindSecret:
		b.mu.Lock()
		b.secret = bytes.Clone(data)
		b.mu.Unlock()
	default:
		err = fmt.Errorf("the unknown kind %d; was the journal written by a newer forepost?", k)
	}
	if err != nil {
		return fmt.Errorf("accounts: a record cannot be read: %w", err)
	}
	return nil
}

// Rewrite says again what an account is, if there is one. That one went need
// not be said again: what it was lies before it.
func (b *Book) Rewrite(k journal.Kind, data []byte, batch *journal.Batch) error {
	switch k {
	case kindSecret: // there is one record of it
		batch.Add(kindSecret, bytes.Clone(data))
		return nil
	case kindRemoved:
		return nil
	}
	var a Account
	if err := json.Unmarshal(data, &a); err != nil {
		return fmt.Errorf("accounts: a record cannot be read: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.kept[a.Name]
	if now == nil || b.saidIn(batch)[a.Name] == now {
		return nil
	}
	// Only the newest record is said again, or each change of an account would be
	// kept for ever as a copy of the last. It is known by its octets, or by coming
	// out the same when both are written anew: an older version may have written it.
	if present := encodeAccount(now); bytes.Equal(present, data) || bytes.Equal(present, encodeAccount(&a)) {
		batch.Add(kindAccount, present)
		b.said[a.Name] = now
	}
	return nil
}

// saidIn is what a batch says already, since one is asked about many records. The
// caller holds mu.
func (b *Book) saidIn(batch *journal.Batch) map[string]*Account {
	if w := weak.Make(batch); b.saying != w {
		b.saying, b.said = w, map[string]*Account{}
	}
	return b.said
}
