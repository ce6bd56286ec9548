package pop3pickup

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/imapstore/accounts"
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

// auth is SASL (RFC 5034): PLAIN (RFC 4616) and LOGIN, with or without an initial
// response. Without an argument it lists the mechanisms, as old clients ask.
func (ss *session) auth(arg string) {
	if !ss.allowed() {
		return
	}
	mech, initial, has := strings.Cut(arg, " ")
	switch strings.ToUpper(mech) {
	case "":
		ss.ok("mechanisms follow")
		ss.line("PLAIN")
		ss.line("LOGIN")
		ss.endLines()
	case "PLAIN":
		ss.authPlain(initial, has)
	case "LOGIN":
		ss.authLogin(initial, has)
	default:
		ss.fail("", "The mechanism is not known here: PLAIN and LOGIN are")
	}
}

func (ss *session) authPlain(initial string, has bool) {
	msg, ok := ss.response("", initial, has)
	if !ok {
		return
	}
	part := strings.Split(msg, "\x00")
	switch {
	case len(part) != 3 || part[1] == "":
		ss.fail("", "That is no PLAIN message")
	case part[0] != "" && accounts.Normal(part[0]) != accounts.Normal(part[1]):
		ss.fail("AUTH", "Nobody may act for somebody else here") // RFC 4616 section 2: the authorization identity
	default:
		ss.login(part[1], part[2])
	}
}

func (ss *session) authLogin(initial string, has bool) {
	user, ok := ss.response("Username:", initial, has)
	if !ok {
		return
	}
	if password, ok := ss.response("Password:", "", false); ok {
		ss.login(user, password)
	}
}

// response is the initial response, where there is one ("=" is an empty one, RFC
// 5034 section 4), or else what the client answers to a challenge.
func (ss *session) response(challenge, initial string, has bool) (string, bool) {
	if has {
		if initial == "=" {
			initial = ""
		}
		return ss.decode(initial)
	}
	ss.line("+ %s", base64.StdEncoding.EncodeToString([]byte(challenge)))
	if err := ss.w.Flush(); err != nil {
		ss.state = ended
		return "", false
	}
	line, err := ss.read(maxResponse)
	switch {
	case errors.Is(err, errLineLong), errors.Is(err, errLineEnd):
		ss.fail("", err.Error())
		return "", false
	case err != nil:
		ss.lost(err)
		return "", false
	case string(line) == "*":
		ss.fail("", "AUTH was given up")
		return "", false
	}
	return ss.decode(string(line))
}

func (ss *session) decode(s string) (string, bool) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") {
		ss.fail("", "That is no base64")
		return "", false
	}
	return string(b), true
}

// login checks a name and a password and opens the maildrop.
//
// Diagnostics: "cannot check a login" and "cannot open a maildrop" are trouble
// of ours; the client is told to come again. A wrong password is in the log as a
// warning with the client's address.
func (ss *session) login(user, password string) {
	ctx, cancel := context.WithTimeout(ss.s.ctx, time.Minute)
	defer cancel()
	acc, err := ss.c.Accounts.Authenticate(ctx, user, password)
	switch {
	case errors.Is(err, accounts.ErrCredentials):
		ss.wrong(user)
		return
	case err != nil:
		logins.WithLabelValues("error").Inc()
		ss.log.Error("pop3: cannot check a login", "user", user, "error", err)
		ss.err("SYS/TEMP", "The login cannot be checked now, try again later")
		return
	}
	if wait := ss.s.logins.wait(acc.Name, ss.c.Now()); wait > 0 {
		logins.WithLabelValues("delay").Inc()
		ss.err("LOGIN-DELAY", "Logins of this account come too fast; try again in "+wait.Round(time.Second).String())
		return
	}
	ss.open(ctx, acc)
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
func (ss *session) open(ctx context.Context, acc accounts.Account) {
	a, err := ss.c.Store.Account(acc.Name)
	if errors.Is(err, imapstore.ErrNoAccount) { // it has had no mail yet
		if err = ss.c.Store.Create(ctx, acc.Name, imapstore.AccountOptions{Quota: acc.Quota}); err == nil || errors.Is(err, imapstore.ErrExists) {
			a, err = ss.c.Store.Account(acc.Name)
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
		ss.log.Error("pop3: cannot open a maildrop", "account", acc.Name, "error", err)
		ss.err("SYS/TEMP", "The maildrop cannot be opened now, try again later")
		return
	}
	logins.WithLabelValues("ok").Inc()
	ss.s.logins.note(acc.Name, ss.c.Now())
	ss.account, ss.drop, ss.state = acc.Name, d, transaction
	ss.ok("maildrop has %d messages (%d octets)", d.count, d.size)
}
