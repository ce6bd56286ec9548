package guard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/journal/journaltest"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/sasl"
	"github.com/forepost/forepost/relay/state"
	"github.com/forepost/forepost/relay/trail"
)

// told is a trail.
type told struct {
	mu   sync.Mutex
	recs []*trail.Record
}

func (l *told) Record(r *trail.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recs = append(l.recs, r)
}

func (*told) Event(trail.Event) {}

// house is a guard over a memory that can be opened again, in a bubble.
type house struct {
	t     *testing.T
	disk  *journaltest.Disk
	j     *journal.Journal
	store *state.Embedded
	g     *Guard
	trail *told
	never []netip.Prefix
}

// guarded runs a test in a bubble of time.
func inside(t *testing.T, f func(h *house)) {
	synctest.Test(t, func(t *testing.T) {
		h := &house{t: t, disk: journaltest.New(), trail: &told{}}
		h.open()
		f(h)
		h.close()
	})
}

func (h *house) open() {
	h.t.Helper()
	j, err := journal.Open("/data", journal.Options{Disk: h.disk, SegmentSize: 64 << 10})
	if err != nil {
		h.t.Fatal(err)
	}
	h.j, h.store = j, state.NewEmbedded(j, time.Now)
	if err := j.Recover(context.Background()); err != nil {
		h.t.Fatal(err)
	}
	h.g = New(Options{State: func() state.Store { return h.store }, Settings: func() Settings { return Settings{Never: h.never} },
		Trail: h.trail, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
}

func (h *house) close() {
	if err := errors.Join(h.store.Close(), h.j.Close()); err != nil {
		h.t.Error(err)
	}
}

// login is a login for bob, whose password is "right".
func (h *house) login(ip, password string) error {
	h.t.Helper()
	return h.loginAs("bob@local.test", ip, password)
}

func (h *house) loginAs(user, ip, password string) error {
	l := h.g.Wrap(sasl.Passwords(func(_ context.Context, user, password string) (mail.Identity, error) {
		if password != "right" {
			return mail.Identity{}, sasl.ErrCredentials
		}
		return mail.Identity{User: user}, nil
	}))
	_, err := l.Password(context.Background(), sasl.Client{Protocol: "smtp", ID: "session001", IP: netip.MustParseAddr(ip)}, user, password)
	return err
}

func isLater(err error) bool {
	var later *sasl.Later
	return errors.As(err, &later)
}

// guess fails until the address is banned, and tells how often that was.
func (h *house) guess(ip string) int {
	for n := 1; n <= 100; n++ {
		if isLater(h.loginAs(fmt.Sprintf("user%d@local.test", n), ip, "wrong")) {
			return n - 1
		}
	}
	h.t.Fatal("never banned")
	return 0
}

func (h *house) bans() (list []string) {
	h.t.Helper()
	bs, err := h.g.Bans(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	for _, b := range bs {
		list = append(list, b.Network.String()+" for "+b.Until.Sub(b.Since).String())
	}
	return list
}

// An address that guesses is banned, over a restart, longer each time; the trail
// knows; other addresses are not.
func TestAddressIsBanned(t *testing.T) {
	inside(t, func(h *house) {
		begun := time.Now()
		if n := h.guess("192.0.2.1"); n != 10 {
			t.Errorf("banned after %d failures", n)
		}
		if took := time.Since(begun); took < 10*time.Second {
			t.Errorf("ten wrong passwords took %v: the answers were to come later each time", took)
		}
		if got := fmt.Sprint(h.bans()); got != "[192.0.2.1/32 for 15m0s]" {
			t.Errorf("bans: %s", got)
		}
		if len(h.trail.recs) != 1 || h.trail.recs[0].ID != "session001" || h.trail.recs[0].Outcomes[0].Rule != "builtin.logins" {
			t.Errorf("the trail has %+v", h.trail.recs)
		}
		h.close()
		h.open()
		if err := h.login("192.0.2.1", "right"); !isLater(err) {
			t.Errorf("after a restart a banned address hears %v", err)
		}
		if err := h.login("192.0.2.2", "right"); err != nil {
			t.Errorf("its neighbour hears %v", err)
		}
		time.Sleep(16 * time.Minute)
		if err := h.loginAs("eve@local.test", "192.0.2.1", "right"); err != nil {
			t.Errorf("after the ban: %v", err)
		}
		h.guess("192.0.2.1")
		if got := fmt.Sprint(h.bans()); got != "[192.0.2.1/32 for 1h0m0s]" {
			t.Errorf("the second ban: %s", got)
		}
		if err := h.g.Unban(t.Context(), netip.MustParsePrefix("192.0.2.1/32")); err != nil {
			t.Fatal(err)
		}
		if err := h.login("192.0.2.1", "right"); err != nil || h.bans() != nil {
			t.Errorf("after the ban was taken back: %v, %v", err, h.bans())
		}
		if err := h.g.Unban(t.Context(), netip.MustParsePrefix("192.0.2.1/32")); err == nil {
			t.Error("a ban that is not there was taken back")
		}
	})
}

// Addresses of one network that take turns are banned as one.
func TestNetworkIsBanned(t *testing.T) {
	inside(t, func(h *house) {
		for i := range 60 {
			ip := fmt.Sprintf("192.0.2.%d", i+1)
			if isLater(h.loginAs(fmt.Sprint("u", i), ip, "wrong")) {
				break
			}
		}
		if got := fmt.Sprint(h.bans()); got != "[192.0.2.0/24 for 15m0s]" {
			t.Errorf("bans: %s", got)
		}
		for i := range 60 {
			if isLater(h.loginAs(fmt.Sprint("v", i), fmt.Sprintf("2001:db8::%x:1", i), "wrong")) {
				break
			}
		}
		if got := len(h.bans()); got != 2 {
			t.Errorf("a /64 of IPv6 counts as one address: %v", h.bans())
		}
	})
}

// An attack on an account, from wherever, slows its logins; where it logged in
// from before, nothing changes, whatever is banned.
func TestKnownAddressGetsIn(t *testing.T) {
	inside(t, func(h *house) {
		if err := h.login("192.0.2.7", "right"); err != nil {
			t.Fatal(err)
		}
		for i := range 80 { // a botnet
			_ = h.login(fmt.Sprintf("198.%d.100.1", i), "wrong")
		}
		begun := time.Now()
		if err := h.login("203.0.113.9", "right"); err != nil && !isLater(err) || time.Since(begun) < 5*time.Second && err == nil {
			t.Errorf("from elsewhere: %v after %v", err, time.Since(begun))
		}
		begun = time.Now()
		if err := h.login("192.0.2.7", "right"); err != nil || time.Since(begun) > 0 {
			t.Errorf("from home: %v after %v", err, time.Since(begun))
		}
		if _, err := h.g.Ban(t.Context(), netip.MustParsePrefix("192.0.2.0/24"), time.Hour, "by hand"); err != nil {
			t.Fatal(err)
		}
		h.guess("192.0.2.9")
		if err := h.login("192.0.2.7", "right"); err != nil {
			t.Errorf("from home, whose network is banned: %v", err)
		}
		for range 12 { // somebody there guesses, too
			if err := h.login("192.0.2.7", "wrong"); !errors.Is(err, sasl.ErrCredentials) && !isLater(err) {
				t.Fatal(err)
			}
		}
		if err := h.login("192.0.2.7", "right"); !isLater(err) {
			t.Errorf("after many wrong ones it is home no more, and the network is banned: %v", err)
		}
	})
}

// Many logins at once for an account under attack do not all wait.
func TestQueueIsBounded(t *testing.T) {
	inside(t, func(h *house) {
		for i := range 60 {
			_ = h.login(fmt.Sprintf("198.%d.100.1", i), "wrong")
		}
		var all sync.WaitGroup
		var mu sync.Mutex
		var looked, later int
		begun := time.Now()
		for i := range 100 {
			all.Go(func() {
				err := h.login(fmt.Sprintf("198.%d.101.1", i), "wrong")
				mu.Lock()
				defer mu.Unlock()
				if isLater(err) {
					later++
				} else {
					looked++
				}
			})
		}
		all.Wait()
		if looked == 0 || looked > 5 || time.Since(begun) > 30*time.Second {
			t.Errorf("%d of 100 were looked at, %d put off, in %v", looked, later, time.Since(begun))
		}
	})
}

func TestWhoIsNeverBanned(t *testing.T) {
	inside(t, func(h *house) {
		h.never = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		for i := range 50 {
			for _, ip := range []string{"127.0.0.1", "::1", "192.0.2.1"} {
				if err := h.loginAs(fmt.Sprint("u", i), ip, "wrong"); !errors.Is(err, sasl.ErrCredentials) {
					t.Fatalf("%s: %v", ip, err)
				}
			}
		}
	})
}

func TestScopes(t *testing.T) {
	for in, want := range map[string]string{"192.0.2.1/32": "192.0.2.1/32", "192.0.2.9/24": "192.0.2.0/24", "2001:db8::1/128": "2001:db8::/64",
		"2001:db8::/56": "2001:db8::/56", "192.0.2.0/25": "", "0.0.0.0/0": "", "2001:db8::/32": ""} {
		got, err := scope(netip.MustParsePrefix(in))
		if (err == nil) != (want != "") || err == nil && got.String() != want {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
}

// Known tells from where an account logged in, and from nowhere else.
func TestKnown(t *testing.T) {
	inside(t, func(h *house) {
		for _, c := range [][3]string{{"bob@local.test", "203.0.113.9", "right"}, {"bob@local.test", "2001:db8:1:2:3::4", "right"}, {"bob@local.test", "198.51.100.1", "wrong"}, {"bob@local.test.x", "192.0.2.1", "right"}} {
			h.loginAs(c[0], c[1], c[2]) // what comes of it is not asked here
		}
		got, err := h.g.Known(t.Context(), "Bob@local.test")
		if err != nil || fmt.Sprint(got) != "[203.0.113.9/32 2001:db8:1:2::/64]" {
			t.Errorf("%v, %v", got, err)
		}
	})
}

// Attack tells of guesses at one account, from wherever they come, and when its logins
// are slowed.
func TestAttackIsTold(t *testing.T) {
	inside(t, func(h *house) {
		for n := range attackAfter {
			if got, slowed, err := h.g.Attack(t.Context(), "BOB@local.test"); got != int64(n) || slowed || err != nil {
				t.Errorf("after %d failures: %d, %v, %v", n, got, slowed, err)
			}
			h.login(fmt.Sprintf("203.0.%d.1", n), "wrong") // what comes of it is not asked here
		}
		if got, slowed, err := h.g.Attack(t.Context(), "bob@local.test"); got < attackAfter-1 || !slowed || err != nil {
			t.Errorf("in the end: %d, %v, %v", got, slowed, err)
		}
		if got, slowed, _ := h.g.Attack(t.Context(), "eve@local.test"); got != 0 || slowed {
			t.Errorf("another account: %d, %v", got, slowed)
		}
	})
}
