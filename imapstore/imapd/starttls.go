package imapd

import "crypto/tls"

func (s *session) canStartTLS() bool { return s.srv.cfg.TLS != nil && !s.secure }

// starttls is STARTTLS (RFC 9051 section 6.2.1). The handshake comes after the
// tagged answer: the loop sees upgrade.
func (s *session) starttls() reply {
	if !s.dec.End() {
		return syntax()
	}
	if !s.canStartTLS() {
		return no("", "TLS is not to be had here")
	}
	s.upgrade = true
	return done("Begin TLS now")
}

// startTLS makes the connection one of TLS. What the client sent behind
// STARTTLS in the clear lies in the old decoder and goes with it: somebody on
// the way may have put it there (RFC 9051 section 11.1).
func (s *session) startTLS() bool {
	s.upgrade = false
	if s.enc.Flush() != nil {
		return false
	}
	c := tls.Server(s.limit, s.srv.cfg.TLS)
	if err := c.HandshakeContext(s.ctx()); err != nil {
		s.log.Debug("imap: TLS handshake failed", "err", err)
		return false
	}
	s.use(c)
	s.secure = true
	return true
}
