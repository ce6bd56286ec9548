package pop3pickup

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/outbound"
)

// BenchmarkSession is a whole session over TCP: login, UIDL, ten RETR of 10 KiB,
// QUIT.
func BenchmarkSession(b *testing.B) {
	h := build(b, Config{})
	who := people{}
	h.s.c.Logins = who.logins()
	for i := range 8 * 2 {
		who[fmt.Sprintf("u%d@example.com", i+1)] = "x"
		fill(b, h, fmt.Sprintf("u%d@example.com", i+1))
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go h.s.Serve(ln)
	b.SetBytes(100 << 10)
	var n atomic.Int64
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		user := fmt.Sprintf("u%d@example.com", n.Add(1))
		for pb.Next() {
			if err := fetchTen(ln.Addr().String(), user); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sessions/s")
}

// fill gives an account ten messages of 10 KiB.
func fill(b *testing.B, h *house, name string) {
	body := mail.Bytes("Subject: x\r\n\r\n" + strings.Repeat("0123456789 0123456789 0123456789 0123456789 0123456789 01234\r\n", 165))
	for range 10 {
		errs := h.store.Deliver(context.Background(), outbound.Delivery{To: []mail.Recipient{{Address: mail.MustParseAddress(name)}}, Message: &mail.Message{Blob: body}})
		if errs[0] != nil {
			b.Fatal(errs[0])
		}
	}
}

func fetchTen(addr, user string) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	r := textproto.NewReader(bufio.NewReaderSize(conn, 32<<10))
	say := func(line string, dots bool) error {
		if line != "" {
			fmt.Fprintf(conn, "%s\r\n", line)
		}
		reply, err := r.ReadLine()
		if err == nil && !strings.HasPrefix(reply, "+OK") {
			err = fmt.Errorf("%s: %s", line, reply)
		}
		if err == nil && dots {
			_, err = io.Copy(io.Discard, r.DotReader())
		}
		return err
	}
	for _, l := range []string{"", "USER " + user, "PASS x", "STAT"} {
		if err := say(l, false); err != nil {
			return err
		}
	}
	if err := say("UIDL", true); err != nil {
		return err
	}
	for i := range 10 {
		if err := say(fmt.Sprintf("RETR %d", i+1), true); err != nil {
			return err
		}
	}
	return say("QUIT", false)
}
