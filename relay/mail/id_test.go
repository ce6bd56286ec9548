package mail

import (
	"sort"
	"testing"
	"time"
)

func TestIDsAreOrderedUniqueAndTell(t *testing.T) {
	now := time.Date(2026, 11, 20, 9, 14, 3, 0, time.UTC)
	ids := NewIDs("gw1", func() time.Time { return now })
	var list []string
	seen := map[ID]bool{}
	for i := range 5000 { // more than 256 in a millisecond
		if i%1000 == 0 {
			now = now.Add(time.Millisecond)
		}
		id := ids.Session()
		if seen[id] || !id.Valid() || len(id) != SessionIDLen {
			t.Fatalf("ID %d, %q, is not a new one of %d characters", i, id, SessionIDLen)
		}
		seen[id] = true
		list = append(list, string(id))
	}
	if !sort.StringsAreSorted(list) {
		t.Error("IDs do not sort by time")
	}
	first := ID(list[0])
	if want := now.Add(-4 * time.Millisecond); !first.Time().Equal(want) {
		t.Errorf("%s says %v, was given at %v", first, first.Time(), want)
	}
	tx := first.Transaction(52)
	if len(tx) != TransactionIDLen || tx.Session() != first || !tx.Valid() || !tx.Time().Equal(first.Time()) {
		t.Errorf("transaction 52 of %s is %s", first, tx)
	}
	if tx <= first.Transaction(51) {
		t.Error("transactions of a session do not sort")
	}
}

func TestTimeGoingBack(t *testing.T) {
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	ids := NewIDs("gw1", func() time.Time { return now })
	a := ids.Session()
	now = now.Add(-time.Hour) // the clock was set back
	if b := ids.Session(); b <= a {
		t.Errorf("%s was given after %s", b, a)
	}
}

func TestNodesDiffer(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC) }
	if NewIDs("gw1", now).Session() == NewIDs("gw2", now).Session() {
		t.Error("two nodes give the same ID")
	}
}

func TestWhatIsNoID(t *testing.T) {
	for _, s := range []ID{"", "4bQz", "4bQz7K2MwXc9A", "4bQz7K2MwX c9", "4bQz7K2MwXc9T0"} {
		if s.Valid() || !s.Time().IsZero() {
			t.Errorf("%q passes for an ID", s)
		}
	}
}
