package policies

import (
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/relay/ldap"
)

// LDAP is an `ldap` block: how directory servers are talked to. An URL that names
// one of its servers is asked of all of them, one standing in for the other.
type LDAP struct {
	Name     string
	At       Where
	Servers  []string // "ldaps://dc1.example.com", in order
	Bind     string   // the DN that searches are made as, "" for anonymous
	Password Secret
	StartTLS bool
	CA       string // a file of certificates to trust, "" for the system's
	Timeout  time.Duration
}

// ldap reads a block.
func (l *loader) ldap(name string, b *body) {
	b.require("servers", "Write servers = [\"ldaps://dc1.example.com\", \"ldaps://dc2.example.com\"].")
	v := LDAP{Name: name, At: b.where(), Bind: b.text("bind", ""), Password: b.secret("password"),
		StartTLS: b.boolean("start_tls", false), Timeout: b.duration("timeout", 5*time.Second)}
	l.plainPassword(b, "password")
	for _, s := range b.texts("servers") {
		server, err := ldap.ParseServer(s)
		if err != nil {
			b.bad("servers", err.Error()+".", "")
			continue
		}
		if l.ldapOf(server) != nil || slices.Contains(v.Servers, server) {
			b.bad("servers", server+" is named twice.", "Each server stands in one ldap block.")
		}
		v.Servers = append(v.Servers, server)
	}
	v.CA = l.exists(b.text("ca", ""), b.rangeOf("ca"))
	if (v.Bind == "") != (v.Password == "") && !b.has("password") {
		b.bad("bind", "bind and password belong together.", "Write password = secret(\"ldap\").")
	}
	b.done()
	l.set.LDAP = append(l.set.LDAP, v)
}

// ldapOf is the block that names a server.
func (l *loader) ldapOf(server string) *LDAP {
	for i := range l.set.LDAP {
		if slices.Contains(l.set.LDAP[i].Servers, server) {
			return &l.set.LDAP[i]
		}
	}
	return nil
}

func isDirectory(s string) bool {
	s = strings.ToLower(s)
	return strings.HasPrefix(s, "ldap://") || strings.HasPrefix(s, "ldaps://")
}

// directory checks an URL of a directory. Where passwords go over it, they are to
// go under TLS.
func (l *loader) directory(s string, at hcl.Range, passwords bool) bool {
	src, err := ldap.ParseSource(s)
	if err != nil {
		l.bag.Error(diag.BadValue, at, err.Error()+".", "")
		return false
	}
	d := l.ldapOf(src.Server)
	if passwords && !src.Secure() && (d == nil || !d.StartTLS) {
		l.bag.Warn(diag.BadValue, at, "Passwords go to "+src.Server+" without TLS.", "Write ldaps://, or an ldap block with start_tls = true.")
	}
	return true
}
