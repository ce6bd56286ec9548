package vol_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/outbound"
)

// message10K is 10 KiB of text.
func message10K() mail.Bytes {
	b := make(mail.Bytes, 10<<10)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range b {
		b[i] = byte('a' + r.IntN(26))
		if i%74 > 71 {
			b[i] = "\r\n"[i%74-72]
		}
	}
	return b
}

// BenchmarkDeliver is durable local delivery by 64 writers, of octets that are
// not in the journal yet: into so many accounts, and into one.
func BenchmarkDeliver(b *testing.B) {
	for _, accounts := range []int{500, 1} {
		b.Run(fmt.Sprintf("accounts=%d", accounts), func(b *testing.B) {
			e := open(b, b.TempDir(), journal.Options{})
			msg := &mail.Message{Prefix: []mail.Field{{Name: "Received", Value: "from a by b"}}, Blob: message10K()}
			var n atomic.Uint64
			b.SetBytes(msg.Size())
			b.SetParallelism(64 / 2)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					to := mail.Address{Local: fmt.Sprintf("u%d", n.Add(1)%uint64(accounts)), Domain: "example.com"}
					errs := e.s.Deliver(context.Background(), outbound.Delivery{To: []mail.Recipient{{Address: to}}, Message: msg, Time: time.Unix(1, 0)})
					if errs[0] != nil {
						b.Error(errs[0])
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
		})
	}
}

// BenchmarkFlag sets a flag in a mailbox of 100,000 messages, with a client
// that takes a snapshot after each, and with none.
func BenchmarkFlag(b *testing.B) {
	e := open(b, b.TempDir(), journal.Options{NoSync: true})
	ctx := context.Background()
	if err := e.s.Create(ctx, "bob@example.com", imapstore.AccountOptions{}); err != nil {
		b.Fatal(err)
	}
	m := inbox(b, e, "bob@example.com")
	for range 100_000 {
		if _, err := m.Append(ctx, &mail.Message{Blob: mail.Bytes("x")}, nil, time.Unix(1, 0)); err != nil {
			b.Fatal(err)
		}
	}
	for _, watched := range []bool{false, true} {
		b.Run(fmt.Sprintf("watched=%v", watched), func(b *testing.B) {
			for i := range b.N {
				if _, err := m.Store(ctx, []imapstore.UID{imapstore.UID(i%100_000 + 1)}, imapstore.FlagsReplace, []string{fmt.Sprint("k", i%7)}, 0); err != nil {
					b.Fatal(err)
				}
				if watched {
					m.Snapshot()
				}
			}
		})
	}
}
