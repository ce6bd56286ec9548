package policies

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/forepost/forepost/policies/internal/diag"
)

// certificateEnds is how long before its end a certificate should have been
// renewed: certbot and its like do it a month before.
const certificateEnds = 14 * 24 * time.Hour

// lintCerts finds certificates that have ended or end soon, and that none names
// the host by which others come. Files that are not there were told already.
func (l *loader) lintCerts() {
	named, all := false, true
	var first *body
	l.each("tls", func(name string, b *body) {
		if first == nil {
			first = b
		}
		if b.text("cert", "") == "" { // by ACME, for names that the block tells
			for _, c := range l.set.Certs {
				named = named || c.Name == name && c.ACME != nil && slices.Contains(c.ACME.Names, l.set.Hostname)
			}
			return
		}
		leaf := l.leaf(b.text("cert", ""))
		if leaf == nil {
			all = false
			return
		}
		named = named || leaf.VerifyHostname(l.set.Hostname) == nil
		l.lintEnd(b, leaf)
	})
	if first != nil && all && !named {
		l.bag.Warn(diag.CertificateDoubt, first.at, "No certificate is for "+l.set.Hostname+", the hostname that the servers greet with: who checks names turns away.",
			"Have that name put into the certificate, or say the certificate's name in hostname.")
	}
}

// leaf is the certificate of a file, nil where there is none to be read.
func (l *loader) leaf(file string) *x509.Certificate {
	text, err := l.o.ReadFile(l.path(file))
	if err != nil {
		return nil
	}
	block, _ := pem.Decode(bytes.TrimSpace(text))
	if block == nil {
		return nil
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return leaf
}

func (l *loader) lintEnd(b *body, leaf *x509.Certificate) {
	left := leaf.NotAfter.Sub(l.o.Now())
	what := "The certificate of " + strings.Join(leaf.DNSNames, ", ")
	switch day := leaf.NotAfter.Format(time.DateOnly); {
	case left <= 0:
		l.bag.Warn(diag.CertificateDoubt, b.rangeOf("cert"), fmt.Sprintf("%s ended on %s: who checks it turns away.", what, day), "Renew it; new files are taken up by themselves.")
	case left < certificateEnds:
		l.bag.Warn(diag.CertificateDoubt, b.rangeOf("cert"), fmt.Sprintf("%s ends in %d days, on %s.", what, int(left/(24*time.Hour)), day),
			"See why it was not renewed; new files are taken up by themselves.")
	}
}
