package inbound

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
)

// carrier is a transport that keeps what it is given, and a router to it.
type carrier struct{ took chan string }

func (c carrier) Route(context.Context, mail.Recipient) (queue.Hop, queue.Transport, error) {
	return queue.Hop{Key: "test", Route: "test"}, c, nil
}

func (c carrier) Deliver(_ context.Context, env mail.Envelope, msg *mail.Message) (as []queue.Attempt) {
	r, err := msg.Open()
	if err != nil {
		panic(err)
	}
	defer r.Close()
	b, _ := io.ReadAll(r)
	for i, to := range env.To {
		c.took <- to.Address.String() + "\n" + string(b)
		as = append(as, queue.Attempt{To: i, Outcome: queue.Delivered, Said: "250 2.0.0"})
	}
	return as
}

// TestRealQueue: from the client's octets through the real queue and journal to
// the transport, byte for byte below what was put on top, and with a message
// that does not stay in memory.
func TestRealQueue(t *testing.T) {
	j, err := journal.Open(t.TempDir(), journal.Options{SegmentSize: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	s := newSite(nil)
	c := carrier{make(chan string, 10)}
	q := queue.New(queue.Options{Journal: j, Router: c, Trail: s.trail, IDs: mail.NewIDs("q", s.cfg.Now), Hostname: "mx.example.com", Now: s.cfg.Now})
	if err := j.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	q.Start()
	defer q.Stop(context.Background())
	s.cfg.Spool = FromQueue(q)
	for _, size := range []int{10, 3 << 20} {
		body := "From: a@b.test\r\n\r\n..stuffed\r\n" + strings.Repeat("0123456789abcde\xe9\r\n", size/18) + "the end\r\n"
		said := talk(&s.cfg, []byte("EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<team@example.com>\r\nDATA\r\n"+body+".\r\nQUIT\r\n"))
		if !strings.Contains(said, "250 2.0.0 Queued as") {
			t.Fatal(said)
		}
		want := strings.Replace(body, "..stuffed", ".stuffed", 1)
		for range 2 {
			got := <-c.took
			to, text, _ := strings.Cut(got, "\n")
			if to != "bob@example.com" && to != "carol@example.com" {
				t.Error("to", to)
			}
			if !strings.HasPrefix(text, "Received: from x") || !strings.HasSuffix(text, want) || strings.Index(text, "From: a@b") != len(text)-len(want) {
				t.Errorf("%d octets were changed on the way: %.300q", size, text)
			}
		}
	}
}
