package policies

import (
	"net"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// What a listener takes that states nothing else.
const (
	defaultMaxSize       = 50 << 20
	defaultMaxRecipients = 1000
)

// listeners reads `listener` blocks.
func (l *loader) listeners() {
	l.each("listener", func(name string, b *body) {
		v := Listener{Name: name, At: b.where()}
		b.require("address", "Write address = \":25\".")
		v.Address = b.address("address")
		v.TLS = TLSMode(b.word("tls", "auto", "auto", "implicit", "off"))
		v.Certs = b.certs()
		v.Auth = l.auth(b)
		def := "smtp"
		if v.Auth != "" {
			def = "submission"
		}
		v.Protocol = b.word("protocol", def, "smtp", "submission", "lmtp")
		v.RelayFrom, v.ProxyFrom = b.networks("relay_from"), b.networks("proxy_protocol")
		v.XClient = b.networks("xclient")
		v.Gate = l.gate(b, v.Protocol)
		if v.Policy = b.ref("policy", "policy"); v.Policy == "" {
			v.Policy = "recommended"
		}
		v.MaxSize = b.size("max_size", defaultMaxSize)
		v.MaxRecipients = b.number("max_recipients", defaultMaxRecipients)
		v.AllowCleartext = b.boolean("allow_cleartext", false)
		v.RejectEarly = b.boolean("reject_early", false)
		v.RepairLines = b.boolean("repair_lines", false)
		b.done()
		l.policy(v.Policy, b.rangeOf("policy"))
		l.set.Listeners = append(l.set.Listeners, v)
	})
}

// auth reads where a listener's users are known.
func (l *loader) auth(b *body) string {
	x, ok := b.attr("auth")
	if !ok {
		return ""
	}
	if w := hcl.ExprAsKeyword(x); w != "" {
		w, _ = l.wordOf(x, "auth", []string{"accounts"})
		return w
	}
	if s := b.text("auth", ""); isDirectory(s) {
		if !l.directory(s, x.Range(), true) {
			return "accounts"
		}
		return s
	}
	l.wordOf(x, "auth", []string{"accounts"})
	return "accounts"
}

// address is where a server listens: ":25", "127.0.0.1:25", "unix:/run/x.sock".
func (b *body) address(name string) string {
	s := b.text(name, "")
	if s == "" || strings.HasPrefix(s, "unix:/") {
		return s
	}
	host, port, err := net.SplitHostPort(s)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil || strings.ContainsAny(host, "/ ") {
		b.bad(name, "\""+s+"\" is no address to listen on.", "Write \":25\", \"127.0.0.1:25\", \"[::1]:25\" or \"unix:/run/forepost/lmtp.sock\".")
	}
	return s
}
