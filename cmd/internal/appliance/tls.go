package appliance

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/certs"
)

// certSet are the certificates of one configuration.
type certSet struct {
	all     []certs.Source          // the default first
	named   map[string]certs.Source // by tls block
	at      map[string]policies.Where
	sources map[string]certs.Source // by what they were made of, so that a reload keeps what did not change
}

// tlsFor is the configuration of a server, nil for one without TLS. Every server
// has one of its own, so that no session ticket is good at another. Which
// certificates there are it asks at each handshake.
func (a *Appliance) tlsFor(mode policies.TLSMode, names []string) *tls.Config {
	if mode == policies.TLSOff {
		return nil
	}
	return certs.Config(func() []certs.Source { return a.live().certs.choose(names) })
}

// choose gives the certificates of those names, or all.
func (c *certSet) choose(names []string) (list []certs.Source) {
	for _, n := range names {
		if src := c.named[n]; src != nil { // nil: a reload took it away, and its server with it
			list = append(list, src)
		}
	}
	if len(list) == 0 {
		return c.all
	}
	return list
}

// certificates opens those of a configuration, or the self-signed one where none
// is configured. Those of had that did not change are kept.
func (a *Appliance) certificates(s *policies.Settings, had *certSet) (c *certSet, err error) {
	c = &certSet{named: map[string]certs.Source{}, at: map[string]policies.Where{}, sources: map[string]certs.Source{}}
	opened := c
	defer func() {
		if err != nil {
			opened.closeBut(had)
		}
	}()
	for _, b := range s.Certs {
		src, err := c.source(had, sourceKey(b), func() (certs.Source, error) { return a.openCert(s, b) })
		if err != nil {
			return nil, fmt.Errorf("%s:%d: tls %q: %w", b.At.File, b.At.Line, b.Name, err)
		}
		c.named[b.Name], c.at[b.Name] = src, b.At
		if b.Name == "default" {
			c.all = slices.Insert(c.all, 0, src)
		} else {
			c.all = append(c.all, src)
		}
	}
	if len(c.all) > 0 {
		return c, nil
	}
	own, err := c.source(had, "", func() (certs.Source, error) { return a.openOwn(s) })
	c.all = []certs.Source{own}
	return c, err
}

// sourceKey is what a block's certificates come from.
func sourceKey(b policies.Certificate) string {
	key := fmt.Sprintf("%q %q %q", b.Name, b.Cert, b.Key)
	if b.ACME != nil {
		key += fmt.Sprintf(" %+v %s %s", *b.ACME, string(b.ACME.Roots), string(b.ACME.DNS.Secret))
	}
	return key
}

func (c *certSet) source(had *certSet, key string, open func() (certs.Source, error)) (src certs.Source, err error) {
	if had != nil {
		src = had.sources[key]
	}
	if src == nil {
		if src, err = open(); err != nil {
			return nil, err
		}
	}
	c.sources[key] = src
	return src, nil
}

// openCert opens the certificates of a block.
func (a *Appliance) openCert(s *policies.Settings, b policies.Certificate) (certs.Source, error) {
	o := certs.Options{Name: b.Name, Now: a.o.Now, Log: a.log}
	if b.ACME == nil {
		return certs.Files(b.Cert, b.Key, o)
	}
	f := certs.ACME{Names: b.ACME.Names, Email: b.ACME.Email, Directory: b.ACME.Directory, HTTP: b.ACME.HTTP, TLSALPN: b.ACME.TLSALPN,
		Dir: filepath.Join(s.DataDir, "tls", "acme")}
	if u := b.ACME.DNS; u.Server != "" {
		f.DNS = certs.DNSUpdate{Server: u.Server, Key: u.Key, Algorithm: u.Algorithm, Secret: string(u.Secret), Resolvers: s.DNS.Resolvers}
	}
	if b.ACME.Roots != "" {
		f.Roots = x509.NewCertPool()
		f.Roots.AppendCertsFromPEM([]byte(b.ACME.Roots)) // the configuration was checked
	}
	return certs.FromACME(f, o)
}

// openOwn opens the self-signed certificate.
func (a *Appliance) openOwn(s *policies.Settings) (certs.Source, error) {
	dir := filepath.Join(s.DataDir, "tls")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	a.log.Warn("no certificate is configured: a self-signed one is used", "dir", dir,
		"do", "port 25 can do with it; programs of people (submission, IMAP, POP3) complain: write a tls block with files, or with acme")
	return certs.SelfSigned(s.Hostname, dir, certs.Options{Now: a.o.Now, Log: a.log})
}

// closeBut ends the sources that the other set does not have.
func (c *certSet) closeBut(other *certSet) {
	for key, src := range c.sources {
		if other == nil || other.sources[key] != src {
			src.Close()
		}
	}
}

// refresh looks at files again. What cannot be used is told, and is no error of
// the configuration: what was in use stays.
func (c *certSet) refresh() (ds policies.Diagnostics) {
	if len(c.named) == 0 {
		c.all[0].Refresh() // our own, which has told the log what is wrong
	}
	for name, src := range c.named {
		if err := src.Refresh(); err != nil {
			d := policies.Diagnostic{Severity: policies.SeverityWarning, Summary: "A certificate cannot be used",
				Text: err.Error() + ". The one that was in use stays.", Fix: "Put a pair that fits in its place; it is taken up by itself.",
				File: c.at[name].File, In: "tls \"" + name + "\""}
			d.Start.Line = c.at[name].Line
			ds = append(ds, d)
		}
	}
	return ds
}

// show tells of the certificates in use.
func (c *certSet) show() (list []admin.Certificate) {
	block := map[certs.Source]string{}
	for name, src := range c.named {
		block[src] = name
	}
	for _, src := range c.all {
		for _, one := range src.Certificates() {
			list = append(list, admin.Certificate{Block: block[src], Names: one.Leaf.DNSNames, Expires: one.Leaf.NotAfter,
				SelfSigned: one.Leaf.Issuer.String() == one.Leaf.Subject.String()})
		}
	}
	return list
}

// watchCerts is how often certificates are looked at when no client comes.
const watchCerts = 30 * time.Second

// startWatchingCerts takes up new files, and keeps the metrics true, also where
// no client comes. What cannot be used the sources log themselves.
func (a *Appliance) startWatchingCerts() {
	a.periodically("watch of certificates", watchCerts, func(context.Context) { a.live().certs.refresh() })
}
