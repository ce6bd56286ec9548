package clamav_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/clamav"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// clamd speaks the daemon's side of INSTREAM, strictly, for one connection, and
// tells what it was sent.
type clamd struct {
	limit  int           // StreamMaxLength, 0 for none
	answer string        // in place of looking
	quiet  chan struct{} // not nil: never answer, until it is closed
	got    chan []byte
}

func (c *clamd) listen(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clamd.ctl")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c.got = make(chan []byte, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		c.serve(conn)
	}()
	return path
}

func (c *clamd) serve(conn net.Conn) {
	r := bufio.NewReader(conn)
	if cmd, err := r.ReadString(0); err != nil || cmd != "zINSTREAM\x00" {
		io.WriteString(conn, "UNKNOWN COMMAND\x00")
		return
	}
	var msg []byte
	for {
		var size uint32
		if binary.Read(r, binary.BigEndian, &size) != nil {
			return
		}
		if size == 0 {
			break
		}
		b := make([]byte, size)
		if _, err := io.ReadFull(r, b); err != nil {
			return
		}
		if msg = append(msg, b...); c.limit > 0 && len(msg) > c.limit {
			io.WriteString(conn, "INSTREAM size limit exceeded. ERROR\x00")
			return
		}
	}
	c.got <- msg
	if c.quiet != nil {
		<-c.quiet
		return
	}
	answer := c.answer
	if answer == "" {
		answer = "stream: OK\x00"
		if bytes.Contains(msg, []byte("EICAR-STANDARD")) {
			answer = "stream: Eicar-Test-Signature FOUND\x00"
		}
	}
	io.WriteString(conn, answer)
}

func inspect(ctx context.Context, t *testing.T, s clamav.Settings, text string) (pipeline.Finding, error) {
	t.Helper()
	settings := clamav.Kind().Settings().(*clamav.Settings)
	settings.Socket = s.Socket
	if s.MaxSize > 0 {
		settings.MaxSize = s.MaxSize
	}
	f, err := clamav.Kind().Build(settings, filters.Deps{Name: "clamav.main"})
	if err != nil {
		t.Fatal(err)
	}
	tx := pipeline.NewTransaction(&pipeline.Session{})
	tx.Message = &mail.Message{Blob: mail.Bytes(text)}
	return f.Inspect(ctx, tx)
}

const head = "From: a@b.test\r\n\r\n"

// TestAnswers: what the daemon says, and what becomes of it.
func TestAnswers(t *testing.T) {
	large := head + strings.Repeat("0123456789abcde\r\n", 20000) // several chunks
	for _, c := range []struct {
		why, text string
		d         clamd
		max       int64
		facts     pipeline.Facts
		err       string
	}{
		{"clean", head + "Hi\r\n", clamd{}, 0, pipeline.Facts{"infected": false, "virus": "", "tested": true}, ""},
		{"malware", head + "EICAR-STANDARD\r\n", clamd{}, 0, pipeline.Facts{"infected": true, "virus": "Eicar-Test-Signature", "tested": true}, ""},
		{"malware at the end of a large message", large + "EICAR-STANDARD\r\n", clamd{}, 0, pipeline.Facts{"infected": true, "virus": "Eicar-Test-Signature", "tested": true}, ""},
		{"too large for us: nobody is asked", large, clamd{}, 1000, pipeline.Facts{"infected": false, "virus": "", "tested": false}, ""},
		{"too large for clamd", large, clamd{limit: 1000}, 0, pipeline.Facts{"infected": false, "virus": "", "tested": false}, ""},
		{"an error of clamd is not clean", head, clamd{answer: "stream: Can't open file ERROR\x00"}, 0, nil, "Can't open file"},
		{"an answer that breaks off", head, clamd{answer: "stream: O"}, 0, nil, "breaks off"},
		{"an answer without end", head, clamd{answer: strings.Repeat("x", 1<<20)}, 0, nil, "breaks off"},
		{"a name that is no line", head, clamd{answer: "stream: a\r\nb FOUND\x00"}, 0, pipeline.Facts{"infected": true, "virus": "a  b", "tested": true}, ""},
	} {
		path := c.d.listen(t)
		fd, err := inspect(t.Context(), t, clamav.Settings{Socket: path, MaxSize: c.max}, c.text)
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: error %v", c.why, err)
			continue
		}
		for name, want := range c.facts {
			if fd.Facts[name] != want {
				t.Errorf("%s: %s is %v, want %v", c.why, name, fd.Facts[name], want)
			}
		}
		if tested, _ := fd.Facts["tested"].(bool); tested {
			if got := <-c.d.got; string(got) != c.text {
				t.Errorf("%s: clamd was sent %d octets that are not the message", c.why, len(got))
			}
		}
	}
}

// TestNobodyThere: a daemon that is away or silent is an error, within the time
// of the context.
func TestNobodyThere(t *testing.T) {
	if _, err := inspect(t.Context(), t, clamav.Settings{Socket: filepath.Join(t.TempDir(), "none")}, head); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("got %v", err)
	}
	d := clamd{quiet: make(chan struct{})}
	defer close(d.quiet)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := inspect(ctx, t, clamav.Settings{Socket: d.listen(t)}, head); err == nil || !strings.Contains(err.Error(), "no answer in time") {
		t.Errorf("got %v", err)
	}
}

// TestBadSettings are told when the configuration is read.
func TestBadSettings(t *testing.T) {
	for _, s := range []clamav.Settings{{Socket: "clamd", MaxSize: 1}, {Socket: "/run/x", MaxSize: 0}, {Socket: "/run/x", MaxSize: -5}} {
		if _, err := clamav.Kind().Build(&s, filters.Deps{}); err == nil {
			t.Errorf("%+v is taken", s)
		}
	}
	f, err := clamav.Kind().Build(&clamav.Settings{Socket: "127.0.0.1:3310", MaxSize: 1}, filters.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Inspect(t.Context(), pipeline.NewTransaction(&pipeline.Session{})); err == nil {
		t.Error("a message that is not there was looked at")
	}
}
