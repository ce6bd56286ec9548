package accounts

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/journal/journaltest"
	"github.com/forepost/forepost/relay/mail"
)

type opened struct {
	t    *testing.T
	disk *journaltest.Disk
	now  time.Time
	j    *journal.Journal
	b    *Book
}

func open(t *testing.T) *opened {
	t.Helper()
	e := &opened{t: t, disk: journaltest.New(), now: time.Unix(1_800_000_000, 0)}
	e.start()
	t.Cleanup(func() { e.j.Close() })
	return e
}

func (e *opened) start() {
	e.t.Helper()
	j, err := journal.Open("/data", journal.Options{Disk: e.disk, SegmentSize: 64 << 10})
	if err != nil {
		e.t.Fatal(err)
	}
	e.j, e.b = j, New(j, Options{Now: func() time.Time { return e.now }})
	if err := j.Recover(context.Background()); err != nil {
		e.t.Fatal(err)
	}
}

func (e *opened) restart() {
	if err := e.j.Close(); err != nil {
		e.t.Fatal(err)
	}
	e.start()
}

func (e *opened) login(user, password string) error {
	_, err := e.b.Authenticate(context.Background(), user, password)
	return err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var ctx = context.Background()

func TestLogin(t *testing.T) {
	e := open(t)
	alias := mail.MustParseAddress("Robert@Example.com")
	must(t, e.b.Add(ctx, "Bob@EXAMPLE.com", "sesam", 5, alias))
	must(t, e.b.Add(ctx, "nologin@example.com", "", 0))
	must(t, e.b.Add(ctx, "admin", "pässword", 0)) // a name need not be an address
	for _, restarted := range []bool{false, true} {
		if restarted {
			e.restart()
		}
		for _, c := range []struct {
			user, password string
			want           error
		}{
			{"bob@example.com", "sesam", nil},
			{"BOB@Example.com", "sesam", nil},
			{"robert@example.com", "sesam", nil}, // by an alias
			{"admin", "pässword", nil},
			{"admin", "pa\u0308ssword", nil}, // RFC 8265 section 4.2: the same in NFC
			{"bob@example.com", "Sesam", ErrCredentials},
			{"bob@example.com", "", ErrCredentials},
			{"bob@example.com", "sesam\x00", ErrCredentials},
			{"bob@example.com", strings.Repeat("x", 1<<20), ErrCredentials},
			{"nologin@example.com", "", ErrCredentials},
			{"nologin@example.com", "x", ErrCredentials},
			{"nobody@example.com", "sesam", ErrCredentials},
			{"", "", ErrCredentials},
			{"", "sesam", ErrCredentials},
		} {
			if err := e.login(c.user, c.password); !errors.Is(err, c.want) {
				t.Errorf("restarted %v: %q with %.20q: %v, want %v", restarted, c.user, c.password, err, c.want)
			}
		}
	}
	a, err := e.b.Lookup(mail.MustParseAddress("ROBERT@example.com"))
	if err != nil || a.Name != "bob@example.com" || a.Quota != 5 {
		t.Errorf("Lookup: %+v, %v", a, err)
	}
	if _, err := e.b.Lookup(mail.Address{}); !errors.Is(err, ErrUnknown) {
		t.Errorf("Lookup of the null path: %v", err)
	}
}

func TestChanges(t *testing.T) {
	e := open(t)
	alias := mail.MustParseAddress("alias@example.com")
	must(t, e.b.Add(ctx, "bob@example.com", "one", 0, alias))
	for name, aliases := range map[string][]mail.Address{"BOB@example.com": nil, "alias@example.com": nil, "c@example.com": {alias}} {
		if err := e.b.Add(ctx, name, "x", 0, aliases...); !errors.Is(err, ErrExists) {
			t.Errorf("Add %s: %v", name, err)
		}
	}
	for _, bad := range []string{"", "a b", "a\r\nb", "\xff", strings.Repeat("a", 321)} {
		if err := e.b.Add(ctx, bad, "x", 0); err == nil {
			t.Errorf("an account named %q was taken", bad)
		}
	}
	must(t, e.login("bob@example.com", "one")) // is remembered from here on
	must(t, e.b.SetPassword(ctx, "bob@example.com", "two"))
	if err := e.login("bob@example.com", "one"); !errors.Is(err, ErrCredentials) {
		t.Errorf("the old password: %v", err)
	}
	must(t, e.login("bob@example.com", "two"))
	must(t, e.b.Disable(ctx, "bob@example.com", true))
	e.restart()
	if err := e.login("bob@example.com", "two"); !errors.Is(err, ErrCredentials) {
		t.Errorf("a disabled account: %v", err)
	}
	if _, err := e.b.Lookup(alias); err != nil {
		t.Errorf("a disabled account gets no mail: %v", err)
	}
	must(t, e.b.Disable(ctx, "bob@example.com", false))
	must(t, e.b.SetAliases(ctx, "bob@example.com"))
	must(t, e.b.SetQuota(ctx, "bob@example.com", 77))
	must(t, e.login("bob@example.com", "two"))
	if a := e.b.List()[0]; len(a.Aliases) != 0 || a.Quota != 77 {
		t.Errorf("%+v", a)
	}
	must(t, e.b.Remove(ctx, "bob@example.com"))
	if err := e.b.Remove(ctx, "bob@example.com"); !errors.Is(err, ErrUnknown) {
		t.Errorf("Remove of nobody: %v", err)
	}
	e.restart()
	if l := e.b.List(); len(l) != 0 {
		t.Errorf("after Remove there are %+v", l)
	}
}

func TestConfigured(t *testing.T) {
	e := open(t)
	phc, _, err := HashPassword("hashed")
	must(t, err)
	must(t, e.b.Add(ctx, "kept@example.com", "x", 0))
	must(t, e.b.Configure([]Account{
		{Name: "A@example.com", Password: phc, Aliases: []mail.Address{mail.MustParseAddress("postmaster@example.com")}},
		{Name: "b@example.com", Password: "plain"},
		{Name: "c@example.com"},
	}))
	must(t, e.login("a@example.com", "hashed"))
	must(t, e.login("postmaster@example.com", "hashed"))
	must(t, e.login("b@example.com", "plain"))
	must(t, e.login("kept@example.com", "x"))
	if err := e.login("c@example.com", ""); !errors.Is(err, ErrCredentials) {
		t.Errorf("without a password: %v", err)
	}
	var names []string
	for _, a := range e.b.List() {
		names = append(names, a.Name)
	}
	if !slices.Equal(names, []string{"a@example.com", "b@example.com", "c@example.com", "kept@example.com"}) {
		t.Errorf("the accounts are %q", names)
	}
	if err := e.b.SetPassword(ctx, "a@example.com", "x"); !errors.Is(err, ErrConfigured) {
		t.Errorf("SetPassword: %v", err)
	}
	if err := e.b.Configure([]Account{{Name: "a@example.com"}, {Name: "A@example.com"}}); err == nil {
		t.Error("one account twice was taken")
	}
	if err := e.b.Configure([]Account{{Name: "a@example.com", Password: "$argon2id$v=19$m=8"}}); err == nil {
		t.Error("half a hash was taken")
	}
	must(t, e.login("a@example.com", "hashed")) // the errors changed nothing
	must(t, e.b.Configure(nil))
	if err := e.login("a@example.com", "hashed"); !errors.Is(err, ErrCredentials) {
		t.Errorf("an account that left the configuration: %v", err)
	}
}

func TestParseHash(t *testing.T) {
	// The vector of the reference implementation's test.c, version 0x13, argon2id.
	const known = "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"
	h, err := parseHash(known)
	must(t, err)
	if !h.matches("password") || h.matches("passwore") || h.String() != known {
		t.Error("the reference implementation's hash does not match")
	}
	for _, bad := range []string{
		"", "$", "x" + known, known + "x$", known + "=", strings.Replace(known, "argon2id", "argon2i", 1),
		strings.Replace(known, "v=19", "v=16", 1), strings.Replace(known, "m=256", "m=4294967295", 1),
		strings.Replace(known, "t=2", "t=0", 1), strings.Replace(known, "t=2", "t=1000000", 1), strings.Replace(known, "p=2", "p=2 ", 1),
		strings.Replace(known, "p=2", "p=0", 1), strings.Replace(known, "$c29tZXNhbHQ", "$", 1), strings.Replace(known, "c29", "!29", 1),
	} {
		if _, err := parseHash(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// TestSCRAMKeys goes the other way round, as a client does (RFC 5802 section 3).
func TestSCRAMKeys(t *testing.T) {
	_, s, err := HashPassword("pencil")
	must(t, err)
	salted, err := pbkdf2.Key(sha256.New, "pencil", s.Salt, s.Iterations, 32)
	must(t, err)
	client := mac(salted, "Client Key")
	proof := make([]byte, 32)
	sig := mac(s.StoredKey, "auth message")
	for i := range proof {
		proof[i] = client[i] ^ sig[i]
	}
	for i := range proof { // the server's side
		proof[i] ^= sig[i]
	}
	if sum := sha256.Sum256(proof); !hmac.Equal(sum[:], s.StoredKey) || !hmac.Equal(mac(salted, "Server Key"), s.ServerKey) || s.Iterations < 4096 {
		t.Error("the SCRAM keys do not fit the password")
	}
}

func TestRemembered(t *testing.T) {
	e := open(t)
	must(t, e.b.Add(ctx, "bob@example.com", "sesam", 0))
	must(t, e.login("bob@example.com", "sesam"))
	// With every slot taken only a remembered password gets an answer.
	for range cap(e.b.slots) {
		e.b.slots <- struct{}{}
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	login := func(password string) error {
		_, err := e.b.Authenticate(gone, "bob@example.com", password)
		return err
	}
	must(t, login("sesam"))
	if err := login("wrong"); !errors.Is(err, context.Canceled) {
		t.Errorf("a wrong password was remembered: %v", err)
	}
	e.now = e.now.Add(11 * time.Minute)
	if err := login("sesam"); !errors.Is(err, context.Canceled) {
		t.Errorf("remembered for more than 10 minutes: %v", err)
	}
}

func TestRememberedIsBounded(t *testing.T) {
	r := newRecent(time.Minute, 3)
	now := time.Unix(0, 0)
	for i := range 10 {
		r.add("phc", string(rune('a'+i)), now)
		if len(r.until) > 3 {
			t.Fatalf("%d are remembered, at most 3 may be", len(r.until))
		}
	}
}

// TestManyAtOnce has logins wait for each other, with no more than so many at a
// time.
func TestManyAtOnce(t *testing.T) {
	e := open(t)
	must(t, e.b.Add(ctx, "bob@example.com", "sesam", 0))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := e.login("bob@example.com", "sesam"); err != nil {
				t.Error(err)
			}
			if err := e.login("nobody@example.com", "sesam"); !errors.Is(err, ErrCredentials) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestCompaction changes one account so often, over so many starts, that the
// journal gathers it anew; one that was removed in between stays away.
func TestCompaction(t *testing.T) {
	e := open(t)
	must(t, e.b.Add(ctx, "bob@example.com", "last", 0))
	must(t, e.b.Add(ctx, "gone@example.com", "", 0))
	must(t, e.b.Remove(ctx, "gone@example.com"))
	for i := range 40 {
		must(t, e.b.SetQuota(ctx, "bob@example.com", int64(i)))
		e.restart() // each start begins a segment
	}
	if _, err := e.j.Compact(ctx); err != nil {
		t.Fatal(err)
	}
	if st := e.j.Stats(); st.Segments > 20 {
		t.Errorf("%d octets in %d segments for one account", st.Bytes, st.Segments)
	}
	e.restart()
	if l := e.b.List(); len(l) != 1 || l[0].Quota != 39 {
		t.Errorf("after compaction and a restart there are %+v", l)
	}
	must(t, e.login("bob@example.com", "last"))
}

func FuzzParseHash(f *testing.F) {
	f.Add("$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc")
	f.Add("$argon2id$v=19$m=,t=,p=$$")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parseHash(s)
		if err == nil && (h.String() != s || h.memory > maxMemory || h.time > maxTime) {
			t.Errorf("%q was read as %s", s, h)
		}
	})
}
