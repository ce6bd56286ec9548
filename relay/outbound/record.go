package outbound

import (
	"crypto/x509"
	"errors"
	"net"
	"time"

	"github.com/forepost/forepost/relay/meter"
	"github.com/forepost/forepost/relay/trail"
)

var handshakes = meter.Counter("forepost_outbound_tls_total", "Connections to mail servers by MX: the policy (tlsa, sts, no-policy-found) and what failed of it, in the words of RFC 8460, or ok.", "policy", "result")

// record leaves what a connection came to in the trail, for who asks about a message
// and for the day's TLS reports. What failed for another reason than TLS is no word
// about it.
func (c *Client) record(e endpoint, sec security, s *session, fail *failure) {
	switch {
	case sec.session == nil:
	case fail != nil && fail.result != "":
		c.tellAt(sec, e.host, "", fail.result, fail.reply.Text, nil)
	case fail == nil:
		result := s.result
		if result == "" {
			result = sec.result
		}
		c.tellAt(sec, s.host, s.tls, result, s.note, s.raw)
	}
}

// tell is record for a host that is not connected to.
func (c *Client) tell(sec security, host string, fail *failure) {
	if sec.session != nil && fail.result != "" {
		c.tellAt(sec, host, "", fail.result, fail.reply.Text, nil)
	}
}

func (c *Client) tellAt(sec security, host, tls, result, note string, conn net.Conn) {
	word := result
	if word == "" {
		word = "ok"
	}
	handshakes.WithLabelValues(sec.session.Policy, word).Inc()
	if c.o.Trail == nil || sec.id == "" {
		return
	}
	one := *sec.session
	one.Result = result
	if conn != nil {
		one.Local, one.Remote = ipOf(conn.LocalAddr()), ipOf(conn.RemoteAddr())
	}
	c.o.Trail.Event(trail.Event{ID: sec.id, Time: c.o.Now(), What: "tls", Host: host, TLS: tls, Note: note, Session: &one})
}

func ipOf(a net.Addr) string {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.IP.String()
	}
	return ""
}

// resultOf is the word of RFC 8460 section 4.3 for a handshake that failed.
func resultOf(err error) string {
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &host):
		return "certificate-host-mismatch"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "certificate-expired"
	case errors.As(err, &invalid), errors.As(err, &unknown), errors.Is(err, errNoMatch):
		return "certificate-not-trusted"
	}
	return "validation-failure"
}

// webPKI verifies a chain for a name, by trusted roots (nil: the system's).
func webPKI(chain []*x509.Certificate, name string, roots *x509.CertPool, now time.Time) error {
	if len(chain) == 0 {
		return errors.New("the server showed no certificate")
	}
	o := x509.VerifyOptions{DNSName: name, Roots: roots, Intermediates: x509.NewCertPool(), CurrentTime: now}
	for _, cert := range chain[1:] {
		o.Intermediates.AddCert(cert)
	}
	_, err := chain[0].Verify(o)
	return err
}
