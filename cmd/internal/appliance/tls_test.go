package appliance

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"github.com/forepost/forepost/cmd/internal/admin"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/certs"
)

// pair makes the files of a certificate for a host, and gives the directory.
func pair(t *testing.T, host string) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := certs.SelfSigned(host, dir, certs.Options{}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func tlsBlock(name, dir string) string {
	return fmt.Sprintf("tls %q {\n  cert = %q\n  key  = %q\n}\n", name, filepath.Join(dir, "selfsigned.crt"), filepath.Join(dir, "selfsigned.key"))
}

// knock connects to the first server and says which certificate it showed.
func knock(t *testing.T, a *Appliance, serverName string) (string, *tls.Conn) {
	t.Helper()
	c, err := tls.Dial("tcp", a.Status().Servers[0].Address, &tls.Config{InsecureSkipVerify: true, ServerName: serverName})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.ConnectionState().PeerCertificates[0].DNSNames[0], c
}

const secureDoor = `
hostname = "gw.test"
listener "one" {
  address = "127.0.0.1:0"
  tls     = implicit
%s}
domain "local.test" {
  route = route.store
}
`

// TestCertificatesByName: without `cert` a server chooses among all; with a list
// among those, the first for who asks for none of them.
func TestCertificatesByName(t *testing.T) {
	blocks := tlsBlock("b", pair(t, "b.test")) + tlsBlock("a", pair(t, "a.test")) + tlsBlock("default", pair(t, "gw.test"))
	for cert, want := range map[string]map[string]string{
		"":                          {"": "gw.test", "a.test": "a.test", "b.test": "b.test"},
		"  cert = tls.a\n":          {"": "a.test", "b.test": "a.test"},
		"  cert = [tls.b, tls.a]\n": {"": "b.test", "a.test": "a.test", "gw.test": "b.test"},
	} {
		a, _ := newAppliance(t, fmt.Sprintf(secureDoor, cert)+blocks)
		for name, host := range want {
			if got, _ := knock(t, a, name); got != host {
				t.Errorf("%q, asked for %q: the certificate of %s, want %s", cert, name, got, host)
			}
		}
	}
}

// TestCertificatesInStatus: the status tells which certificates are shown, and until when.
func TestCertificatesInStatus(t *testing.T) {
	a, _ := newAppliance(t, fmt.Sprintf(secureDoor, ""))
	own := a.Status().Certificates
	if len(own) != 1 || own[0].Block != "" || !own[0].SelfSigned || fmt.Sprint(own[0].Names) != "[gw.test]" || time.Until(own[0].Expires) < 300*24*time.Hour {
		t.Errorf("without a block: %+v", own)
	}
	b, _ := newAppliance(t, fmt.Sprintf(secureDoor, "")+tlsBlock("b", pair(t, "b.test"))+tlsBlock("default", pair(t, "gw.test")))
	if got := b.Status().Certificates; len(got) != 2 || got[0].Block != "default" || got[1].Block != "b" || fmt.Sprint(got[1].Names) != "[b.test]" {
		t.Errorf("with two: %+v", got)
	}
}

// TestCertificateReload: a reload takes up new files and changed blocks, without
// a new door; who is inside stays; a pair that does not fit is told, and the old
// one goes on.
func TestCertificateReload(t *testing.T) {
	dir := pair(t, "old.test")
	a, file := newAppliance(t, fmt.Sprintf(secureDoor, "")+tlsBlock("main", dir))
	address := a.Status().Servers[0].Address
	_, inside := knock(t, a, "")

	rename(t, filepath.Join(pair(t, "half.test"), "selfsigned.crt"), filepath.Join(dir, "selfsigned.crt"))
	r := a.Reload(t.Context(), admin.ReloadOptions{})
	if !r.OK || !strings.Contains(r.Diagnostics, filepath.Join(dir, "selfsigned.crt")) || !strings.Contains(r.Diagnostics, "private key does not match") {
		t.Errorf("of a pair that does not fit the reload says %+v", r)
	}
	if got, _ := knock(t, a, ""); got != "old.test" {
		t.Errorf("a pair that does not fit: %s is shown", got)
	}

	fresh := pair(t, "new.test")
	for _, name := range []string{"selfsigned.crt", "selfsigned.key"} {
		rename(t, filepath.Join(fresh, name), filepath.Join(dir, name))
	}
	if r := a.Reload(t.Context(), admin.ReloadOptions{}); !r.OK || strings.Contains(r.Diagnostics, "cannot be used") {
		t.Error(r)
	}
	if got, _ := knock(t, a, ""); got != "new.test" {
		t.Errorf("after a reload %s is shown", got)
	}

	write(t, file, fmt.Sprintf(secureDoor, "")+tlsBlock("main", pair(t, "moved.test")))
	if r := a.Reload(t.Context(), admin.ReloadOptions{}); !r.OK {
		t.Error(r)
	}
	if got, _ := knock(t, a, ""); got != "moved.test" || a.Status().Servers[0].Address != address {
		t.Errorf("a changed block: %s is shown at %s, before it was at %s", got, a.Status().Servers[0].Address, address)
	}
	greets(t, inside)

	write(t, file, fmt.Sprintf(secureDoor, "")+"tls \"main\" {\n  cert = \""+file+"\"\n  key  = \""+file+"\"\n}\n")
	if r := a.Reload(t.Context(), admin.ReloadOptions{}); r.OK || !strings.Contains(r.Error, `tls "main"`) || !strings.Contains(r.Error, file) {
		t.Errorf("a block that was never good is taken: %+v", r)
	}
	if got, _ := knock(t, a, ""); got != "moved.test" {
		t.Errorf("after a refused reload %s is shown", got)
	}
}

// greets: the connection from before the reloads is alive.
func greets(t *testing.T, c *tls.Conn) {
	t.Helper()
	if _, err := io.WriteString(c, "NOOP\r\nQUIT\r\n"); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(c)
	if !strings.HasPrefix(string(said), "220 gw.test") || !strings.Contains(string(said), "\r\n221 ") {
		t.Errorf("who was inside heard %q, %v", said, err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// TestACMEBlock: the block's directory is asked, trusting the root that it names,
// and a certificate of our own serves meanwhile. Changing it ends the old one.
func TestACMEBlock(t *testing.T) {
	asked := make(chan string, 100)
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case asked <- r.URL.Path:
		default:
		}
		http.Error(w, "not today", http.StatusServiceUnavailable)
	}))
	t.Cleanup(srv.Close)
	root := filepath.Join(t.TempDir(), "root.pem")
	write(t, root, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})))
	block := func(path string) string {
		return fmt.Sprintf("tls \"main\" {\n  acme {\n    email = \"postmaster@local.test\"\n    agree = true\n    directory = %q\n    ca_root = %q\n    challenge = http\n    http = \"127.0.0.1:1\"\n  }\n}\n", srv.URL+path, root)
	}
	a, file := newAppliance(t, fmt.Sprintf(secureDoor, "")+block("/one"))
	if got := <-asked; got != "/one" {
		t.Errorf("%s was asked for", got)
	}
	if got, _ := knock(t, a, ""); got != "gw.test" {
		t.Errorf("meanwhile %s serves", got)
	}
	write(t, file, fmt.Sprintf(secureDoor, "")+block("/two"))
	if r := a.Reload(t.Context(), admin.ReloadOptions{}); !r.OK {
		t.Fatal(r)
	}
	for got := range asked {
		if got == "/two" {
			break
		}
	}
}
