package certs

import (
	"crypto/x509"
	"time"
)

// How long before its end a certificate is complained of, and how often.
// Whoever renews them (certbot: 30 days before) should have done so by then.
const (
	endsSoon  = 14 * 24 * time.Hour
	tellAgain = 24 * time.Hour
)

// aging tells the log of a certificate that ends soon, or has ended: at once, and
// each day from then on.
type aging struct{ told time.Time }

func (a *aging) tell(o Options, name, file string, leaf *x509.Certificate, do string) {
	now := o.Now()
	left := leaf.NotAfter.Sub(now)
	switch {
	case left > endsSoon:
		a.told = time.Time{}
	case now.Sub(a.told) < tellAgain:
	case left <= 0:
		a.told = now
		o.Log.Error("a certificate in use has expired: clients that check it turn away", "name", name, "file", file, "names", leaf.DNSNames, "expired", leaf.NotAfter, "do", do)
	default:
		a.told = now
		o.Log.Warn("a certificate in use ends soon and was not renewed", "name", name, "file", file, "names", leaf.DNSNames, "expires", leaf.NotAfter,
			"days", int(left/(24*time.Hour)), "do", do)
	}
}
