// Package certs gives the servers their TLS certificates: from files that are
// read again when they change, or self-signed.
package certs

import (
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/forepost/forepost/relay/meter"
)

var expiry = meter.Gauge("forepost_certificate_expiry_timestamp_seconds", "When certificates expire, as Unix time.", "name")

// lookAgain is how long a certificate is used before its files are looked at.
const lookAgain = 10 * time.Second

// Options of a Source. The zero value is usable.
type Options struct {
	Name string // in metrics and logs: the listener's, or the host's
	Now  func() time.Time
	Log  *slog.Logger
}

// Source is a certificate and its key. It is safe for concurrent use.
type Source struct {
	o         Options
	cert, key string // files

	mu     sync.Mutex
	loaded *tls.Certificate
	stamp  stamp
	looked time.Time
}

// stamp tells versions of the two files apart.
type stamp struct {
	cert, key         time.Time
	certSize, keySize int64
}

// Files takes a certificate chain and its key in PEM. They are read at once, and
// again when the files change (certbot and others replace them); while what is
// there cannot be used, the last one that could stays in use, and the log tells.
func Files(cert, key string, o Options) (*Source, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	s := &Source{o: o, cert: cert, key: key}
	if err := s.Reload(); err != nil {
		return nil, err
	}
	return s, nil
}

// Config makes a configuration for one service: TLS 1.2 at least, this
// certificate. Each service takes its own and keeps to it, since session tickets
// belong to a configuration: one that was given out for submission must not
// open a session elsewhere.
func (s *Source) Config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.current(), nil },
	}
}

// NotAfter is when the certificate in use expires.
func (s *Source) NotAfter() time.Time { return s.current().Leaf.NotAfter }

// Reload reads the files now. After an error the certificate in use stays.
func (s *Source) Reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.load()
}

// current is the certificate in use; the files are looked at now and then.
func (s *Source) current() *tls.Certificate {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.o.Now(); now.Sub(s.looked) >= lookAgain {
		s.looked = now
		if st, err := s.look(); err == nil && st != s.stamp {
			if err := s.load(); err != nil {
				s.o.Log.Error("the new certificate cannot be used, the old one stays", "name", s.o.Name, "error", err)
			}
		}
	}
	return s.loaded
}

func (s *Source) look() (stamp, error) {
	c, err := os.Stat(s.cert)
	if err != nil {
		return stamp{}, err
	}
	k, err := os.Stat(s.key)
	if err != nil {
		return stamp{}, err
	}
	return stamp{c.ModTime(), k.ModTime(), c.Size(), k.Size()}, nil
}

func (s *Source) load() error {
	st, err := s.look()
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	pair, err := tls.LoadX509KeyPair(s.cert, s.key)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", s.cert, s.key, err)
	}
	s.loaded, s.stamp, s.looked = &pair, st, s.o.Now()
	expiry.WithLabelValues(s.o.Name).Set(float64(pair.Leaf.NotAfter.Unix()))
	s.o.Log.Info("certificate loaded", "name", s.o.Name, "file", s.cert, "expires", pair.Leaf.NotAfter)
	return nil
}
