package inbound

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// wire stands between TLS and go-smtp. To go-smtp it is a net.Conn that gives
// one clean command line for each Read and takes reply lines; towards the client
// it owns everything that has to do with octets: line ends and lengths, STARTTLS,
// the data and its end, deadlines, and the final wording of replies. Replies
// are kept back until the client is waited for, so that a pipelined group is
// answered in one write.
type wire struct {
	cfg  *Config
	talk talker
	conn net.Conn // with TLS, once that is on

	buf  []byte // read ahead: buf[r:n]
	few  []byte // is buf while a command is waited for
	r, n int
	line []byte // the line being read

	pending  []byte // what go-smtp has not read yet of the current line
	then     []byte // and the line behind it, where that is its introduction
	room     []byte // for it
	verb     string // of the command under way
	path     mail.Address
	text     string // the same as text
	body     string // the BODY parameter of MAIL, upper case
	priority int8   // and its MT-PRIORITY
	sasl     bool   // the next line answers a challenge of AUTH
	data     dataState
	size     int64  // octets of the data so far
	decoded  []byte // room for them

	chunk chunk     // of BDAT, not yet read
	again []byte    // a command that ended a message, to be taken next
	mute  bool      // what go-smtp says until it reads again is not for the client
	each  []answer  // our replies to the data, in place of go-smtp's one
	one   [1]answer // room for them

	engine []byte // what go-smtp has written of a line
	before []byte // and the lines of a reply before it, each with LF
	fresh  bool   // go-smtp has not greeted yet in this round
	out    []byte // replies that are not sent yet

	errors  int // refusals so far
	idle    int // commands that led nowhere since the last message
	closed  bool
	restart bool      // TLS began: go-smtp is to start anew
	asleep  bool      // go-smtp is not there, or is to go until there is a line for it
	tired   bool      // it went because the client is quiet
	greeted bool      // it has taken HELO or EHLO
	authed  bool      // and AUTH
	since   time.Time // when the client began to be waited for; zero: it is not yet
	secure  bool

	mu       sync.Mutex
	waiting  bool // for a command
	draining bool
}

// talker is what the wire asks of the dialogue above go-smtp.
type talker interface {
	hello(verb, name string) mail.Reply // a zero Reply: go on
	begin() mail.Reply                  // MAIL was seen
	xclient(arg string) (r mail.Reply, anew bool)
	keywords() []string // of EHLO
	authAllowed() bool
	utf8() bool     // the transaction is under SMTPUTF8
	binary() bool   // and under BODY=BINARYMIME
	priority() int8 // that it was given
	open() bool     // a transaction is
	unburden()      // nothing may come for long: what can be made again is to go
	id() mail.ID
	secured(tls.ConnectionState)
	refused(verb, reply string) // a refusal goes out, whoever made it
}

// dataState is how far DATA has come.
type dataState uint8

const (
	noData     dataState = iota
	dataOpen             // go-smtp waits for the data; it is to be read by readData
	dataDone             // it was read; go-smtp still waits for its end
	dataBroken           // it cannot be read to its end
)

const (
	bufSize      = 16 << 10
	smallBuf     = 2 << 10   // while a command is waited for
	tiredBuf     = 512       // and was for long
	maxSASLLine  = 12288     // RFC 4954 section 4
	maxSwallow   = 64 << 10  // of an overlong command line, before the client is hung up on
	maxIdle      = 100       // commands that lead nowhere
	drainData    = 1 << 20   // octets of data that are read beyond the limit and as much again
	dataDeadline = time.Hour // for the whole of the data
	writeTime    = time.Minute
	tlsTime      = time.Minute // for a handshake
)

var bufPool = sync.Pool{New: func() any { b := make([]byte, bufSize); return &b }}

// emptyBody is what go-smtp is shown of every message.
var emptyBody = []byte(".\r\n")

// Errors of reading a line that leave the connection usable.
var (
	errLongLine = errors.New("line too long")
	errBareLF   = errors.New("line ends in a bare LF")
	errDraining = errors.New("the server is shutting down")
	errSwallow  = errors.New("more of a line than will be read")
)

func newWire(cfg *Config, conn net.Conn) *wire {
	return &wire{cfg: cfg, conn: conn, asleep: true}
}

// release gives a large buffer back, which is empty or not used any more.
func (w *wire) release() {
	if b := w.buf; len(b) == bufSize {
		w.buf = nil
		bufPool.Put(&b)
	}
}

// small takes the place of the large buffer while a command is waited for: most
// connections do that most of the time. The buffer is empty then.
func (w *wire) small() {
	w.release()
	want := smallBuf
	if w.tired {
		want = tiredBuf
	}
	if len(w.few) != want {
		w.few = make([]byte, want)
	}
	w.buf = w.few
}

// large takes a large buffer, for data and for commands in great number.
func (w *wire) large() {
	if len(w.buf) < bufSize {
		w.buf = *bufPool.Get().(*[]byte)
	}
}

// Read gives go-smtp the next command line.
func (w *wire) Read(p []byte) (n int, err error) {
	w.introduced()
	if len(w.pending) == 0 {
		if err := w.next(); err != nil {
			w.flush()
			return 0, err
		}
	}
	n = copy(p, w.pending)
	w.pending = w.pending[n:]
	return n, nil
}

// next waits for a line that go-smtp is to see.
func (w *wire) next() error {
	switch w.data {
	case dataDone:
		w.data = noData
		w.pending = emptyBody
		return nil
	case dataOpen, dataBroken:
		w.closed = true
		return io.EOF
	}
	w.mute = false
	for !w.closed {
		if w.quiet() {
			return io.EOF
		}
		line, err := w.nextLine()
		if err != nil {
			if err = w.lineError(err); err != nil {
				return err
			}
			continue
		}
		if w.pass(line); len(w.pending) > 0 {
			return nil
		}
		if w.restart {
			return io.EOF
		}
	}
	return io.EOF
}

// nextLine is the line that ended a message, or the next that comes, behind a
// chunk that nobody wanted.
func (w *wire) nextLine() ([]byte, error) {
	if line := w.again; line != nil {
		w.again = nil
		return line, nil
	}
	if err := w.skipChunk(); err != nil {
		return nil, err
	}
	limit := w.cfg.MaxLine
	if w.sasl {
		limit = maxSASLLine
	}
	return w.readLine(limit, time.Time{})
}

// pass hands a line on: an answer to a challenge as it is, a command checked.
func (w *wire) pass(line []byte) {
	cmd := ""
	switch {
	case w.sasl:
		w.sasl = false
		w.room = append(append(w.room[:0], line...), "\r\n"...)
		w.pending = w.room
		return
	case string(line) == "DATA": // it comes with every message, and nothing of it is kept
		cmd = w.command("DATA")
	default:
		cmd = w.command(string(line))
	}
	if cmd != "" {
		w.room = append(append(w.room[:0], cmd...), "\r\n"...)
		w.pending = w.room
	}
}

// lineError answers an error of readLine; it returns those that end it all.
func (w *wire) lineError(err error) error {
	var timeout net.Error
	w.sasl, w.verb = false, ""
	switch {
	case errors.Is(err, errLongLine):
		w.answer(500, "5.5.2", "Line too long")
	case errors.Is(err, errBareLF):
		w.answer(500, "5.5.2", "Lines must end in CRLF")
	case errors.Is(err, errDraining):
		w.answer(421, "4.3.2", "The server is shutting down, try again")
	case errors.Is(err, errSwallow):
		w.answer(421, "4.7.0", "Line too long, closing the connection")
	case errors.As(err, &timeout) && timeout.Timeout():
		w.answer(421, "4.4.2", "Idle for too long, closing the connection")
	default:
		w.closed = true
		return io.EOF
	}
	return nil
}

// fill sends what is to be sent and reads what there is. While a command is
// waited for, drain may interrupt it.
func (w *wire) fill(command bool, deadline time.Time) error {
	if err := w.flush(); err != nil {
		return err
	}
	w.mu.Lock()
	if command && w.draining {
		w.mu.Unlock()
		return errDraining
	}
	w.waiting = command
	w.conn.SetReadDeadline(deadline)
	w.mu.Unlock()

	switch {
	case !command, w.n == len(w.buf) && w.n > 0: // the last read was full
		w.large()
	default:
		w.small()
	}
	n, err := w.conn.Read(w.buf)

	w.mu.Lock()
	w.waiting = false
	draining := w.draining
	w.mu.Unlock()
	w.r, w.n = 0, n
	if n > 0 {
		return nil
	}
	if command && draining {
		return errDraining
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// drain tells a client that waits to go, and one that sends its message to go
// afterwards.
func (w *wire) drain() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.draining = true
	if w.waiting {
		w.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// flush sends the replies that were kept back.
func (w *wire) flush() error {
	if len(w.out) == 0 {
		return nil
	}
	w.conn.SetWriteDeadline(time.Now().Add(writeTime))
	_, err := w.conn.Write(w.out)
	w.out = w.out[:0]
	if err != nil {
		w.closed = true
	}
	return err
}

// Close is called by go-smtp when it is done. The connection itself is closed
// by who accepted it.
func (w *wire) Close() error {
	w.closed = w.closed || !w.restart && !w.asleep
	return w.flush()
}

// LocalAddr is the address that the client connected to.
func (w *wire) LocalAddr() net.Addr { return w.conn.LocalAddr() }

// RemoteAddr is the client's.
func (w *wire) RemoteAddr() net.Addr { return w.conn.RemoteAddr() }
