package certs

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// ACME says where certificates are asked for (RFC 8555), and for what.
type ACME struct {
	Names     []string       // host names, one certificate for each; the first is the default
	Email     string         // of the account
	Directory string         // its URL; "" is Let's Encrypt
	Roots     *x509.CertPool // who signs the directory's own certificate; nil: whom the system trusts
	Dir       string         // where accounts, keys and certificates are kept, for the owner only

	// Where challenges are answered while they are open, host:port; "" leaves that
	// sort of challenge out. The directory comes to port 80 and 443 of the name.
	HTTP, TLSALPN string
	// DNS is where challenges are published in the DNS instead; the zero value is not.
	DNS DNSUpdate

	renewEvery time.Duration                                 // how often renewal is thought of; 0 for the usual
	obtain     func(*Managed, context.Context, string) error // other than the directory only in a test
	again      time.Duration                                 // after the client gave up; 0 for an hour
}

// Managed gives certificates that are fetched and renewed in the background.
// Until there is one for a name, a self-signed certificate serves.
type Managed struct {
	o       Options
	a       ACME
	cache   *certmagic.Cache
	magic   *certmagic.Config
	stop    context.CancelFunc
	running sync.WaitGroup

	mu    sync.Mutex
	own   *tls.Certificate // the self-signed
	aging map[string]*aging
}

// FromACME begins to manage certificates. It does not wait for them. Close ends it.
func FromACME(a ACME, o Options) (*Managed, error) {
	m := &Managed{o: o.filled(), a: a, aging: map[string]*aging{}}
	var err error
	if m.own, err = selfSigned(a.Names, m.o.Now(), nil); err != nil {
		return nil, fmt.Errorf("self-signed certificate for %s: %w", a.Names[0], err)
	}
	issuer, err := m.issuer()
	if err != nil {
		return nil, err
	}
	logger := zap.New(slogCore{log: m.o.Log})
	m.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert:   func(certmagic.Certificate) (*certmagic.Config, error) { return m.magic, nil },
		RenewCheckInterval: a.renewEvery, Logger: logger,
	})
	m.magic = certmagic.New(m.cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: a.Dir}, Logger: logger, OnEvent: m.event,
	})
	issuer.Logger = logger
	m.magic.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(m.magic, issuer)}
	ctx, stop := context.WithCancel(context.Background())
	m.stop = stop
	for _, name := range a.Names {
		m.running.Go(func() { m.manage(ctx, name) })
	}
	return m, nil
}

// issuer is the ACME client's configuration.
func (m *Managed) issuer() (i certmagic.ACMEIssuer, err error) {
	i = certmagic.ACMEIssuer{CA: m.a.Directory, Email: m.a.Email, Agreed: true, TrustedRoots: m.a.Roots,
		DisableHTTPChallenge: m.a.HTTP == "", DisableTLSALPNChallenge: m.a.TLSALPN == ""}
	if i.CA == "" {
		i.CA = certmagic.LetsEncryptProductionCA
	}
	host, port, err := hostPort(m.a.HTTP)
	if err != nil {
		return i, err
	}
	alpnHost, alpnPort, err := hostPort(m.a.TLSALPN)
	if err != nil {
		return i, err
	}
	if m.a.DNS.Server != "" {
		i.DNS01Solver = m.a.DNS.solver(m.o.Log)
	}
	if m.a.HTTP != "" && m.a.TLSALPN != "" && host != alpnHost {
		return i, fmt.Errorf("challenges are answered at %s and at %s: the host must be the same", m.a.HTTP, m.a.TLSALPN)
	}
	i.ListenHost, i.AltHTTPPort, i.AltTLSALPNPort = max(host, alpnHost), port, alpnPort
	return i, nil
}

func hostPort(address string) (host string, port int, err error) {
	if address == "" {
		return "", 0, nil
	}
	host, p, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(p)
	return host, port, err
}

// manage brings one certificate into the cache, where it is renewed from then
// on. It tries until it succeeds: the client with growing pauses, and where that
// gives up (after a month, or at an error that it takes for lasting) once more.
func (m *Managed) manage(ctx context.Context, name string) {
	again := cmp.Or(m.a.again, time.Hour)
	for {
		err := m.bring(ctx, name)
		if err == nil || ctx.Err() != nil {
			return
		}
		m.o.Log.Error("no certificate could be had; it is asked for again later", "name", name, "in", again, "error", err, "do", m.advice())
		select {
		case <-ctx.Done():
			return
		case <-time.After(again):
		}
	}
}

// bring is one try of it.
func (m *Managed) bring(ctx context.Context, name string) error {
	c, err := m.magic.CacheManagedCertificate(ctx, name)
	switch {
	case err == nil && !c.NeedsRenewal(m.magic):
		m.show(name, &c.Certificate)
		return nil
	case err == nil:
		m.show(name, &c.Certificate)
		err = m.magic.RenewCertAsync(ctx, name, false)
	default:
		if !errors.Is(err, fs.ErrNotExist) {
			m.o.Log.Error("the certificate that is kept cannot be used, another is asked for", "name", name, "dir", m.a.Dir, "error", err)
		}
		m.o.Log.Warn("no certificate yet: a self-signed one serves until the ACME directory has given one", "name", name, "directory", m.a.Directory)
		m.show(name, m.ownPair())
		if m.a.obtain != nil {
			err = m.a.obtain(m, ctx, name)
		} else {
			err = m.magic.ObtainCertAsync(ctx, name)
		}
	}
	if err == nil {
		c, err = m.magic.CacheManagedCertificate(ctx, name)
	}
	if err == nil {
		m.show(name, &c.Certificate)
	}
	return err
}

// event hears what happens to certificates.
func (m *Managed) event(_ context.Context, event string, data map[string]any) error {
	name, _ := data["identifier"].(string)
	switch event {
	case "cert_obtained":
		m.o.Log.Info("certificate obtained", "name", name, "renewal", data["renewal"], "directory", m.a.Directory)
	case "cert_failed":
		m.o.Log.Error("a certificate could not be obtained and is tried again; what was in use stays",
			"name", name, "directory", m.a.Directory, "error", data["error"],
			"do", m.advice())
	}
	return nil
}

// advice is what to look at when the directory gives none.
func (m *Managed) advice() string {
	if m.a.DNS.Server != "" {
		return "see that " + m.a.DNS.Server + " takes updates with the key " + m.a.DNS.Key + ", and that the world sees the zone's TXT records"
	}
	return "see that the name resolves to this machine, and that the directory can reach port 80 or 443 of it"
}

// Certificates are those of the names, in their order, with the self-signed one
// in the place of the first that is missing.
func (m *Managed) Certificates() (list []*tls.Certificate) {
	own := false
	for _, name := range m.a.Names {
		if c := m.newest(name); c != nil {
			list = append(list, c)
		} else if !own {
			own = true
			list = append(list, m.ownPair())
		}
	}
	return list
}

// ownPair is the self-signed certificate, made anew before it ends.
func (m *Managed) ownPair() *tls.Certificate {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ending(m.own.Leaf, m.o.Now()) {
		if c, err := selfSigned(m.a.Names, m.o.Now(), nil); err == nil {
			m.own = c
		}
	}
	return m.own
}

// newest is the certificate of a name that is good for longest, nil for none.
func (m *Managed) newest(name string) (best *tls.Certificate) {
	for _, c := range m.cache.AllMatchingCertificates(name) {
		if best == nil || c.Leaf.NotAfter.After(best.Leaf.NotAfter) {
			best = &c.Certificate
		}
	}
	return best
}

// Refresh brings the metrics up to date, and tells the log of a certificate that
// ends soon; renewal needs no push.
func (m *Managed) Refresh() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range m.a.Names {
		c := m.newest(name)
		if c == nil {
			continue
		}
		m.show(name, c)
		if m.aging[name] == nil {
			m.aging[name] = &aging{}
		}
		m.aging[name].tell(m.o, m.o.Name, m.a.Dir, c.Leaf, "see the errors about "+name+" above: the ACME directory did not renew it")
	}
	return nil
}

func (m *Managed) show(name string, c *tls.Certificate) {
	expiry.WithLabelValues(m.o.Name + "/" + name).Set(float64(c.Leaf.NotAfter.Unix()))
}

// Close ends fetching and renewing.
func (m *Managed) Close() {
	m.stop()
	m.running.Wait()
	m.cache.Stop()
	for _, name := range m.a.Names {
		expiry.DeleteLabelValues(m.o.Name + "/" + name)
	}
}
