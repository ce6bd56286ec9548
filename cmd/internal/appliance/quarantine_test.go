package appliance

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/mail"
)

// A quarantine keeps mail for as long as it says, and no longer.
func TestSweep(t *testing.T) {
	var at atomic.Int64 // the clock, which the rooms read at any time
	at.Store(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC).UnixNano())
	now := func() time.Time { return time.Unix(0, at.Load()).UTC() }
	days := func(n int) { at.Add(int64(n) * int64(24*time.Hour)) }
	dir := t.TempDir()
	file := filepath.Join(dir, "forepost.hcl")
	write(t, file, oneDoor+`
quarantine "month" {
  keep = "30d"
}
quarantine "year" {
  keep = "365d"
}
`)
	a, err := New(t.Context(), Options{Config: file, Data: filepath.Join(dir, "data"), Log: slog.New(slog.DiscardHandler), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Stop(context.Background()) })
	boxes := map[string]imapstore.Mailbox{}
	for _, name := range []string{"month", "year"} {
		acc, err := a.keep.store.Account(imapstore.QuarantinePrefix + name)
		if err != nil {
			t.Fatal(err)
		}
		if boxes[name], err = acc.Mailbox("INBOX"); err != nil {
			t.Fatal(err)
		}
	}
	put := func(name string) {
		t.Helper()
		// Its own date says nothing about when it came here.
		_, err := boxes[name].Append(t.Context(), &mail.Message{Blob: mail.Bytes("Subject: x\r\n\r\nbody\r\n")}, nil, now().AddDate(-1, 0, 0))
		if err != nil {
			t.Fatal(err)
		}
	}
	put("month")
	put("year")
	days(20)
	put("month")
	for _, c := range []struct {
		days int // further on
		want string
	}{{0, "2 1"}, {9, "2 1"}, {2, "1 1"}, {30, "0 1"}} {
		days(c.days)
		if err := a.sweep(t.Context()); err != nil {
			t.Error(err)
		}
		var got []string
		for _, name := range []string{"month", "year"} {
			got = append(got, string(rune('0'+len(boxes[name].Snapshot().Messages))))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%d days later: %s messages in month and year, want %s", c.days, s, c.want)
		}
	}
}
