package appliance

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/ldap"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/sasl"
)

// directories are the clients of directory servers that a configuration asks
// for, by server: those of a block share one.
type directories map[string]*directoryServer

// directoryServer is a client, and the settings that it was made of: a reload
// that leaves them alone keeps it with its connections.
type directoryServer struct {
	*ldap.Client
	made string
}

// directories makes the clients of the blocks, and keeps those of old that did
// not change.
func (a *Appliance) directories(s *policies.Settings, old *live) (directories, error) {
	ds := directories{}
	for _, d := range s.LDAP {
		at := d.At
		d.At = policies.Where{}
		text := fmt.Sprintf("%+v %s", d, string(d.Password))
		if old != nil && len(d.Servers) > 0 {
			if have := old.directories[d.Servers[0]]; have != nil && have.made == text {
				for _, server := range d.Servers {
					ds[server] = have
				}
				continue
			}
		}
		o := ldap.Options{Servers: d.Servers, StartTLS: d.StartTLS, Bind: d.Bind, Password: string(d.Password), Timeout: d.Timeout,
			Now: a.o.Now, Log: a.log.With("ldap", d.Name)}
		var err error
		if o.TLS, err = trusting(d.CA); err != nil {
			return nil, fmt.Errorf("%s:%d: ldap %q: ca: %w", at.File, at.Line, d.Name, err)
		}
		made := &directoryServer{ldap.New(o), text}
		for _, server := range d.Servers {
			ds[server] = made
		}
	}
	var sources []string
	for _, ls := range s.Listeners {
		sources = append(sources, ls.Auth)
	}
	for _, l := range s.Lists {
		sources = append(sources, l.Source)
	}
	for _, text := range sources {
		if src, err := ldap.ParseSource(text); err == nil { // the others are no URLs
			ds.need(a, src.Server, old)
		}
	}
	return ds, nil
}

// need sees to it that there is a client for a server that no block names.
func (ds directories) need(a *Appliance, server string, old *live) {
	if ds[server] != nil {
		return
	}
	if old != nil && old.directories[server] != nil && old.directories[server].made == server {
		ds[server] = old.directories[server]
		return
	}
	ds[server] = &directoryServer{ldap.New(ldap.Options{Servers: []string{server}, Now: a.o.Now, Log: a.log.With("ldap", server)}), server}
}

// closeExcept closes the clients that kept has not.
func (ds directories) closeExcept(kept directories) {
	used := map[*directoryServer]bool{}
	for _, d := range kept {
		used[d] = true
	}
	for _, d := range ds {
		if !used[d] {
			d.Close()
		}
	}
}

// trusting is the configuration of TLS towards servers whose certificates a file
// vouches for; nil for the system's.
func trusting(file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate in PEM form", file)
	}
	return &tls.Config{RootCAs: roots}, nil
}

// loginsFor is who may log in at a listener: the accounts, or the people of a
// directory. Both are guarded.
func (a *Appliance) loginsFor(ls policies.Listener) sasl.Logins {
	src, err := ldap.ParseSource(ls.Auth)
	if err != nil || a.guard == nil { // no URL: the accounts; no guard: a dry run, which asks nobody
		return a.logins
	}
	return a.guard.Wrap(sasl.Passwords(func(ctx context.Context, user, password string) (mail.Identity, error) {
		d := a.live().directories[src.Server]
		if d == nil { // a reload took it away, and this door is closing
			return mail.Identity{}, ldap.ErrAway
		}
		return d.Logins(src).Password(ctx, sasl.Client{}, user, password)
	}))
}
