package demo

import (
	"bytes"
	"io"
	"net"
	"sync"

	"github.com/emersion/go-smtp"
)

// received is a message that the pretend MX took.
type received struct {
	from string
	to   []string
	data []byte
}

// sink is the pretend internet's mail server: it takes everything and keeps it.
type sink struct {
	server *smtp.Server
	port   uint16

	mu   sync.Mutex
	got  []received
	more chan struct{} // a token for each message
}

// startSink listens on a free port of the address.
func startSink(ip string) (*sink, error) {
	ln, err := net.Listen("tcp", ip+":0")
	if err != nil {
		return nil, err
	}
	s := &sink{port: uint16(ln.Addr().(*net.TCPAddr).Port), more: make(chan struct{}, 1000)}
	s.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &sinkSession{s: s}, nil }))
	s.server.Domain = "mx.friend.test"
	go s.server.Serve(ln)
	return s, nil
}

func (s *sink) close() error { return s.server.Close() }

// messages are those taken so far.
func (s *sink) messages() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.got...)
}

type sinkSession struct {
	s *sink
	m received
}

func (t *sinkSession) Mail(from string, _ *smtp.MailOptions) error {
	t.m.from = from
	return nil
}

func (t *sinkSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	t.m.to = append(t.m.to, to)
	return nil
}

func (t *sinkSession) Data(r io.Reader) error {
	var b bytes.Buffer
	if _, err := io.Copy(&b, r); err != nil {
		return err
	}
	t.m.data = b.Bytes()
	t.s.mu.Lock()
	t.s.got = append(t.s.got, t.m)
	t.s.mu.Unlock()
	select {
	case t.s.more <- struct{}{}:
	default: // nobody counts that far
	}
	return nil
}

func (t *sinkSession) Reset()        { t.m = received{} }
func (t *sinkSession) Logout() error { return nil }
