package inbound

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/sasl"
	"github.com/forepost/forepost/relay/trail"
)

// fakePlan answers with what the test says; the zero value lets all pass.
type fakePlan struct {
	run func(at pipeline.Stage, tx *pipeline.Transaction) []pipeline.Verdict
}

func (p *fakePlan) PlanFor(string) pipeline.Plan { return p }

func (p *fakePlan) Info() pipeline.PlanInfo { return pipeline.PlanInfo{Name: "test", Hash: "00"} }

func (p *fakePlan) Run(_ context.Context, at pipeline.Stage, tx *pipeline.Transaction) []pipeline.Verdict {
	if p.run != nil {
		if vs := p.run(at, tx); vs != nil {
			return vs
		}
	}
	if at != pipeline.Data {
		return nil
	}
	vs := make([]pipeline.Verdict, len(tx.To))
	for i := range vs {
		vs[i].To = i
	}
	return vs
}

// fakeDirectory has a few people at example.com, and a domain that takes any.
type fakeDirectory struct{}

func (fakeDirectory) Accepts(_ context.Context, to mail.Address) (mail.Acceptance, error) {
	switch {
	case to.Local == "unsure":
		return mail.Acceptance{}, errors.New("the directory is away")
	case to.Domain == "any.example":
		return mail.Acceptance{Ours: true, Known: true, Domain: to.Domain, Final: []mail.Address{to}}, nil
	case to.Domain != "example.com" && to.Domain != "":
		return mail.Acceptance{}, nil
	}
	acc := mail.Acceptance{Ours: true, Domain: "example.com"}
	switch strings.ToLower(to.Local) {
	case "bob", "carol", "a b":
		acc.Known, acc.Final = true, []mail.Address{to}
	case "postmaster":
		acc.Known, acc.Final = true, []mail.Address{mail.MustParseAddress("bob@example.com")}
	case "team":
		acc.Known, acc.Final = true, []mail.Address{mail.MustParseAddress("bob@example.com"), mail.MustParseAddress("carol@example.com")}
	}
	return acc, nil
}

func (fakeDirectory) Authenticate(_ context.Context, user, password string) (mail.Identity, error) {
	if user == "away" {
		return mail.Identity{}, errors.New("the directory is away")
	}
	if user != "demo" || password != "secret" {
		return mail.Identity{}, sasl.ErrCredentials
	}
	return mail.Identity{User: "demo", Addresses: []mail.Address{{Local: "demo", Domain: "example.com"}, {Local: "*", Domain: "demo.example"}}}, nil
}

// Identify implements Identifier.
func (fakeDirectory) Identify(_ context.Context, user string) (mail.Identity, error) {
	if user != "demo" {
		return mail.Identity{}, sasl.ErrCredentials
	}
	return mail.Identity{User: "demo", Addresses: []mail.Address{{Local: "demo", Domain: "example.com"}}}, nil
}

// fakeSpool keeps what was committed.
type fakeSpool struct {
	mu        sync.Mutex
	fail      error
	committed []queue.Submission
	messages  []*mail.Message
	drafts    int // open ones
}

func (f *fakeSpool) Draft(mail.ID) (Draft, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drafts++
	return &fakeDraft{spool: f}, nil
}

type fakeDraft struct {
	bytes.Buffer
	spool *fakeSpool
	over  bool
}

func (d *fakeDraft) Blob() mail.Blob { return mail.Bytes(d.Bytes()) }

func (d *fakeDraft) Commit(_ context.Context, subs ...queue.Submission) error {
	d.spool.mu.Lock()
	defer d.spool.mu.Unlock()
	if d.spool.fail != nil {
		return d.spool.fail
	}
	for _, s := range subs {
		m, err := mail.NewMessage(s.Prefix, s.Edits, d.Blob())
		if err != nil {
			return err
		}
		d.spool.committed = append(d.spool.committed, s)
		d.spool.messages = append(d.spool.messages, m)
	}
	return nil
}

func (d *fakeDraft) Discard() {
	d.spool.mu.Lock()
	defer d.spool.mu.Unlock()
	if !d.over {
		d.over = true
		d.spool.drafts--
	}
}

// text is the nth message as it goes out.
func (f *fakeSpool) text(t testing.TB, n int) string {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if n >= len(f.messages) {
		t.Fatalf("only %d messages were queued", len(f.messages))
	}
	r, err := f.messages[n].Open()
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(r)
	return string(b)
}

// to are the recipients of the last entry.
func (f *fakeSpool) to() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var to []string
	for _, r := range f.committed[len(f.committed)-1].Envelope.To {
		to = append(to, r.Address.String())
	}
	return strings.Join(to, " ")
}

func (f *fakeSpool) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.committed)
}

// fakeTrail keeps records.
type fakeTrail struct {
	mu      sync.Mutex
	records []trail.Record
}

func (f *fakeTrail) Record(r *trail.Record) {
	f.mu.Lock()
	f.records = append(f.records, *r)
	f.mu.Unlock()
}

func (f *fakeTrail) Event(trail.Event) {}

func (f *fakeTrail) all() []trail.Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]trail.Record(nil), f.records...)
}

// site is a server with fakes around it.
type site struct {
	cfg    Config
	plan   *fakePlan
	spool  *fakeSpool
	trail  *fakeTrail
	srv    *Server
	addr   string
	panics []string

	faraway bool // clients seem to come from elsewhere than loopback
}

// farListener gives its clients another address.
type farListener struct{ net.Listener }

func (l farListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return farConn{c}, nil
}

type farConn struct{ net.Conn }

func (farConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 1} }

var testTime = time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)

func newSite(change func(*Config)) *site {
	s := &site{plan: &fakePlan{}, spool: &fakeSpool{}, trail: &fakeTrail{}}
	s.cfg = Config{
		Name: "test", Hostname: "mx.example.com",
		Policies: s.plan, Directory: fakeDirectory{}, Logins: sasl.Passwords(fakeDirectory{}.Authenticate), Spool: s.spool, Trail: s.trail,
		Now: func() time.Time { return testTime },
		Quarantine: func(name string) mail.Address {
			return mail.Address{Local: "quarantine-" + name, Domain: "example.com"}
		},
		Panicked: func(where string) { s.panics = append(s.panics, where) },
		Idle:     5 * time.Second, DataTime: 5 * time.Second,
	}
	if change != nil {
		change(&s.cfg)
	}
	return s
}

// start serves on a loopback port until the test ends.
func (s *site) start(t testing.TB) *site {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if s.srv, err = New(s.cfg); err != nil {
		t.Fatal(err)
	}
	if s.faraway {
		l = farListener{l}
	}
	served := make(chan error, 1)
	go func() { served <- s.srv.Serve(l) }()
	s.addr = l.Addr().String()
	t.Cleanup(func() {
		s.srv.Close()
		if err := <-served; err != nil {
			t.Error("Serve:", err)
		}
		s.srv.running.Wait()
		s.spool.mu.Lock()
		defer s.spool.mu.Unlock()
		if s.spool.drafts != 0 {
			t.Errorf("%d drafts were left open", s.spool.drafts)
		}
	})
	return s
}

func relayFromLoopback(c *Config) {
	c.RelayFrom = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
}

// client is one who speaks SMTP by the octet.
type client struct {
	t    testing.TB
	conn net.Conn
	buf  []byte
}

func (s *site) dial(t testing.TB) *client {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &client{t: t, conn: conn}
}

func (c *client) send(text string) {
	c.conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(c.conn, text)
}

// line is the next line without its CRLF, "EOF" at the end.
func (c *client) line() string {
	c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		if i := bytes.Index(c.buf, []byte("\r\n")); i >= 0 {
			l := string(c.buf[:i])
			c.buf = c.buf[i+2:]
			return l
		}
		b := make([]byte, 4096)
		n, err := c.conn.Read(b)
		c.buf = append(c.buf, b[:n]...)
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return "TIMEOUT"
		}
		if n == 0 && err != nil {
			return "EOF"
		}
	}
}

// reply is a whole reply, its lines joined by newlines.
func (c *client) reply() string {
	var ls []string
	for {
		l := c.line()
		ls = append(ls, l)
		if len(l) < 4 || l[3] != '-' {
			return strings.Join(ls, "\n")
		}
	}
}

// say sends a line and wants a reply that begins so.
func (c *client) say(line, want string) string {
	c.t.Helper()
	c.send(line + "\r\n")
	return c.want(want)
}

func (c *client) want(want string) string {
	c.t.Helper()
	got := c.reply()
	if !strings.HasPrefix(got, want) {
		c.t.Fatalf("got %q, want %q", got, want)
	}
	return got
}

func (c *client) hello() *client {
	c.t.Helper()
	c.want("220 mx.example.com ESMTP")
	c.say("EHLO client.test", "250-mx.example.com")
	return c
}

func (c *client) startTLS() {
	c.t.Helper()
	conn := tls.Client(c.conn, &tls.Config{InsecureSkipVerify: true})
	if err := conn.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	c.conn, c.buf = conn, nil
}

// textLog is a log for tests to read.
func textLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

func netOf(s string) netip.Prefix { return netip.MustParsePrefix(s) }
