// Package certs gives the servers their TLS certificates: from files that are
// read again when they change, from an ACME directory (RFC 8555), or self-signed.
package certs

import (
	"crypto/tls"
	"io"
	"log/slog"
	"time"

	"github.com/forepost/forepost/relay/meter"
)

var expiry = meter.Gauge("forepost_certificate_expiry_timestamp_seconds", "When certificates expire, as Unix time.", "name")

// Options of a Source. The zero value is usable.
type Options struct {
	Name string // in metrics and logs: the tls block's, or the host's
	Now  func() time.Time
	Log  *slog.Logger
}

func (o Options) filled() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	return o
}

// Source is where certificates come from. It is safe for concurrent use.
type Source interface {
	// Certificates are those in use, the default first; never none, and each with
	// its Leaf. They belong to the source and are not changed.
	Certificates() []*tls.Certificate
	// Refresh takes up what changed since: new files, a renewal. After an error
	// what was in use stays.
	Refresh() error
	// Close ends what the source does in the background. What it gave stays good.
	Close()
}

// suites are the ciphers of TLS 1.2 (those of TLS 1.3 are not to be chosen):
// forward secrecy and authenticated encryption only, so no RSA key exchange, no
// CBC, no 3DES.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// Config makes a configuration for one service: TLS 1.2 at least, and for each
// handshake the certificate of the name that the client asks for. sources is
// asked each time, so that a reload needs no new configuration; it gives at
// least one, and the first one's default is what a client gets that names no
// host, or an unknown one.
//
// Each service takes its own configuration and keeps to it, since session
// tickets belong to a configuration: one that was given out for submission must
// not open a session elsewhere.
func Config(sources func() []Source) *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		CipherSuites: suites,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return choose(sources(), hello), nil
		},
	}
}

// choose finds the certificate for a client: of those that cover the name that
// it asks for (or the default's name) the first whose key it can use, so that
// RSA and ECDSA certificates may stand side by side.
func choose(sources []Source, hello *tls.ClientHelloInfo) *tls.Certificate {
	var all []*tls.Certificate
	for _, s := range sources {
		all = append(all, s.Certificates()...)
	}
	named := covering(all, hello.ServerName)
	if len(named) == 0 && len(all[0].Leaf.DNSNames) > 0 {
		named = covering(all, all[0].Leaf.DNSNames[0])
	}
	if len(named) == 0 {
		return all[0]
	}
	anyName := *hello
	anyName.ServerName = "" // that is settled: what is asked is the key
	for _, c := range named {
		if len(named) == 1 || anyName.SupportsCertificate(c) == nil {
			return c
		}
	}
	return named[0]
}

func covering(all []*tls.Certificate, name string) (list []*tls.Certificate) {
	for _, c := range all {
		if name != "" && c.Leaf.VerifyHostname(name) == nil {
			list = append(list, c)
		}
	}
	return list
}

// NotAfter is when a source's default certificate expires.
func NotAfter(s Source) time.Time { return s.Certificates()[0].Leaf.NotAfter }
