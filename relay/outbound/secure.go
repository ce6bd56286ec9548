package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/route"
)

// secure starts TLS as the delivery asks for it (RFC 3207):
//
//	may       where it is offered, with any certificate; in cleartext where it is
//	          not offered or refused
//	require   always, with any certificate
//	verify    always, with a certificate of the host's name from a trusted root
//	dane      always, with a certificate that a TLSA record of the host knows
//
// What is missed is a transient failure, except under may: somebody on the way may
// have taken the offer out, and the mail is not to be lost for it.
func (c *Client) secure(ctx context.Context, s *session, e endpoint, sec security, tryTLS bool) *failure {
	if e.network == "unix" {
		return nil // nobody is on the way
	}
	must, missed := sec.tls != route.TLSMay, "does not offer STARTTLS"
	if s.has("STARTTLS") && tryTLS && s.tls == "" {
		if fail := c.startTLS(ctx, s, e, sec); fail != nil {
			return fail
		}
		missed = "refused STARTTLS"
	}
	if s.tls == "" && tryTLS {
		s.result = "starttls-not-supported"
		s.note = trimmed("in cleartext: the server " + missed + "; " + sec.why)
	}
	if must && s.tls == "" {
		fail := s.ours(7, 10, "The server "+missed+", which "+sec.who+" demands")
		fail.result = s.result
		return fail
	}
	if sec.onward && !s.has("REQUIRETLS") {
		// RFC 8689 section 4.2.1; permanent only if no host does better.
		return &failure{reply: mail.Refuse(50, 7, 30, "The server does not promise REQUIRETLS, which the sender asked for"), host: s.host, tls: s.tls}
	}
	return nil
}

func trimmed(s string) string { return strings.TrimSuffix(s, "; ") }

// startTLS changes to TLS. A server that refuses goes on in cleartext; secure
// looks at that.
func (c *Client) startTLS(ctx context.Context, s *session, e endpoint, sec security) *failure {
	resp, err := s.do("STARTTLS")
	if err != nil {
		return s.lost("we waited for the reply to STARTTLS", err)
	}
	if s.broken { // 421
		return s.refused(resp)
	}
	if resp.code != 220 {
		return nil
	}
	// What lies in the buffer came in cleartext, from anybody, and would be read
	// as a reply under TLS (CVE-2011-0411 and its kin, on our side).
	if n := s.r.Buffered(); n > 0 {
		return s.noTLS(fmt.Errorf("%d octets in cleartext came after the reply to STARTTLS", n))
	}
	if fail := c.handshake(ctx, s, e, sec); fail != nil {
		return fail
	}
	return s.hello(c.o.Hostname) // all that was said before is forgotten, RFC 3207 section 4.2
}

// handshake makes TLS of the connection. A resumed session is verified like a new
// one.
func (c *Client) handshake(ctx context.Context, s *session, e endpoint, sec security) *failure {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	conf, seen := c.tls.Clone(), ""
	conf.ServerName = e.name
	if sec.dane != nil {
		conf.ServerName = sec.dane.base // RFC 7672 section 8.1
	}
	conf.VerifyConnection = func(cs tls.ConnectionState) (err error) {
		seen, s.result, err = sec.verify(cs, e.name, conf.RootCAs, c.o.Now())
		return err
	}
	conn := tls.Client(s.conn, conf)
	if err := conn.HandshakeContext(ctx); err != nil {
		return s.noTLS(err)
	}
	s.use(conn)
	s.tls = tlsText(conn.ConnectionState()) + ", " + seen
	s.note = sec.why
	return nil
}

// verify checks what a server shows. seen says what it came to; result is what
// failed of a policy that is only in testing.
func (s *security) verify(cs tls.ConnectionState, name string, roots *x509.CertPool, now time.Time) (seen, result string, err error) {
	if s.dane != nil {
		how, err := s.dane.verify(cs.PeerCertificates, now)
		if err != nil {
			return "", "", &tls.CertificateVerificationError{UnverifiedCertificates: cs.PeerCertificates, Err: err}
		}
		return "verified by " + how, "", nil
	}
	err = webPKI(cs.PeerCertificates, name, roots, now)
	switch {
	case err == nil:
		return "verified", "", nil
	case s.tls >= route.TLSVerify:
		return "", "", &tls.CertificateVerificationError{UnverifiedCertificates: cs.PeerCertificates, Err: err}
	case s.watch:
		result = resultOf(err)
	}
	return "not verified (" + printable(err.Error()) + ")", result, nil
}

func (s *session) noTLS(err error) *failure {
	s.broken = true
	return &failure{reply: mail.Defer(54, 7, 5, "TLS failed: "+printable(err.Error())), host: s.host, handshake: true, result: resultOf(err)}
}

// login authenticates at a smarthost (RFC 4954), over TLS only. A failure is
// transient, since passwords are changed back: nobody's mail bounces for it.
func (s *session) login(user, password string) *failure {
	if s.tls == "" {
		return s.ours(7, 10, "The route has a user, and a password goes out over TLS only: the server does not offer it")
	}
	mechs := " " + strings.ToUpper(s.ext["AUTH"]) + " "
	var resp response
	var err error
	switch {
	case strings.Contains(mechs, " PLAIN "):
		resp, err = s.do("AUTH PLAIN " + b64("\x00"+user+"\x00"+password)) // RFC 4616
	case strings.Contains(mechs, " LOGIN "):
		resp, err = s.authLogin(user, password)
	default:
		return s.ours(7, 8, "The server offers neither AUTH PLAIN nor AUTH LOGIN, and the route has a user")
	}
	if err != nil {
		return s.lost("we logged in", err)
	}
	if resp.ok() {
		return nil
	}
	return s.ours(7, 8, "The server refused the login of user "+printable(user)+": "+resp.said())
}

func (s *session) authLogin(user, password string) (response, error) {
	resp, err := s.do("AUTH LOGIN")
	for _, answer := range []string{user, password} {
		if err != nil || resp.code != 334 {
			return resp, err
		}
		resp, err = s.do(b64(answer))
	}
	return resp, err
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
