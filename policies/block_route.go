package policies

import (
	"net"
	"net/netip"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// routes reads `route` blocks.
func (l *loader) routes() {
	l.each("route", func(name string, b *body) {
		r := Route{Name: name, At: b.where()}
		l.routeTo(&r, b)
		r.TLS = b.word("tls", "may", "may", "require", "verify", "dane")
		r.Sources = b.sourceAddresses("source")
		r.Strategy = b.word("strategy", "failover", "failover", "balance")
		l.routeAuth(&r, b)
		r.Retry = l.retry(b)
		r.Concurrency = l.concurrency(b)
		b.done()
		l.set.Routes = append(l.set.Routes, r)
	})
}

// routeTo reads `to`: the words mx and store, or servers of one sort.
func (l *loader) routeTo(r *Route, b *body) {
	if !b.require("to", "Write to = [\"mail.example.com:25\"].") {
		return
	}
	x, _ := b.attr("to")
	if w := hcl.ExprAsKeyword(x); w != "" {
		r.Kind, _ = l.wordOf(x, "to", []string{"mx", "store"})
		return
	}
	servers := l.textsOf(x, "to")
	for _, s := range servers {
		kind, target, ok := target(s)
		if !ok {
			b.bad("to", "\""+s+"\" is no server.", "Write \"mail.example.com:25\", \"lmtp://mail.example.com:24\" or \"lmtp:///run/dovecot/lmtp\".")
			continue
		}
		if r.Kind != "" && r.Kind != kind {
			b.bad("to", "The servers of a route are all SMTP or all LMTP.", "Make two routes.")
		}
		r.Kind, r.To = kind, append(r.To, target)
	}
	if len(servers) == 0 {
		b.bad("to", "The route leads nowhere.", "Write to = [\"mail.example.com:25\"].")
	}
}

// target reads a server: host, host:port, lmtp://host:port, lmtp:///socket.
func target(s string) (kind, to string, ok bool) {
	port := "25"
	kind = "hosts"
	if rest, found := strings.CutPrefix(s, "lmtp://"); found {
		if strings.HasPrefix(rest, "/") {
			return "lmtp", rest, true
		}
		kind, port, s = "lmtp", "24", rest
	} else if rest, found := strings.CutPrefix(s, "smtp://"); found {
		s = rest
	}
	host, p, err := net.SplitHostPort(s)
	if err != nil {
		if host, p, err = net.SplitHostPort(net.JoinHostPort(strings.Trim(s, "[]"), port)); err != nil || strings.Contains(host, ":") && net.ParseIP(host) == nil {
			return "", "", false
		}
	}
	if _, err := net.LookupPort("tcp", p); err != nil || host == "" || strings.ContainsAny(host, "/ @") {
		return "", "", false
	}
	return kind, net.JoinHostPort(host, p), true
}

// routeAuth reads `auth = { user = "x", password = secret("y") }`.
func (l *loader) routeAuth(r *Route, b *body) {
	x, ok := b.attr("auth")
	if !ok {
		return
	}
	o := l.object(x, "auth", b)
	if o == nil {
		return
	}
	if !o.require("user", "") || !o.require("password", "Write password = secret(\"name\").") {
		return
	}
	r.User, r.Password = o.text("user", ""), o.secret("password")
	l.plainPassword(o, "password")
	o.done()
}

// retry reads `retry = { first = "5m", max = "1h", ... }`.
func (l *loader) retry(b *body) (r Retry) {
	x, ok := b.attr("retry")
	if !ok {
		return r
	}
	o := l.object(x, "retry", b)
	if o == nil {
		return r
	}
	r.First, r.Max = o.duration("first", 0), o.duration("max", 0)
	r.Warn, r.Expire = o.duration("warn", 0), o.duration("expire", 0)
	if v, ok := o.value("factor", numberType); ok {
		r.Factor, _ = v.Num(nil)
		if !(r.Factor >= 1 && r.Factor <= 10) {
			o.bad("factor", "factor is between 1 and 10.", "")
		}
	}
	if v, ok := o.value("jitter", numberType); ok {
		r.Jitter, _ = v.Num(nil)
		if !(r.Jitter > 0 && r.Jitter <= 0.5) {
			o.bad("jitter", "jitter is a share of the wait, up to 0.5.", "Write jitter = 0.1: waits are a tenth longer or shorter, by chance.")
		}
	}
	o.done()
	return r
}

// sourceAddress is an address of this host to connect from.
func (b *body) sourceAddress(name string) (a netip.Addr) {
	s := b.text(name, "")
	if s == "" {
		return a
	}
	return b.sourceOf(name, s)
}

// sourceAddresses are one or several.
func (b *body) sourceAddresses(name string) (list []netip.Addr) {
	for _, s := range b.texts(name) {
		if a := b.sourceOf(name, s); a.IsValid() {
			list = append(list, a)
		}
	}
	return list
}

func (b *body) sourceOf(name, s string) netip.Addr {
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() {
		b.bad(name, "\""+s+"\" is no address to connect from.", "Write an address of this host, source = \"192.0.2.7\".")
		return netip.Addr{}
	}
	return a.Unmap()
}

// concurrency reads `concurrency = 20`.
func (l *loader) concurrency(b *body) int {
	v, ok := b.value("concurrency", numberType)
	if !ok {
		return 0
	}
	n, _ := v.Num(nil)
	if !(n >= 1 && n <= 1000) || n != float64(int(n)) {
		b.bad("concurrency", "concurrency is a whole number from 1 to 1000.", "It bounds the deliveries to one destination that are under way at once.")
		return 0
	}
	return int(n)
}
