package appliance

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"

	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/certs"
)

// tlsFor is the certificate of a server, nil for one without TLS. Every server
// has a configuration of its own, so that no session ticket is good at another.
func (a *Appliance) tlsFor(s *policies.Settings, mode policies.TLSMode, cert string) (*tls.Config, error) {
	if mode == policies.TLSOff {
		return nil, nil
	}
	src, err := a.certificate(s, cert)
	if err != nil {
		return nil, err
	}
	return src.Config(), nil
}

// certificate finds the certificate of that name ("": the one called default, or
// the only one there is), or the self-signed one where none is configured.
// Sources are kept, so that all servers see a renewed file at once.
func (a *Appliance) certificate(s *policies.Settings, name string) (*certs.Source, error) {
	o := certs.Options{Now: a.o.Now, Log: a.log}
	for _, c := range s.Certs {
		if c.Name != name && (name != "" || c.Name != "default" && len(s.Certs) > 1) {
			continue
		}
		o.Name = c.Name
		return a.source(c.Cert+"\x00"+c.Key, func() (*certs.Source, error) { return certs.Files(c.Cert, c.Key, o) })
	}
	if name != "" {
		return nil, fmt.Errorf("no tls block is called %q", name)
	}
	return a.source("", func() (*certs.Source, error) {
		dir := filepath.Join(s.DataDir, "tls")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		a.log.Warn("no certificate is configured: a self-signed one is used", "dir", dir)
		return certs.SelfSigned(s.Hostname, dir, o)
	})
}

func (a *Appliance) source(key string, open func() (*certs.Source, error)) (*certs.Source, error) {
	if src, ok := a.certs[key]; ok {
		return src, nil
	}
	src, err := open()
	if err == nil {
		if a.certs == nil {
			a.certs = map[string]*certs.Source{}
		}
		a.certs[key] = src
	}
	return src, err
}
