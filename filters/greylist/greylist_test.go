package greylist_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/filtertest"
	"github.com/forepost/forepost/filters/greylist"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// A time line: what passes before a visit, who comes, and whether it is early.
type visit struct {
	after  time.Duration
	client string
	early  bool
	wait   time.Duration
	why    string
}

func TestTimeLines(t *testing.T) {
	const minute, day = time.Minute, 24 * time.Hour
	for name, visits := range map[string][]visit{
		"a server that comes back": {
			{0, "192.0.2.1", true, 5 * minute, "a stranger waits"},
			{2 * minute, "192.0.2.1", true, 3 * minute, "still early, and no longer for having tried"},
			{3 * minute, "192.0.2.1", false, 0, "the delay has passed"},
			{time.Second, "192.0.2.1", false, 0, "known"},
			{30 * day, "192.0.2.1", false, 0, "known still"},
			{30 * day, "192.0.2.1", false, 0, "and kept from the last mail on"},
			{36 * day, "192.0.2.1", true, 5 * minute, "forgotten"},
		},
		"a farm of servers": {
			{0, "192.0.2.1", true, 5 * minute, "a stranger"},
			{5 * minute, "192.0.2.77", false, 0, "another address of the network"},
			{0, "192.0.3.1", true, 5 * minute, "another network"},
		},
		"IPv6 counts by its /64": {
			{0, "2001:db8::1", true, 5 * minute, "a stranger"},
			{5 * minute, "2001:db8::ffff:1", false, 0, "the same network"},
			{0, "2001:db8:0:1::1", true, 5 * minute, "another"},
		},
		"one that comes too late begins anew": {
			{0, "192.0.2.1", true, 5 * minute, "a stranger"},
			{3 * day, "192.0.2.1", true, 5 * minute, "its window has passed"},
			{5 * minute, "192.0.2.1", false, 0, "in time at last"},
		},
		"one that keeps trying within the delay is still in its window": {
			{0, "192.0.2.1", true, 5 * minute, "a stranger"},
			{4 * minute, "192.0.2.1", true, minute, "early"},
			{day, "192.0.2.1", false, 0, "within the window"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := filtertest.NewClock()
			f, err := greylist.Kind().Build(greylist.Kind().Settings(), filters.Deps{Name: "greylist", State: filtertest.State(t, c.Now), Now: c.Now})
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range visits {
				c.Pass(v.after)
				fd, err := f.Inspect(t.Context(), from(v.client))
				if err != nil || fd.Facts["early"] != v.early || fd.Facts["wait"] != v.wait {
					t.Errorf("%s: %v, %v; want early %v, wait %v", v.why, fd.Facts, err, v.early, v.wait)
				}
				filtertest.CheckSchema(t, greylist.Kind(), fd)
			}
		})
	}
}

func from(client string) *pipeline.Transaction {
	tx := pipeline.NewTransaction(&pipeline.Session{Client: netip.MustParseAddr(client)})
	tx.From = mail.MustParseAddress("ann@example.test")
	tx.To = []pipeline.Recipient{{Address: mail.MustParseAddress("bob@example.com")}}
	return tx
}

func TestBuildSaysWhatIsWrong(t *testing.T) {
	d := filters.Deps{State: filtertest.State(t, filtertest.NewClock().Now)}
	for settings, want := range map[string]string{
		`delay = "0s"`:  "delay is 0s",
		`window = "1m"`: "nobody can come back in time",
		`keep = "1h"`:   "keep (1h0m0s) must not be shorter",
	} {
		s := greylist.Kind().Settings()
		if err := filtertest.Decode(settings, s); err != nil {
			t.Fatal(err)
		}
		if _, err := greylist.Kind().Build(s, d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", settings, err, want)
		}
	}
	if _, err := greylist.Kind().Build(greylist.Kind().Settings(), filters.Deps{}); err == nil {
		t.Error("a greylist without a memory was built")
	}
}

func TestUnknownKeyCouldNotTell(t *testing.T) {
	s := greylist.Kind().Settings()
	if err := filtertest.Decode("key = unknown", s); err != nil {
		t.Fatal(err)
	}
	c := filtertest.NewClock()
	f, err := greylist.Kind().Build(s, filters.Deps{State: filtertest.State(t, c.Now), Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	if fd, err := f.Inspect(t.Context(), from("192.0.2.1")); err == nil || fd.Facts["early"] == true {
		t.Errorf("%v, %v", fd.Facts, err)
	}
}
