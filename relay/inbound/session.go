package inbound

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"

	"github.com/emersion/go-smtp"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// session is the dialogue with one client. The wire asks it before go-smtp sees
// a command (talker), go-smtp when it has understood one (smtp.Session). It
// knows what may come when; judging and accepting stand in files of their own.
type session struct {
	conn  *conn
	cfg   *Config
	ps    *pipeline.Session
	ip    string // of the client
	claim claim  // who it is, where a server in front of us says so (XCLIENT)
	log   *slog.Logger
	tls   *tls.ConnectionState // nil without TLS

	ctx    context.Context
	cancel context.CancelFunc

	plan      pipeline.Plan // that judged the session
	connected *judged       // what came of Connect
	greeted   *judged       // and of Helo
	current   mail.ID       // of the transaction, from MAIL on
	reply     string        // that its message was taken
	count     int           // transactions so far
	tx        *transaction  // nil unless MAIL was accepted
	scratch   []byte        // for Received
	room      *room         // for accept; nil before the first message
	noted     bool          // the trail knows of the refusal that is about to go out
}

func newSession(c *conn) *session {
	cfg := &c.srv.cfg
	s := &session{conn: c, cfg: cfg, ip: c.client.String(), claim: claim{client: c.client}}
	s.ps = &pipeline.Session{
		ID: cfg.IDs.Session(), Start: cfg.Now(), Listener: cfg.Name, Client: c.client,
		Trusted: within(cfg.RelayFrom, c.client),
	}
	s.log = cfg.Log.With("client", s.ip)
	s.ctx, s.cancel = context.WithCancel(dns.WithBudget(c.srv.stop, pipeline.MaxQuestions))
	return s
}

// end is the end of the connection.
func (s *session) end() {
	defer s.conn.caught("session end")
	s.abort("the client went")
	s.cancel()
}

// id is the current transaction's, for the wire.
func (s *session) id() mail.ID { return s.current }

// name is the ID that stands in log lines: the transaction's, else the session's.
func (s *session) name() string {
	if s.current != "" {
		return string(s.current)
	}
	return string(s.ps.ID)
}

func (s *session) utf8() bool { return s.tx != nil && s.tx.SMTPUTF8 }

func (s *session) open() bool { return s.tx != nil }

func (s *session) unburden() { s.scratch, s.room = nil, nil }

func (s *session) binary() bool { return s.tx != nil && s.tx.env.Binary }

func (s *session) authAllowed() bool {
	return s.ps.TLS.On || s.cfg.AllowCleartext || s.ps.Client.IsLoopback()
}

// keywords are the extensions that EHLO tells of.
func (s *session) keywords() []string {
	ks := []string{"PIPELINING", "SIZE " + strconv.FormatInt(s.cfg.MaxSize, 10), "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN",
		"CHUNKING", "BINARYMIME", "MT-PRIORITY", s.limits()}
	if s.cfg.TLS != nil && !s.ps.TLS.On {
		ks = append(ks, "STARTTLS")
	}
	if s.ps.TLS.On {
		ks = append(ks, "REQUIRETLS") // RFC 8689 section 2, 1: only under TLS
	}
	if s.cfg.Auth && s.authAllowed() {
		ks = append(ks, "AUTH "+strings.Join(s.AuthMechanisms(), " "))
	}
	if s.mayClaim() {
		ks = append(ks, xclientKeyword)
	}
	return ks
}

// limits is what RFC 9422 tells of this session.
func (s *session) limits() string {
	const most = 999_999 // of its grammar
	return fmt.Sprintf("LIMITS MAILMAX=%d RCPTMAX=%d", min(mail.MaxTransactions, most), min(s.cfg.MaxRecipients, most))
}

// secured begins anew under TLS: RFC 3207 section 4.2.
func (s *session) secured(state tls.ConnectionState) {
	s.abort("STARTTLS")
	if own := (claim{client: s.conn.client}); s.claim != own { // said in the clear, by whomever
		s.claim = own
		s.anew(mail.Identity{})
		_, s.connected = s.judgeSession(pipeline.Connect)
	}
	s.tls = &state
	s.ps.TLS = pipeline.TLS{On: true, Version: tls.VersionName(state.Version),
		Cipher: tls.CipherSuiteName(state.CipherSuite), Verified: len(state.VerifiedChains) > 0}
	s.ps.Helo, s.ps.ESMTP, s.ps.Auth = "", false, mail.Identity{}
	s.greeted = nil
}

// hello takes HELO, EHLO or LHLO.
func (s *session) hello(verb, name string) (r mail.Reply) {
	s.abort(verb)
	s.ps.Helo, s.ps.ESMTP = s.introduced(verb, name)
	s.connected.restore(s.ps) // of an earlier HELO nothing holds
	r, s.greeted = s.judgeSession(pipeline.Helo)
	return r
}

// begin gives the transaction its ID, which even a refusal of MAIL names.
func (s *session) begin() mail.Reply {
	if s.tx != nil {
		return mail.Refuse(3, 5, 1, "A transaction is open: RSET ends it")
	}
	if s.count >= mail.MaxTransactions {
		return mail.Defer(21, 7, 0, "Too many messages in one session")
	}
	s.reply = queuedAs + string(s.ps.ID.Transaction(s.count))
	s.current = mail.ID(s.reply[len(queuedAs):])
	s.count++
	return mail.Reply{}
}

// Mail implements smtp.Session. The address is the wire's: go-smtp has lost its
// quotes.
func (s *session) Mail(_ string, o *smtp.MailOptions) (err error) {
	defer s.guard(&err)
	return said(s.mail(s.conn.wire.path, s.conn.wire.text, o))
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(_ string, o *smtp.RcptOptions) (err error) {
	defer s.guard(&err)
	return said(s.rcpt(s.conn.wire.path, s.conn.wire.text, o))
}

// Data implements smtp.Session. The data come from the wire; go-smtp's reader
// shows an empty body.
func (s *session) Data(io.Reader) (err error) {
	defer s.guard(&err)
	return s.data()
}

// Reset implements smtp.Session: RSET, EHLO, and the end of DATA.
func (s *session) Reset() {
	defer s.conn.caught("reset")
	s.abort("reset")
	s.current = ""
}

// Logout implements smtp.Session; the session ends with its connection.
func (s *session) Logout() error { return nil }

// guard makes a panic a 421, after which the wire closes the connection.
func (s *session) guard(err *error) {
	if p := recover(); p != nil {
		s.conn.panicked("session", p)
		s.conn.wire.each = nil
		*err = said(mail.Defer(21, 3, 0, "Internal error, closing the connection"))
	}
}

// said makes a Reply what go-smtp takes for one; nil for the zero Reply.
func said(r mail.Reply) error {
	if r.IsZero() {
		return nil
	}
	return &smtp.SMTPError{Code: r.Code(), EnhancedCode: smtp.EnhancedCode{int(r.Class), r.Subject[0], r.Subject[1]}, Message: r.Text}
}
