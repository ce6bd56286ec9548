package inbound

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// BenchmarkEngine is go-smtp alone, with a session that takes everything, so
// that it is known how much of BenchmarkEdge is ours: "commands" hears what the
// wire lets it hear of a message, one line for each Read and an empty body,
// "whole" has the message and the socket to itself.
func BenchmarkEngine(b *testing.B) {
	lines := []string{"MAIL FROM:<>\r\n", "RCPT TO:A@B\r\n", "DATA\r\n", ".\r\n"}
	b.Run("commands", func(b *testing.B) { benchmarkEngine(b, lines) })
	whole := []string{"MAIL FROM:<a@b.test>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\n" + benchBody(8<<10) + ".\r\n"}
	b.Run("whole/8K", func(b *testing.B) { benchmarkEngine(b, whole) })
}

func benchmarkEngine(b *testing.B, message []string) {
	const each = 128
	pieces := []string{"EHLO x\r\n"}
	for range each {
		pieces = append(pieces, message...)
	}
	pieces = append(pieces, "QUIT\r\n")
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime()
	for i := 0; i < b.N; i += each {
		c := &lineByLine{pieces: pieces}
		runEngine(c)
		if n := bytes.Count(c.out.Bytes(), []byte("Queued as X")); n != each {
			b.Fatal(n, c.out.String())
		}
	}
	n := (b.N + each - 1) / each * each
	b.ReportMetric(float64((cpuTime()-before).Nanoseconds())/1000/float64(n), "cpu-us/op")
}

// runEngine serves one connection with go-smtp to its end.
func runEngine(c *lineByLine) {
	c.done = make(chan struct{})
	engine := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &taker{}, nil }))
	engine.ErrorLog = log.New(io.Discard, "", 0)
	l := &oneShot{first: make(chan net.Conn, 1), done: c.done, addr: c.LocalAddr()}
	l.first <- c
	engine.Serve(l)
	engine.Shutdown(context.Background())
}

// taker is a probe that reads the message.
type taker struct{ probe }

func (t *taker) Data(r io.Reader) error {
	io.Copy(io.Discard, r)
	return t.probe.Data(r)
}

// lineByLine is a connection that gives one piece for each Read, as the wire does.
type lineByLine struct {
	pieces []string
	rest   string
	out    bytes.Buffer
	done   chan struct{}
	closed bool
}

func (c *lineByLine) Read(p []byte) (int, error) {
	if c.rest == "" {
		if len(c.pieces) == 0 {
			return 0, io.EOF
		}
		c.rest, c.pieces = c.pieces[0], c.pieces[1:]
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *lineByLine) Write(p []byte) (int, error) { return c.out.Write(p) }

func (c *lineByLine) Close() error {
	if !c.closed {
		c.closed = true
		close(c.done)
	}
	return nil
}

func (c *lineByLine) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 25} }
func (c *lineByLine) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 1} }
func (c *lineByLine) SetDeadline(time.Time) error      { return nil }
func (c *lineByLine) SetReadDeadline(time.Time) error  { return nil }
func (c *lineByLine) SetWriteDeadline(time.Time) error { return nil }
