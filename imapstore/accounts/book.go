package accounts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"weak"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
)

// Options of New. The zero value is usable.
type Options struct {
	Now func() time.Time
	Log *slog.Logger
	// Checks is how many passwords are checked at a time, of 19 MiB each; the others
	// wait. Default: twice the number of processors.
	Checks int
	// Remember is how long a password that was right need not be hashed again;
	// default 10 minutes, negative for not at all.
	Remember time.Duration
}

// maxRemembered bounds the passwords that are remembered.
const maxRemembered = 10_000

// ErrConfigured is what Add, SetPassword, Disable and Remove say of an account
// that stands in the configuration.
var ErrConfigured = errors.New("accounts: the account stands in the configuration; change it there and reload")

// Book is the accounts of the journal and of the configuration. It is made
// before the journal recovers and used after.
type Book struct {
	j      *journal.Journal
	o      Options
	slots  chan struct{} // a check of a password takes one
	recent *recent
	dummy  hash       // is checked for names that nobody has
	one    sync.Mutex // one change at a time

	mu      sync.RWMutex
	kept    map[string]*Account // of the journal, by name
	config  map[string]*Account
	aliases map[string]string // address key to name, of both
	saying  weak.Pointer[journal.Batch]
	said    map[string]*Account // what Rewrite has put into saying
	secret  []byte              // makes the salts of names that nobody has
}

var _ Directory = (*Book)(nil)

// New makes a book over j and takes its kinds of records. j.Recover comes next.
func New(j *journal.Journal, o Options) *Book {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Checks = cmp.Or(max(o.Checks, 0), 2*runtime.GOMAXPROCS(0))
	o.Remember = cmp.Or(o.Remember, 10*time.Minute)
	b := &Book{j: j, o: o, slots: make(chan struct{}, o.Checks), recent: newRecent(o.Remember, maxRemembered),
		dummy: hash{cost: usual, salt: make([]byte, 16), key: make([]byte, 32)},
		kept:  map[string]*Account{}, config: map[string]*Account{}, aliases: map[string]string{}}
	j.Register(b, kindAccount, kindRemoved, kindSecret)
	return b
}

// Normal is the form in which names are kept: lower case, the domain in
// A-labels where the name is an address.
func Normal(name string) string {
	if a, err := mail.ParseAddress(name, true); err == nil && !a.IsNull() {
		return a.Key()
	}
	return strings.ToLower(name)
}

// Configure replaces the accounts of the configuration, as a reload does. Their
// passwords are argon2id hashes, or plain ones, which are hashed here (some 30 ms
// each). An error names what is wrong with an account, and changes nothing.
func (b *Book) Configure(as []Account) error {
	config := make(map[string]*Account, len(as))
	for _, a := range as {
		a.Name, a.Config = Normal(a.Name), true
		switch {
		case a.Name == "":
			return errors.New("accounts: an account of the configuration has no name")
		case config[a.Name] != nil:
			return fmt.Errorf("accounts: %s stands in the configuration twice", a.Name)
		}
		if err := a.readPassword(); err != nil {
			return fmt.Errorf("%w; the account is %s", err, a.Name)
		}
		config[a.Name] = &a
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for name := range config {
		if b.kept[name] != nil {
			b.o.Log.Warn("accounts: an account stands in the configuration and was added as well; the configuration counts", "account", name)
		}
	}
	b.config = config
	b.index()
	return nil
}

// readPassword checks the hash of an account of the configuration, or hashes
// the plain password that a secret gave.
func (a *Account) readPassword() error {
	if strings.HasPrefix(a.Password, "$argon2") {
		return CheckHash(a.Password)
	}
	return a.setPassword(a.Password)
}

// index makes the table of aliases anew. Where two accounts want one address,
// the configuration counts, then the name that sorts first. The caller holds mu.
func (b *Book) index() {
	b.aliases = map[string]string{}
	for _, a := range b.all() {
		for _, alias := range a.Aliases {
			if _, taken := b.aliases[alias.Key()]; !taken {
				b.aliases[alias.Key()] = a.Name
			}
		}
	}
}

// all are the accounts that count, those of the configuration first, in order.
func (b *Book) all() []*Account {
	var as []*Account
	for _, a := range b.config {
		as = append(as, a)
	}
	for name, a := range b.kept {
		if b.config[name] == nil {
			as = append(as, a)
		}
	}
	slices.SortFunc(as, func(x, y *Account) int {
		if x.Config != y.Config {
			if x.Config {
				return -1
			}
			return 1
		}
		return strings.Compare(x.Name, y.Name)
	})
	return as
}

// find looks a normal name or an alias up. The caller holds mu.
func (b *Book) find(name string) *Account {
	for _, n := range []string{name, b.aliases[name]} {
		if a := cmp.Or(b.config[n], b.kept[n]); a != nil {
			return a
		}
	}
	return nil
}

// Lookup finds the account that an address belongs to: its main address or an
// alias; ErrUnknown. A disabled account is found, too: its mail is still taken.
func (b *Book) Lookup(a mail.Address) (Account, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if acc := b.find(a.Key()); acc != nil && !a.IsNull() {
		return *acc, nil
	}
	return Account{}, ErrUnknown
}

// List is all accounts, in order of their names.
func (b *Book) List() []Account {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var as []Account
	for _, a := range b.all() {
		as = append(as, *a)
	}
	slices.SortFunc(as, func(x, y Account) int { return strings.Compare(x.Name, y.Name) })
	return as
}

// Authenticate checks a name and a password. A name that nobody has, an account
// without a password or a disabled one costs the same check; the answer is
// ErrCredentials for all of them.
func (b *Book) Authenticate(ctx context.Context, user, password string) (Account, error) {
	b.mu.RLock()
	var acc Account
	if a := b.find(Normal(user)); a != nil {
		acc = *a
	}
	b.mu.RUnlock()
	good := acc.Name != "" && !acc.Disabled && password != "" && len(password) <= maxPassword
	password = prepare(password[:min(len(password), maxPassword)])
	now := b.o.Now()
	if good && b.o.Remember > 0 && b.recent.has(acc.Password, password, now) {
		return acc, nil
	}
	h, err := parseHash(acc.Password)
	if err != nil {
		h, good = b.dummy, false
	}
	right, err := b.check(ctx, h, password)
	switch {
	case err != nil:
		return Account{}, err
	case !right || !good:
		return Account{}, ErrCredentials
	}
	if b.o.Remember > 0 {
		b.recent.add(acc.Password, password, now)
	}
	return acc, nil
}

// check compares once there is memory for it.
func (b *Book) check(ctx context.Context, h hash, password string) (bool, error) {
	select {
	case b.slots <- struct{}{}:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	defer func() { <-b.slots }()
	return h.matches(password), nil
}
