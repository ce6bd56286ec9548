// Package ldaptest starts Debian's slapd for tests.
package ldaptest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	_ "embed"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What the company of the tests has: its people stand below People; only Service
// may read them.
const (
	Base     = "dc=example,dc=test"
	People   = "ou=People," + Base
	Service  = "cn=gateway,ou=Services," + Base
	Password = "service secret"
	Admin    = "cn=admin," + Base
)

//go:embed company.ldif
var company string

// Server is a running slapd.
type Server struct {
	URL    string // ldap://localhost:port
	Secure string // ldaps://localhost:port
	CA     string // the file of the certificate to trust

	t    testing.TB
	dir  string
	cmd  *exec.Cmd
	done chan struct{}
}

// Start runs a server until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	slapd, err := exec.LookPath("slapd")
	if err != nil {
		if slapd, err = exec.LookPath("/usr/sbin/slapd"); err != nil {
			t.Skip("slapd is not installed")
		}
	}
	s := &Server{t: t, dir: t.TempDir()}
	s.CA = filepath.Join(s.dir, "cert.pem")
	s.URL, s.Secure = "ldap://localhost:"+port(t), "ldaps://localhost:"+port(t)
	s.certificate()
	s.configure()
	s.Run("slapadd", "-f", filepath.Join(s.dir, "slapd.conf"), "-l", filepath.Join(s.dir, "company.ldif"))
	s.cmd = exec.Command(slapd)
	s.Again()
	t.Cleanup(s.Stop)
	return s
}

// Run runs one of OpenLDAP's tools.
func (s *Server) Run(name string, args ...string) {
	s.t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		name = "/usr/sbin/" + name
	}
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// Change applies an LDIF of changes, as the administrator.
func (s *Server) Change(ldif string) {
	s.t.Helper()
	file := filepath.Join(s.dir, "change.ldif")
	s.write("change.ldif", ldif)
	s.Run("ldapmodify", "-x", "-H", s.URL, "-D", Admin, "-w", "admin secret", "-f", file)
}

// Again starts the server on the ports that it had.
func (s *Server) Again() {
	s.t.Helper()
	hosts := strings.ReplaceAll(s.URL+" "+s.Secure, "localhost", "127.0.0.1")
	s.cmd = exec.Command(s.cmd.Path, "-f", filepath.Join(s.dir, "slapd.conf"), "-h", hosts, "-d", "0")
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.done = make(chan struct{})
	go func(c *exec.Cmd, done chan struct{}) {
		c.Wait()
		log.Close()
		close(done)
	}(s.cmd, s.done)
	for range 500 {
		c, err := net.Dial("tcp", strings.TrimPrefix(strings.Replace(s.Secure, "localhost", "127.0.0.1", 1), "ldaps://"))
		if err == nil {
			c.Close()
			return
		}
		select {
		case <-s.done:
			text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			s.t.Fatalf("slapd ended:\n%s", text)
		case <-time.After(20 * time.Millisecond):
		}
	}
	s.t.Fatal("slapd does not listen")
}

// Stop ends the server; twice is fine.
func (s *Server) Stop() {
	s.cmd.Process.Signal(os.Interrupt)
	<-s.done
}

func (s *Server) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Server) configure() {
	s.t.Helper()
	if err := os.Mkdir(filepath.Join(s.dir, "db"), 0o700); err != nil {
		s.t.Fatal(err)
	}
	s.write("company.ldif", company)
	s.write("slapd.conf", fmt.Sprintf(`
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.2.840.113556.1.2.210 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.4.1.32473.1 NAME 'exchangeUser' SUP top AUXILIARY MAY proxyAddresses )
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile %[1]s/pid
TLSCertificateFile %[1]s/cert.pem
TLSCertificateKeyFile %[1]s/key.pem
database mdb
maxsize 16777216
directory %[1]s/db
suffix "%[2]s"
rootdn "%[3]s"
rootpw "admin secret"
sizelimit size.soft=100 size.hard=100 size.prtotal=unlimited
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="%[4]s" by dn.exact="%[5]s" read by * none
access to * by * read
`, s.dir, Base, Admin, People, Service))
}

func (s *Server) certificate() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		s.t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	s.write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})))
}

// port is a free one of the loopback.
func port(t testing.TB) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, p, _ := net.SplitHostPort(ln.Addr().String())
	return p
}
