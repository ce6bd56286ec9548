package outbound

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/forepost/forepost/relay/dns"
)

// The usages of TLSA records that count for SMTP, RFC 7672 section 3.1; those that
// lean on public CAs (0 and 1) do not.
const (
	daneTA = 2 // some certificate of the chain, and the server's name below it
	daneEE = 3 // the server's own, whatever name and time it has
)

// tlsa are the usable TLSA records of a host, all of them authentic.
type tlsa struct {
	base    string   // the name that they stand below: what SNI says
	names   []string // that a certificate below a DANE-TA anchor may have
	records []dns.TLSA
}

// usable are the records that say something that we can check. Of digests of the
// same thing, only the strongest counts (RFC 7671 section 9).
func usable(list []dns.TLSA) (out []dns.TLSA) {
	strongest := map[[2]uint8]uint8{}
	for _, r := range list {
		if r.Matching > 0 && readable(r) {
			of := [2]uint8{r.Usage, r.Selector}
			strongest[of] = max(strongest[of], r.Matching)
		}
	}
	for _, r := range list {
		if readable(r) && (r.Matching == 0 || r.Matching == strongest[[2]uint8{r.Usage, r.Selector}]) {
			out = append(out, r)
		}
	}
	return out
}

func readable(r dns.TLSA) bool {
	if r.Usage != daneTA && r.Usage != daneEE || r.Selector > 1 {
		return false
	}
	switch r.Matching {
	case 0:
		if r.Selector == 1 {
			_, err := x509.ParsePKIXPublicKey(r.Data)
			return err == nil
		}
		_, err := x509.ParseCertificate(r.Data)
		return err == nil
	case 1:
		return len(r.Data) == sha256.Size
	case 2:
		return len(r.Data) == sha512.Size
	}
	return false
}

// matches tells whether a record is about a certificate, RFC 6698 section 2.1.
func matches(r dns.TLSA, cert *x509.Certificate) bool {
	of := cert.Raw
	if r.Selector == 1 {
		of = cert.RawSubjectPublicKeyInfo
	}
	switch r.Matching {
	case 1:
		sum := sha256.Sum256(of)
		of = sum[:]
	case 2:
		sum := sha512.Sum512(of)
		of = sum[:]
	}
	return bytes.Equal(r.Data, of)
}

// errNoMatch tells that no record knows the certificate.
var errNoMatch = errors.New("no TLSA record matches what the server shows")

// verify checks what a server showed against the records, and says which sort of
// them it fits. chain begins with the server's own certificate.
func (d *tlsa) verify(chain []*x509.Certificate, now time.Time) (how string, err error) {
	if len(chain) == 0 {
		return "", errNoMatch
	}
	err = errNoMatch
	for _, r := range d.records {
		switch {
		case r.Usage == daneEE && matches(r, chain[0]):
			// RFC 7672 section 3.1.1: the record itself binds the name, and says how long.
			return "DANE-EE", nil
		case r.Usage == daneTA:
			switch e := d.below(r, chain, now); {
			case e == nil:
				return "DANE-TA", nil
			case !errors.Is(e, errNoMatch):
				err = e
			}
		}
	}
	return "", err
}

// below checks a chain against a trust anchor, RFC 7672 section 3.1.2: the anchor is
// in the chain, or stands whole in the record.
func (d *tlsa) below(r dns.TLSA, chain []*x509.Certificate, now time.Time) error {
	o := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: now}
	anchors := 0
	for _, cert := range chain {
		if matches(r, cert) {
			o.Roots.AddCert(cert)
			anchors++
		} else {
			o.Intermediates.AddCert(cert)
		}
	}
	if r.Matching == 0 && r.Selector == 0 && anchors == 0 {
		if cert, err := x509.ParseCertificate(r.Data); err == nil {
			o.Roots.AddCert(cert)
			anchors++
		}
	}
	if anchors == 0 {
		return errNoMatch
	}
	err := errNoMatch
	for _, name := range d.names {
		o.DNSName = name
		if _, err = chain[0].Verify(o); err == nil {
			return nil
		}
	}
	return err
}

// quoted are the records as a report has them.
func quoted(list []dns.TLSA) (out []string) {
	for _, r := range list {
		out = append(out, fmt.Sprintf("%d %d %d %s", r.Usage, r.Selector, r.Matching, hex.EncodeToString(r.Data)))
	}
	return out
}

// key tells records from others, so that a connection is not used again under
// records that it was not checked against.
func (d *tlsa) key() string {
	if d == nil {
		return ""
	}
	sum := sha256.Sum256([]byte(d.base + "\n" + strings.Join(d.names, ",") + "\n" + strings.Join(quoted(d.records), "\n")))
	return hex.EncodeToString(sum[:])
}
