package vol_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/imapstore/vol"
	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/journal/journaltest"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/outbound"
)

// contents is what two accounts hold: the account and the text of a message,
// and its flags.
type contents map[string]string

// machine is a store on a disk that forgets what was not synced.
type machine struct {
	t    *testing.T
	disk *journaltest.Disk
	j    *journal.Journal
	s    *vol.Store
}

func (m *machine) start() {
	m.t.Helper()
	j, err := journal.Open("/data", journal.Options{SegmentSize: 8 << 10, Disk: m.disk})
	if err != nil {
		m.t.Fatal(err)
	}
	m.j, m.s = j, vol.New(j, vol.Options{Tombstones: 50})
	if err := j.Recover(context.Background()); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) inbox(name string) imapstore.Mailbox {
	m.t.Helper()
	a, err := m.s.Account(name)
	if err != nil {
		m.t.Fatal(err)
	}
	box, err := a.Mailbox("INBOX")
	if err != nil {
		m.t.Fatal(err)
	}
	return box
}

var two = []string{"a@example.com", "b@example.com"}

func (m *machine) contents() contents {
	m.t.Helper()
	c := contents{}
	for _, name := range two {
		for _, e := range m.inbox(name).Snapshot().Messages {
			r, err := e.Message.Open()
			if err != nil {
				m.t.Fatalf("%s, UID %d: %v", name, e.UID, err)
			}
			b, err := io.ReadAll(r)
			r.Close()
			if err != nil || int64(len(b)) != e.Size {
				m.t.Fatalf("%s, UID %d: %d of %d octets, %v", name, e.UID, len(b), e.Size, err)
			}
			c[name+" "+string(b)] = strings.Join(e.Flags, " ")
		}
	}
	return c
}

// act does one random thing and tells what is in the store if it happened.
func (m *machine) act(r *rand.Rand, n int, now contents) (then contents, err error) {
	then = maps.Clone(now)
	name := two[r.IntN(2)]
	box := m.inbox(name)
	live := box.Snapshot().Messages
	var some []imapstore.UID
	for _, e := range live {
		if r.IntN(3) == 0 {
			some = append(some, e.UID)
		}
	}
	switch r.IntN(4) {
	case 0, 1: // to both, or to none
		text := fmt.Sprintf("A: %d\r\n\r\n%s", n, strings.Repeat("x", r.IntN(500)))
		d := outbound.Delivery{Message: &mail.Message{Blob: mail.Bytes(text)}, Time: time.Unix(1, 0)}
		for _, to := range two {
			d.To = append(d.To, mail.Recipient{Address: mail.MustParseAddress(to)})
			then[to+" Return-Path: <>\r\n"+text] = ""
		}
		errs := m.s.Deliver(context.Background(), d)
		return then, errs[0]
	case 2:
		for _, key := range m.keys(name, some) {
			then[key] = fmt.Sprintf("k%d", n)
		}
		_, err = box.Store(context.Background(), some, imapstore.FlagsReplace, []string{fmt.Sprintf("k%d", n)}, 0)
	case 3:
		for _, key := range m.keys(name, some) {
			delete(then, key)
		}
		err = box.Expunge(context.Background(), some)
	}
	return then, err
}

// keys are the keys in contents of messages.
func (m *machine) keys(name string, uids []imapstore.UID) (keys []string) {
	s := m.inbox(name).Snapshot()
	for _, u := range uids {
		i, _ := s.Find(u)
		r, err := s.Messages[i].Message.Open()
		if err != nil {
			m.t.Fatal(err)
		}
		b, _ := io.ReadAll(r)
		r.Close()
		keys = append(keys, name+" "+string(b))
	}
	return keys
}

// TestPowerFailure stops the machine at any operation of its disk, over and
// over: what was answered for is there, to the octet, and what was under way
// happened wholly or not at all.
func TestPowerFailure(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	m := &machine{t: t, disk: journaltest.New()}
	m.start()
	for _, name := range two {
		if err := m.s.Create(context.Background(), name, imapstore.AccountOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	now, n := contents{}, 0
	next := map[string]imapstore.UID{}
	for round := range 120 {
		m.disk.StopAfter(1 + r.IntN(60))
		then := now
		for err := error(nil); err == nil; n++ {
			now = then
			for _, name := range two {
				next[name] = m.inbox(name).Snapshot().UIDNext
			}
			then, err = m.act(r, n, now)
		}
		m.s.Close()
		m.j.Close()
		m.disk = m.disk.Crash(r.IntN)
		m.start()
		got := m.contents()
		if !maps.Equal(got, now) && !maps.Equal(got, then) {
			t.Fatalf("round %d: after a crash there are\n%q\nbefore the last change\n%q\nafter it\n%q", round, sorted(got), sorted(now), sorted(then))
		}
		now = got
		for _, name := range two {
			if uid := m.inbox(name).Snapshot().UIDNext; uid < next[name] {
				t.Fatalf("round %d: UIDNEXT of %s went from %d back to %d", round, name, next[name], uid)
			}
		}
	}
	if n < 500 {
		t.Errorf("only %d changes in all", n)
	}
}

func sorted(c contents) []string {
	var l []string
	for k, v := range c {
		l = append(l, k+" "+v)
	}
	slices.Sort(l)
	return l
}

// TestFullDisk refuses mail with 452 while the disk is full, counts none of it,
// and goes on when there is room.
func TestFullDisk(t *testing.T) {
	ctx := context.Background()
	m := &machine{t: t, disk: journaltest.New()}
	m.start()
	for _, name := range two {
		if err := m.s.Create(ctx, name, imapstore.AccountOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	d := outbound.Delivery{Message: &mail.Message{Blob: mail.Bytes(strings.Repeat("x", 1000))}}
	for _, to := range two {
		d.To = append(d.To, mail.Recipient{Address: mail.MustParseAddress(to)})
	}
	m.disk.SetSpace(64 << 10)
	var errs []error
	var taken int64
	for taken = 0; taken < 1000; taken++ {
		if errs = m.s.Deliver(ctx, d); errs[0] != nil {
			break
		}
	}
	for i := range two {
		if r, ok := errs[i].(mail.Reply); !ok || r.Code() != 452 || r.Enhanced() != "4.3.1" {
			t.Errorf("on a full disk recipient %d gets %v", i, errs[i])
		}
	}
	if _, err := m.inbox(two[0]).Append(ctx, d.Message, nil, time.Time{}); err == nil {
		t.Error("Append on a full disk went well")
	}
	a, _ := m.s.Account(two[0])
	if _, n, _ := a.Usage(); n != taken || int64(len(m.inbox(two[0]).Snapshot().Messages)) != taken {
		t.Errorf("%d messages are counted, %d were taken", n, taken)
	}
	m.disk.SetSpace(1 << 30)
	if errs := m.s.Deliver(ctx, d); errs[0] != nil || errs[1] != nil {
		t.Errorf("with room again: %v", errs)
	}
	if got := m.inbox(two[1]).Snapshot(); int64(len(got.Messages)) != taken+1 {
		t.Errorf("%d messages, want %d", len(got.Messages), taken+1)
	}
	m.s.Close()
	m.j.Close()
}
