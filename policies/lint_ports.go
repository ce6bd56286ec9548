package policies

import (
	"net"
	"net/netip"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/forepost/forepost/policies/internal/diag"
)

// portTLS is how TLS begins on the ports that everybody knows (RFC 8314).
var portTLS = map[string]TLSMode{"25": TLSAuto, "587": TLSAuto, "143": TLSAuto, "110": TLSAuto, "465": TLSImplicit, "993": TLSImplicit, "995": TLSImplicit}

// lintPorts finds servers that clients cannot talk to as they are used to: TLS from
// the first octet where they begin in the clear, or the other way round; and logins
// without the TLS that they are taken under.
func (l *loader) lintPorts() {
	check := func(b *body, what, address string, mode TLSMode, logins, cleartext bool) {
		host, port, err := net.SplitHostPort(address)
		if err != nil || strings.HasPrefix(address, "unix:") {
			return
		}
		if want := portTLS[port]; want != "" && want != mode && (want == TLSImplicit || mode == TLSImplicit) {
			text, fix := "Clients of port "+port+" begin in the clear, and would wait for a greeting that never comes.", "Write tls = auto, which offers STARTTLS, or take another port."
			if want == TLSImplicit {
				text, fix = "Clients of port "+port+" begin TLS at once.", "Write tls = implicit, or take another port."
			}
			l.bag.Warn(diag.PortTLS, b.rangeOr("tls", "address"), text, fix)
		}
		if ip, err := netip.ParseAddr(host); logins && mode == TLSOff && !cleartext && (err != nil || !ip.IsLoopback()) && host != "localhost" {
			l.bag.Warn(diag.NobodyLogsIn, b.rangeOf("tls"), "Passwords are taken under TLS only, except from this host: with tls = off nobody else can log in to "+what+".",
				"Leave tls out, which offers STARTTLS; behind a proxy that ends TLS, write allow_cleartext = true.")
		}
	}
	l.each("listener", func(name string, b *body) {
		for _, v := range l.set.Listeners {
			if v.Name == name {
				check(b, b.what, v.Address, v.TLS, v.Auth != "", v.AllowCleartext)
			}
		}
	})
	for typ, list := range map[string][]MailServer{"imap": l.set.IMAP, "pop3": l.set.POP3} {
		l.each(typ, func(name string, b *body) {
			for _, v := range list {
				if v.Name == name {
					check(b, b.what, v.Address, v.TLS, true, v.AllowCleartext)
				}
			}
		})
	}
}

// rangeOr is where the first of some attributes stands that is written.
func (b *body) rangeOr(names ...string) hcl.Range {
	for _, n := range names {
		if b.has(n) {
			return b.rangeOf(n)
		}
	}
	return b.at
}
