package policies

import (
	"crypto/x509"
	"encoding/base64"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/relay/mail"
)

// certificate reads a `tls` block: two files, or an `acme` block.
func (l *loader) certificate(name string, b *body) {
	b.blocks = []string{"acme"}
	c := Certificate{Name: name, At: b.where()}
	for _, in := range b.b.Blocks {
		if in.Type != "acme" {
			continue
		}
		if c.ACME != nil {
			l.bag.Error(diag.Duplicate, in.DefRange(), b.what+" has an acme block already.", "Write a tls block for each.")
		}
		if b.has("cert") || b.has("key") {
			l.bag.Error(diag.BadValue, in.DefRange(), b.what+" names files, and asks for certificates by ACME.", "Keep one of the two.")
		}
		c.ACME = l.acme(l.body(in))
	}
	if c.ACME == nil && b.require("cert", "Write cert = \"...\" and key = \"...\", or acme { }.") {
		b.require("key", "Write key = \"...\", the file of the private key.")
	}
	c.Cert = l.exists(b.text("cert", ""), b.rangeOf("cert"))
	c.Key = l.exists(b.text("key", ""), b.rangeOf("key"))
	b.done()
	l.set.Certs = append(l.set.Certs, c)
}

// acme reads an `acme` block.
func (l *loader) acme(b *body) *ACME {
	a := &ACME{Names: []string{l.set.Hostname}, Directory: b.text("directory", "")}
	if b.has("names") {
		a.Names = b.hosts("names")
	}
	b.require("email", "Write email = \"postmaster@example.com\": the directory's operator writes there if something is wrong.")
	if a.Email = b.text("email", ""); b.has("email") {
		if to, err := mail.ParseAddress(a.Email, false); err != nil || to.IsNull() {
			b.bad("email", "\""+a.Email+"\" is no mail address.", "Write email = \"postmaster@example.com\".")
		}
	}
	b.require("agree", "Read the directory's terms of service; if you agree, write agree = true.")
	if !b.boolean("agree", true) {
		b.bad("agree", "Without agreement to the directory's terms of service it gives no certificates.", "Read them; if you agree, write agree = true. Else name files: cert, key.")
	}
	if a.Directory != "" && !strings.HasPrefix(a.Directory, "https://") {
		b.bad("directory", "A directory is asked over https alone.", "Write directory = \"https://...\".")
	}
	if b.has("ca_root") {
		a.Roots = Secret(l.readText(b.text("ca_root", ""), b.rangeOf("ca_root")))
		if a.Roots != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(a.Roots)) {
			b.bad("ca_root", "The file has no certificate.", "It must have one in PEM (-----BEGIN CERTIFICATE-----).")
		}
	} else {
		b.known = append(b.known, "ca_root")
	}
	l.challenges(b, a)
	b.done()
	return a
}

// challenges reads which challenges are answered, and where: at ports of this machine,
// or in the DNS.
func (l *loader) challenges(b *body, a *ACME) {
	b.blocks = []string{"update"}
	for _, in := range b.b.Blocks {
		if in.Type == "update" {
			a.DNS = l.update(l.body(in))
		}
	}
	a.HTTP, a.TLSALPN = b.numbered("http", ":80"), b.numbered("tls_alpn", ":443")
	chosen := l.chosen(b)
	if a.DNS.Server != "" || chosen["dns"] {
		if a.DNS.Server == "" {
			b.bad("challenge", "DNS-01 needs to know how records get into the DNS.", "Write update { server = \"192.0.2.53\", key = \"forepost\", secret = secret(\"tsig\") }, each on a line of its own.")
		}
		if chosen["http"] || chosen["tls_alpn"] || b.has("http") || b.has("tls_alpn") {
			b.bad("challenge", "Where challenges stand in the DNS nobody comes to a port.", "Take http and tls_alpn out, or the block update.")
		}
		a.HTTP, a.TLSALPN = "", ""
		return
	}
	if len(chosen) > 0 && !chosen["http"] {
		a.HTTP = ""
	}
	if len(chosen) > 0 && !chosen["tls_alpn"] {
		a.TLSALPN = ""
	}
}

// chosen are the words of `challenge`.
func (l *loader) chosen(b *body) map[string]bool {
	chosen := map[string]bool{}
	x, ok := b.attr("challenge")
	if !ok {
		return chosen
	}
	list := []hclsyntax.Expression{x}
	if tuple, ok := x.(*hclsyntax.TupleConsExpr); ok {
		list = tuple.Exprs
	}
	for _, one := range list {
		w, _ := l.wordOf(one, "challenge", []string{"http", "tls_alpn", "dns"})
		chosen[w] = true
	}
	return chosen
}

// update reads an `update` block.
func (l *loader) update(b *body) (u Update) {
	if !b.require("server", "Write server = \"192.0.2.53\", the zone's primary server.") || !b.require("key", "Write key = \"forepost\", the name of the TSIG key that the server knows.") ||
		!b.require("secret", "Write secret = secret(\"tsig\"): the key in base64.") {
		return Update{Server: "-"}
	}
	u = Update{Server: b.text("server", ""), Key: b.text("key", ""), Secret: b.secret("secret"), Algorithm: b.text("algorithm", "hmac-sha256")}
	if _, _, err := net.SplitHostPort(u.Server); err != nil {
		u.Server = net.JoinHostPort(strings.Trim(u.Server, "[]"), "53")
	}
	if _, err := mail.ParseDomain(strings.TrimSuffix(u.Key, ".")); err != nil {
		b.bad("key", "\""+u.Key+"\" is no name of a key.", "Write key = \"forepost\".")
	}
	if !slices.Contains(tsigAlgorithms, u.Algorithm) {
		b.bad("algorithm", "\""+u.Algorithm+"\" is no algorithm of TSIG that is still good.", "Write one of "+strings.Join(tsigAlgorithms, ", ")+".")
	}
	if _, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(u.Secret))); err != nil {
		b.bad("secret", "The secret is not base64, as tsig-keygen prints it.", "")
	}
	u.Secret = Secret(strings.TrimSpace(string(u.Secret)))
	b.done()
	return u
}

// tsigAlgorithms are those of RFC 8945 section 6 that are still good.
var tsigAlgorithms = []string{"hmac-sha256", "hmac-sha384", "hmac-sha512"}

// hosts is a list of host names.
func (b *body) hosts(name string) (list []string) {
	all := b.texts(name)
	for _, s := range all {
		h, err := mail.ParseDomain(s)
		if err != nil || net.ParseIP(h) != nil || strings.HasPrefix(h, "[") {
			b.bad(name, "\""+s+"\" is no host name.", "Write "+name+" = [\"mx.example.com\"].")
			continue
		}
		list = append(list, h)
	}
	if len(all) == 0 {
		b.bad(name, name+" has no host name.", "Write "+name+" = [\"mx.example.com\"].")
	}
	return list
}

// numbered is an address to listen on whose port is a number.
func (b *body) numbered(name, def string) string {
	if !b.has(name) {
		b.known = append(b.known, name)
		return def
	}
	s := b.text(name, def)
	_, port, err := net.SplitHostPort(s)
	if n, nerr := strconv.Atoi(port); err != nil || nerr != nil || n < 1 || n > 65535 {
		b.bad(name, "\""+s+"\" is no address to listen on.", "Write "+name+" = \""+def+"\".")
	}
	return s
}

// certs are the references to `tls` blocks of a server: one, or a list with the
// default first.
func (b *body) certs() (list []string) {
	x, ok := b.attr("cert")
	if !ok {
		return nil
	}
	refs := []hclsyntax.Expression{x}
	if tuple, ok := x.(*hclsyntax.TupleConsExpr); ok {
		refs = tuple.Exprs
	}
	for _, r := range refs {
		if to, ok := b.l.refOf(r, "cert", "tls"); ok {
			list = append(list, to)
		}
	}
	return list
}
