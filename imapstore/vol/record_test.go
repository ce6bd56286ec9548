package vol

import (
	"context"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/journal/journaltest"
	"github.com/forepost/forepost/relay/mail"
)

func TestIDSet(t *testing.T) {
	var s idset
	for _, r := range []span{{5, 5}, {1, 2}, {9, 9}, {3, 3}, {6, 8}, {20, 30}, {25, 40}, {12, 11}} {
		s.add(r.from, r.to)
	}
	if want := (idset{{1, 3}, {5, 9}, {20, 40}}); !slices.Equal(s, want) {
		t.Errorf("the set is %v, want %v", s, want)
	}
	for n, want := range map[uint64]bool{0: false, 1: true, 3: true, 4: false, 9: true, 10: false, 40: true, 41: false} {
		if s.has(n) != want {
			t.Errorf("has %d: %v", n, !want)
		}
	}
	e := newEnc(0)
	e.set(s)
	if got := newDec(e.b).set(); !slices.Equal(got, s) {
		t.Errorf("the set came back as %v", got)
	}
}

func TestHoles(t *testing.T) {
	for _, c := range []struct {
		end  uint64
		ids  []uint64
		want idset
	}{
		{1, nil, nil},
		{4, nil, idset{{1, 3}}},
		{4, []uint64{1, 2, 3}, nil},
		{10, []uint64{2, 3, 7}, idset{{1, 1}, {4, 6}, {8, 9}}},
		{3, []uint64{2, 3, 7}, idset{{1, 1}}}, // what is not below the end does not count
	} {
		if got := holes(c.end, slices.Values(c.ids)); !slices.Equal(got, c.want) {
			t.Errorf("holes(%d, %v) = %v, want %v", c.end, c.ids, got, c.want)
		}
	}
}

func TestRecordsComeBack(t *testing.T) {
	a := accountState{id: 3, ver: 9, modseq: 12, removed: true, name: "bob@example.com", quota: math.MaxInt64, validity: 77, nextBox: 8,
		gone: idset{{2, 4}}, subs: []string{"INBOX", "a/b"}}
	if got := decodeAccount(newDec(a.encode())); !reflect.DeepEqual(got, a) {
		t.Errorf("account %+v, want %+v", got, a)
	}
	m := mailboxState{account: 3, id: 5, ver: 7, name: "a/b", use: `\Sent`, noselect: true, validity: 9, nextUID: 100, highest: 50, floor: 3,
		tombs: []imapstore.Tombstone{{UID: 9, ModSeq: 4}, {UID: 2, ModSeq: 4}, {UID: 50, ModSeq: 49}}}
	if got := decodeMailbox(newDec(m.encode())); !reflect.DeepEqual(got, m) {
		t.Errorf("mailbox %+v, want %+v", got, m)
	}
	box := &mailbox{a: &account{id: 3}, id: 5}
	zone := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", -5*3600-1800))
	e := &imapstore.Entry{UID: 7, ModSeq: 8, Flags: []string{"$kw", `\Seen`}, Date: zone, SaveDate: zone, Size: 100, UIDL: "u", EmailID: "M1",
		Message: &mail.Message{Prefix: []mail.Field{{Name: "A", Value: "b\r\n c"}}, Edits: []mail.Edit{{Off: 1, End: 3, With: []byte("xy")}, {Off: 9, End: 9, With: []byte{}}}, Blob: named{42, 80}}}
	st := decodeMessage(newDec(encodeMessage(box, e)))
	got := st.entry
	if st.account != 3 || st.mailbox != 5 || st.blob != 42 || got.UID != 7 || got.ModSeq != 8 || !slices.Equal(got.Flags, e.Flags) ||
		got.Size != 100 || got.UIDL != "u" || got.EmailID != "M1" || !got.SaveDate.Equal(zone) || got.Date.Format(time.RFC3339Nano) != zone.Format(time.RFC3339Nano) {
		t.Errorf("message %+v", got)
	}
	if !reflect.DeepEqual(got.Message.Prefix, e.Message.Prefix) || len(got.Message.Edits) != 2 || string(got.Message.Edits[0].With) != "xy" {
		t.Errorf("message %+v", got.Message)
	}
}

func TestApplyFlags(t *testing.T) {
	have := []string{"$Work", `\Seen`}
	for _, c := range []struct {
		op         imapstore.FlagOp
		with, want []string
	}{
		{imapstore.FlagsAdd, []string{`\Answered`, "$work"}, []string{"$Work", `\Answered`, `\Seen`}},
		{imapstore.FlagsRemove, []string{"$WORK"}, []string{`\Seen`}},
		{imapstore.FlagsReplace, []string{`\Draft`}, []string{`\Draft`}},
	} {
		if got := applyFlags(have, c.op, c.with); !slices.Equal(got, c.want) || !slices.Equal(have, []string{"$Work", `\Seen`}) {
			t.Errorf("%v with %q: %q, want %q (had %q)", c.op, c.with, got, c.want, have)
		}
	}
}

// FuzzReplay replays three records of any octets and uses what comes of it: no
// panic, bounded time.
func FuzzReplay(f *testing.F) {
	a := accountState{id: 1, ver: 2, name: "a", nextBox: 2}
	m := mailboxState{account: 1, id: 1, ver: 2, name: "INBOX", nextUID: 2}
	box := &mailbox{a: &account{id: 1}, id: 1}
	msg := encodeMessage(box, &imapstore.Entry{UID: 1, ModSeq: 1, Size: 3, Message: &mail.Message{Blob: named{1, 3}}})
	f.Add(uint8(0), a.encode(), uint8(1), m.encode(), uint8(2), msg)
	f.Add(uint8(2), msg, uint8(4), encodeExpunge(box, 9, []imapstore.UID{1}), uint8(0), a.encode())
	f.Fuzz(func(t *testing.T, k1 uint8, d1 []byte, k2 uint8, d2 []byte, k3 uint8, d3 []byte) {
		j, err := journal.Open("/data", journal.Options{Disk: journaltest.New(), SegmentSize: 8 << 10})
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		s := New(j, Options{})
		if err := j.Recover(context.Background()); err != nil {
			t.Fatal(err)
		}
		for i, d := range [][]byte{d1, d2, d3} {
			_ = s.Replay(kindAccount+journal.Kind([]uint8{k1, k2, k3}[i]%6), d) // an error is an answer
		}
		look(t, s)
	})
}

// look looks at everything in a store.
func look(t *testing.T, s *Store) {
	for _, name := range s.Names() {
		a, err := s.Account(name)
		if err != nil {
			continue // a name in capitals, that no account ever had
		}
		for _, i := range a.Mailboxes() {
			m, err := a.Mailbox(i.Name)
			if err != nil {
				continue // a level, or a name that no client could have given
			}
			for k, e := range m.Snapshot().Messages {
				if n, ok := m.Snapshot().Find(e.UID); !ok || n != k {
					t.Errorf("UID %d is at %d, found at %d", e.UID, k, n)
				}
				if r, err := e.Message.Open(); err == nil {
					r.Close()
				}
			}
		}
	}
}
