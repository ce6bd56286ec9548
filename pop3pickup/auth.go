package pop3pickup

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/sasl"
)

// maxFailures is how many wrong passwords end a session.
const maxFailures = 3

const needTLS = "Passwords are taken under TLS only: say STLS first, or use the port for POP3 over TLS"

func days(d time.Duration) string { return strconv.FormatInt(int64(d/(24*time.Hour)), 10) }

func (ss *session) canTLS() bool {
	_, has := ss.conn.(*tls.Conn)
	return ss.c.TLS != nil && !has
}

// stls begins TLS (RFC 2595 section 4). What was said before counts no more.
func (ss *session) stls(string) {
	if !ss.canTLS() {
		ss.fail("", "TLS is not possible here")
		return
	}
	ss.ok("begin TLS")
	if err := ss.w.Flush(); err != nil || !ss.handshake() {
		ss.state = ended
		return
	}
	ss.user = ""
}

// allowed tells whether logins are taken on this connection, and says so if not.
func (ss *session) allowed() bool {
	if !ss.secure() {
		ss.fail("", needTLS)
		return false
	}
	return true
}

// userCommand takes any name: whether there is one is nobody's business yet.
func (ss *session) userCommand(arg string) {
	switch {
	case !ss.allowed():
	case arg == "":
		ss.fail("", "USER needs a name")
	default:
		ss.user = arg
		ss.ok("send PASS")
	}
}

// pass takes the rest of the line, since a password may hold spaces (RFC 1939
// section 7).
func (ss *session) pass(arg string) {
	user := ss.user
	ss.user = ""
	switch {
	case !ss.allowed():
	case user == "":
		ss.fail("", "Say USER first")
	default:
		ss.login(user, arg)
	}
}

// auth is SASL (RFC 5034), with or without an initial response. Without an
// argument it lists the mechanisms, as old clients ask.
func (ss *session) auth(arg string) {
	if !ss.allowed() {
		return
	}
	mech, initial, has := strings.Cut(arg, " ")
	if mech == "" {
		ss.ok("mechanisms follow")
		for _, m := range ss.mechanisms() {
			ss.line("%s", m)
		}
		ss.endLines()
		return
	}
	ctx, cancel := context.WithTimeout(ss.s.ctx, authTime)
	defer cancel()
	x, err := sasl.Begin(ctx, strings.ToUpper(mech), ss.c.Logins, ss.loginClient())
	if err != nil {
		ss.fail("", "The mechanism is not known here: "+strings.Join(ss.mechanisms(), " ")+" are")
		return
	}
	ss.exchange(ctx, x, initial, has)
}

// authTime is how long a login may take, the client's answers included.
const authTime = 2 * time.Minute

// exchange runs a mechanism to its end.
func (ss *session) exchange(ctx context.Context, x sasl.Exchange, initial string, has bool) {
	var response []byte
	if has {
		if initial == "=" { // an empty one, RFC 5034 section 4
			initial = ""
		}
		var ok bool
		if response, ok = ss.decode(initial); !ok {
			return
		}
	}
	for {
		challenge, done, err := x.Next(response)
		switch {
		case err != nil:
			ss.refused(x.User(), err)
			return
		case done:
			ss.let(ctx, x.Identity())
			return
		}
		var ok bool
		if response, ok = ss.response(challenge); !ok {
			return
		}
	}
}

// mechanisms are those that the client may choose from.
func (ss *session) mechanisms() []string { return sasl.Offer(ss.c.Logins, ss.loginClient()) }

// loginClient is the client as those see it who know the users.
func (ss *session) loginClient() sasl.Client {
	c := sasl.Client{Protocol: "pop3", Listener: ss.c.Name, ID: ss.id}
	if ap, err := netip.ParseAddrPort(ss.raw.RemoteAddr().String()); err == nil {
		c.IP = ap.Addr().Unmap()
	}
	if t, ok := ss.conn.(*tls.Conn); ok {
		state := t.ConnectionState()
		c.TLS = &state
	}
	return c
}

// response is what the client answers to a challenge.
func (ss *session) response(challenge []byte) ([]byte, bool) {
	ss.line("+ %s", base64.StdEncoding.EncodeToString(challenge))
	if err := ss.w.Flush(); err != nil {
		ss.state = ended
		return nil, false
	}
	line, err := ss.read(maxResponse)
	switch {
	case errors.Is(err, errLineLong), errors.Is(err, errLineEnd):
		ss.fail("", err.Error())
		return nil, false
	case err != nil:
		ss.lost(err)
		return nil, false
	case string(line) == "*":
		ss.fail("", "AUTH was given up")
		return nil, false
	}
	return ss.decode(string(line))
}

func (ss *session) decode(s string) ([]byte, bool) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") {
		ss.fail("", "That is no base64")
		return nil, false
	}
	return b, true
}

// login checks a name and a password and opens the maildrop.
func (ss *session) login(user, password string) {
	ctx, cancel := context.WithTimeout(ss.s.ctx, time.Minute)
	defer cancel()
	id, err := ss.c.Logins.Password(ctx, ss.loginClient(), user, password)
	if err != nil {
		ss.refused(user, err)
		return
	}
	ss.let(ctx, id)
}

// refused answers a login that failed.
//
// Diagnostics: "cannot check a login" and "cannot open a maildrop" are trouble
// of ours; the client is told to come again. A wrong password is in the log as a
// warning with the client's address.
func (ss *session) refused(user string, err error) {
	var later *sasl.Later
	switch {
	case errors.Is(err, sasl.ErrMalformed):
		ss.fail("", "That is no message of the mechanism")
	case errors.Is(err, sasl.ErrActing):
		ss.fail("AUTH", "Nobody may act for somebody else here") // RFC 4616 section 2: the authorization identity
	case errors.Is(err, sasl.ErrCredentials):
		ss.wrong(user)
	case errors.As(err, &later):
		logins.WithLabelValues("later").Inc()
		ss.log.Warn("pop3: login put off", "user", user, "reason", later.Text)
		ss.err("SYS/TEMP", later.Text)
	default:
		logins.WithLabelValues("error").Inc()
		ss.log.Error("pop3: cannot check a login", "user", user, "error", err)
		ss.err("SYS/TEMP", "The login cannot be checked now, try again later")
	}
}

// let opens the maildrop of one who logged in, if not too soon.
func (ss *session) let(ctx context.Context, id mail.Identity) {
	if wait := ss.s.logins.wait(id.User, ss.c.Now()); wait > 0 {
		logins.WithLabelValues("delay").Inc()
		ss.err("LOGIN-DELAY", "Logins of this account come too fast; try again in "+wait.Round(time.Second).String())
		return
	}
	ss.open(ctx, id.User)
}

// wrong answers a wrong password, late, and later each time.
func (ss *session) wrong(user string) {
	ss.failures++
	logins.WithLabelValues("credentials").Inc()
	ss.log.Warn("pop3: wrong name or password", "user", user)
	if !ss.s.pause(time.Duration(ss.failures) * ss.c.AuthDelay) {
		ss.state = ended
		return
	}
	ss.fail("AUTH", "Wrong name or password")
	if ss.failures >= maxFailures {
		ss.reason = "too many wrong passwords"
		ss.state = ended
	}
}

// open takes the maildrop of an account.
func (ss *session) open(ctx context.Context, account string) {
	a, err := ss.c.Store.Account(account)
	if errors.Is(err, imapstore.ErrNoAccount) { // it has had no mail yet
		if err = ss.c.Store.Create(ctx, account, imapstore.AccountOptions{}); err == nil || errors.Is(err, imapstore.ErrExists) {
			a, err = ss.c.Store.Account(account)
		}
	}
	var d *maildrop
	if err == nil {
		d, err = openMaildrop(a)
	}
	switch {
	case errors.Is(err, imapstore.ErrInUse):
		logins.WithLabelValues("in_use").Inc()
		ss.err("IN-USE", "Another session has the maildrop") // RFC 2449 section 8.1.2
		return
	case err != nil:
		logins.WithLabelValues("error").Inc()
		ss.log.Error("pop3: cannot open a maildrop", "account", account, "error", err)
		ss.err("SYS/TEMP", "The maildrop cannot be opened now, try again later")
		return
	}
	logins.WithLabelValues("ok").Inc()
	ss.s.logins.note(account, ss.c.Now())
	ss.account, ss.drop, ss.state = account, d, transaction
	ss.ok("maildrop has %d messages (%d octets)", d.count, d.size)
}
