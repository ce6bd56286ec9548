package sts

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/forepost/forepost/relay/dns"
)

// Results are the words of RFC 8460 section 4.3 for a policy that could not be had.
const (
	ResultFetch   = "sts-policy-fetch-error"
	ResultInvalid = "sts-policy-invalid"
	ResultWebPKI  = "sts-webpki-invalid"
)

// Error is why a policy could not be had.
type Error struct {
	Result string // a word of RFC 8460, "" where it is the DNS that could not tell
	Text   string
}

func (e *Error) Error() string { return e.Text }

// fetchTime is how long a policy host may take for everything. Mail waits for it
// once, so that the minute of RFC 8461 section 3.3 is not used up.
const fetchTime = 20 * time.Second

// client fetches policies over HTTPS: no proxy, no redirect (RFC 8461 section 3.3),
// and nothing of what it is sent is kept between two requests.
func client(o *Options) *http.Client {
	dial := o.Dial
	if dial == nil {
		dial = Dialer(o.DNS)
	}
	conf := o.TLS.Clone()
	if conf == nil {
		conf = &tls.Config{}
	}
	conf.MinVersion = max(conf.MinVersion, tls.VersionTLS12)
	return &http.Client{
		Timeout:       fetchTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DialContext: dial, TLSClientConfig: conf, ForceAttemptHTTP2: true, DisableKeepAlives: true,
			DisableCompression: true, MaxResponseHeaderBytes: 16 << 10},
	}
}

// fetch gets the policy of a domain from its policy host.
func (c *Cache) fetch(ctx context.Context, domain string) (Policy, *Error) {
	url := "https://mta-sts." + domain + "/.well-known/mta-sts.txt"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return Policy{}, &Error{ResultFetch, fmt.Sprintf("%s: %v", url, err)}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return Policy{}, &Error{resultOf(err), fmt.Sprintf("the policy host did not give it: %v", err)}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return Policy{}, &Error{ResultFetch, fmt.Sprintf("%s answered %d", url, resp.StatusCode)}
	}
	if media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || media != "text/plain" {
		return Policy{}, &Error{ResultFetch, fmt.Sprintf("%s is %.60q, not text/plain", url, resp.Header.Get("Content-Type"))}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxPolicy+1))
	if err != nil {
		return Policy{}, &Error{ResultFetch, fmt.Sprintf("%s broke off: %v", url, err)}
	}
	p, err := Parse(string(body))
	if err != nil {
		return Policy{}, &Error{ResultInvalid, fmt.Sprintf("%s: %v", url, err)}
	}
	return p, nil
}

// resultOf tells a certificate that does not hold from all else.
func resultOf(err error) string {
	var cert *tls.CertificateVerificationError
	var host x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	if errors.As(err, &cert) || errors.As(err, &host) || errors.As(err, &unknown) || errors.As(err, &invalid) {
		return ResultWebPKI
	}
	return ResultFetch
}

// guarded connects only to addresses of the open internet: the name that is asked
// for belongs to whoever mail goes to, and must not reach what stands behind us.
type guarded struct{ r dns.Resolver }

// Dialer connects to names that strangers chose, but only to addresses of the open
// internet.
func Dialer(r dns.Resolver) func(ctx context.Context, network, address string) (net.Conn, error) {
	return (&guarded{r}).dial
}

func (g *guarded) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	ips, err := dns.LookupAddrs(ctx, g.r, host)
	if err != nil {
		return nil, err
	}
	err = fmt.Errorf("no address of %s is on the open internet", host)
	tried := 0
	for _, ip := range ips {
		if !open(ip) || tried >= 4 {
			continue
		}
		tried++
		var d net.Dialer
		conn, e := d.DialContext(ctx, "tcp", net.JoinHostPort(ip.String(), port))
		if e == nil {
			return conn, nil
		}
		err = e
	}
	return nil, err
}

// closed are address blocks that are not for the open internet, beyond what
// net/netip knows (IANA's special-purpose registries): shared and protocol
// addresses, benchmarks, the rest of class E, and those that hold an IPv4 address.
var closed = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"),
}

func open(ip netip.Addr) bool {
	ip = ip.Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, block := range closed {
		if block.Contains(ip) {
			return false
		}
	}
	return true
}
