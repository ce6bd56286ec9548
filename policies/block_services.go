package policies

import (
	"net"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
)

// services reads the blocks of what the relay leans on and is watched by.
func (l *loader) services() {
	l.dns()
	l.each("redis", l.redis)
	l.state()
	l.endpoint("control", &l.set.Control)
	l.endpoint("web", &l.set.Web)
	l.endpoint("metrics", &l.set.Metrics)
	l.set.Log = Log{Format: "text", Level: "info"}
	if b := l.single("log"); b != nil {
		l.set.Log.Format = b.word("format", "text", "text", "json")
		l.set.Log.Level = b.word("level", "info", "debug", "info", "warn", "error")
		b.done()
	}
}

func (l *loader) dns() {
	l.set.DNS.Timeout, l.set.DNS.DNSSEC = 5*time.Second, "auto"
	b := l.single("dns")
	if b == nil {
		return
	}
	for _, s := range b.texts("resolvers") {
		host, port, err := net.SplitHostPort(s)
		if err != nil {
			host, port = strings.Trim(s, "[]"), "53"
		}
		if net.ParseIP(host) == nil {
			b.bad("resolvers", "\""+s+"\" is no address of a resolver.", "Write \"127.0.0.1:53\".")
			continue
		}
		l.set.DNS.Resolvers = append(l.set.DNS.Resolvers, net.JoinHostPort(host, port))
	}
	l.set.DNS.Timeout = b.duration("timeout", l.set.DNS.Timeout)
	l.set.DNS.DNSSEC = b.word("dnssec", "auto", "auto", "trust", "off")
	l.set.DNS.Zone = l.exists(b.text("zone", ""), b.rangeOf("zone"))
	b.done()
}

func (l *loader) redis(name string, b *body) {
	b.require("address", "Write address = \"127.0.0.1:6379\".")
	r := Redis{Name: name, Address: b.text("address", ""), Username: b.text("username", ""), Password: b.secret("password"),
		TLS: b.boolean("tls", false), DB: b.number("db", 0), Prefix: b.text("prefix", "forepost:")}
	l.plainPassword(b, "password")
	b.done()
	l.set.Redis = append(l.set.Redis, r)
}

func (l *loader) state() {
	l.set.State = State{Backend: "embedded", OnAway: "open"}
	b := l.single("state")
	if b == nil {
		return
	}
	if x, ok := b.attr("backend"); ok {
		if hcl.ExprAsKeyword(x) == "embedded" {
			l.set.State.Backend = "embedded"
		} else if name, ok := l.refOf(x, "backend", "redis"); ok {
			l.set.State.Backend = name
		}
	}
	l.set.State.OnAway = b.word("on_away", "open", "open", "closed")
	b.done()
}

// endpoint reads a block that turns a service on and says where.
func (l *loader) endpoint(typ string, e *Endpoint) {
	b := l.single(typ)
	if b == nil {
		return
	}
	e.On = b.boolean("on", true)
	e.Address = b.address("address")
	e.Socket = b.text("socket", "")
	b.done()
}
