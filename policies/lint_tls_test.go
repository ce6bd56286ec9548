package policies

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/policies/internal/diag"
)

// certificatePEM is a certificate for a host that ends so long after noon.
func certificatePEM(t *testing.T, host string, left time.Duration) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotBefore: noon.Add(-1000 * time.Hour), NotAfter: noon.Add(left)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// TestCertificatesThatWillNotDo: check tells of certificates that end, and of a host
// name that none has.
func TestCertificatesThatWillNotDo(t *testing.T) {
	const day = 24 * time.Hour
	acme := "tls \"b\" {\n  acme {\n    email = \"p@mx.test\"\n    agree = true\n  }\n}\n"
	for name, c := range map[string]struct{ file, more, want string }{
		"good":             {certificatePEM(t, "mx.test", 15*day), "", ""},
		"ends soon":        {certificatePEM(t, "mx.test", 13*day), "", "of mx.test ends in 13 days, on 2026-12-06"},
		"has ended":        {certificatePEM(t, "mx.test", -day), "", "ended on 2026-11-22"},
		"other name":       {certificatePEM(t, "www.test", 90*day), "", "No certificate is for mx.test"},
		"wildcard":         {certificatePEM(t, "*.test", 90*day), "", ""},
		"other by ACME":    {certificatePEM(t, "www.test", 90*day), acme, ""},
		"no certificate":   {"nonsense", "", ""}, // that is told where the pair is tried
		"nothing in block": {"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "", ""},
	} {
		files := map[string]string{"/etc/tls/a.crt": c.file, "/etc/tls/a.key": "",
			"/etc/main.hcl": "hostname = \"mx.test\"\nlistener \"in\" {\n  address = \":25\"\n}\ntls \"a\" {\n  cert = \"tls/a.crt\"\n  key = \"tls/a.key\"\n}\n" + c.more}
		_, ds := Load("/etc/main.hcl", newWorld().memory(files))
		said := ""
		for _, d := range ds {
			if d.Code == diag.CertificateDoubt && d.Severity == SeverityWarning && d.Start.Line >= 5 {
				said += d.Text
			} else {
				t.Errorf("%s: not expected: %s", name, d)
			}
		}
		if (said == "") != (c.want == "") || !strings.Contains(said, c.want) {
			t.Errorf("%s: said %q, want %q", name, said, c.want)
		}
	}
}
