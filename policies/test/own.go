package test

import (
	"math"
	"net/netip"
	"time"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// fields goes through the attributes of an object; what is not among takers goes
// to other.
func (b *binder) fields(n *node, name string, takers map[string]func(*node), other func(key string, n *node)) {
	if n.obj == nil {
		b.wrong(diag.WrongType, n.at, name+" is an object.", "Write "+name+" = { ... }.")
		return
	}
	for _, key := range sortedKeys(n.obj) {
		if take, ok := takers[key]; ok {
			take(n.obj[key])
			continue
		}
		other(key, n.obj[key])
	}
}

// only refuses all further attributes of an object.
func (b *binder) only(name string, takers map[string]func(*node)) func(string, *node) {
	return func(key string, n *node) {
		b.wrong(diag.UnknownAttribute, n.at, name+" has no attribute \""+key+"\".", diag.DidYouMean(key, keys(takers)))
	}
}

func (b *binder) object(n *node, name string, takers map[string]func(*node)) {
	b.fields(n, name, takers, b.only(name, takers))
}

func (b *binder) listener(n *node) {
	name, _ := n.leaf.(string)
	for i := range b.cfg.Settings.Listeners {
		if l := &b.cfg.Settings.Listeners[i]; l.Name == name {
			b.sc.listener = l
		}
	}
}

// client is its address, and what the filters find about it.
func (b *binder) client(n *node) {
	b.fields(n, "client", map[string]func(*node){"ip": func(n *node) {
		s, _ := n.leaf.(string)
		ip, err := netip.ParseAddr(s)
		if err != nil {
			b.wrong(diag.BadValue, n.at, "client.ip is an IP address.", "Write ip = \"203.0.113.9\".")
			return
		}
		b.sc.session.Client = ip
	}}, func(key string, n *node) { b.state("client."+key, n) })
	if name, ok := b.sc.facts["client.name"].(string); ok && b.sc.facts["client.fcrdns"] == nil {
		b.sc.facts["client.fcrdns"] = name != "" // the name is the confirmed one
	}
}

// helo is the name, or an object with it.
func (b *binder) helo(n *node) {
	if s, ok := n.leaf.(string); ok {
		b.sc.session.Helo = s
		return
	}
	b.object(n, "helo", map[string]func(*node){"name": func(n *node) { b.text(n, "helo.name", &b.sc.session.Helo) }})
}

func (b *binder) tls(n *node) {
	t := &b.sc.session.TLS
	b.object(n, "tls", map[string]func(*node){
		"on":       func(n *node) { b.flag(n, "tls.on", &t.On) },
		"version":  func(n *node) { b.text(n, "tls.version", &t.Version) },
		"verified": func(n *node) { b.flag(n, "tls.verified", &t.Verified) },
	})
}

func (b *binder) auth(n *node) {
	id := &b.sc.session.Auth
	said := false
	b.object(n, "auth", map[string]func(*node){
		"ok":        func(n *node) { b.flag(n, "auth.ok", &said) },
		"user":      func(n *node) { b.text(n, "auth.user", &id.User) },
		"addresses": func(n *node) { id.Addresses = b.addresses(n, "auth.addresses") },
	})
	switch {
	case said && id.User == "":
		b.wrong(diag.MissingAttribute, n.at, "Who logged in?", "Write auth = { ok = true, user = \"eve\" }.")
	case n.obj["ok"] != nil && !said:
		*id = mail.Identity{}
	}
}

func (b *binder) mail(n *node) {
	b.object(n, "mail", map[string]func(*node){
		"from": func(n *node) {
			if s, ok := n.leaf.(string); ok && (s == "" || s == "<>") {
				b.sc.from = mail.Address{}
			} else if as := b.addresses(n, "mail.from"); len(as) == 1 {
				b.sc.from = as[0]
			}
		},
		"size":     func(n *node) { b.sc.size = b.whole(n, "mail.size") },
		"smtputf8": func(n *node) { b.flag(n, "mail.smtputf8", &b.sc.utf8) },
	})
}

func (b *binder) rcpt(n *node) {
	if b.sc.to = b.addresses(n, "rcpt"); n.list != nil && len(n.list) == 0 {
		b.wrong(diag.MissingAttribute, n.at, "The case has no recipient.", "Write rcpt = [\"user@example.com\"].")
	}
}

// delivery is an attempt to deliver; the rules of the deliver phase decide then.
func (b *binder) delivery(n *node) {
	d := &pipeline.Delivery{Attempt: 1}
	b.sc.attempt = d
	b.object(n, "delivery", map[string]func(*node){
		"attempt":   func(n *node) { d.Attempt = int(b.whole(n, "delivery.attempt")) },
		"last_code": func(n *node) { d.LastCode = int(b.whole(n, "delivery.last_code")) },
		"host":      func(n *node) { b.text(n, "delivery.host", &d.Host) },
		"age": func(n *node) {
			var s string
			var err error
			b.text(n, "delivery.age", &s)
			if d.Age, err = expr.ParseDuration(s); err != nil {
				b.wrong(diag.BadValue, n.at, "delivery.age is a duration.", "Write age = \"4h\".")
			}
		},
	})
}

// counters are what was counted before, by the path of a limit and its key.
func (b *binder) counters(n *node) {
	b.fields(n, "counters", nil, func(path string, n *node) {
		if !b.isRule(path, "limit", n) {
			return
		}
		b.sc.counters[path] = map[string]int64{}
		b.fields(n, "a counter", nil, func(key string, n *node) { b.sc.counters[path][key] = b.whole(n, "a counter") })
	})
}

// waited are greylist rules that have seen the sender before.
func (b *binder) waited(n *node) {
	paths, ok := n.texts()
	if !ok {
		b.wrong(diag.WrongType, n.at, "waited is a list of greylist rules.", "Write waited = [\"inbound.rcpt.greylist.strangers\"].")
	}
	for _, p := range paths {
		if b.isRule(p, "greylist", n) {
			b.sc.waited = append(b.sc.waited, p)
		}
	}
}

func (b *binder) isRule(path, verb string, n *node) bool {
	if rule := b.rules[path]; rule != nil && rule.Verb == verb {
		return true
	}
	var known []string
	for p, rule := range b.rules {
		if rule.Verb == verb {
			known = append(known, p)
		}
	}
	b.wrong(diag.UnknownReference, n.at, "There is no "+verb+" \""+path+"\".", diag.DidYouMean(path, known))
	return false
}

func (b *binder) now(n *node) {
	s, _ := n.leaf.(string)
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		b.wrong(diag.BadValue, n.at, "now is a time.", "Write now = \"2026-11-20T09:14:03Z\".")
	}
	b.sc.now = t
}

func (b *binder) text(n *node, name string, into *string) {
	s, ok := n.leaf.(string)
	if !ok {
		b.wrong(diag.WrongType, n.at, name+" is a string.", "")
	}
	*into = s
}

func (b *binder) flag(n *node, name string, into *bool) {
	v, ok := n.leaf.(bool)
	if !ok {
		b.wrong(diag.WrongType, n.at, name+" is true or false.", "")
	}
	*into = v
}

// whole is a whole number of at least 0.
func (b *binder) whole(n *node, name string) int64 {
	v, ok := n.leaf.(float64)
	if !ok || v < 0 || v != math.Trunc(v) || v > 1<<52 {
		b.wrong(diag.WrongType, n.at, name+" is a whole number of at least 0.", "")
		return 0
	}
	return int64(v)
}

func (b *binder) addresses(n *node, name string) (as []mail.Address) {
	texts, ok := n.texts()
	if !ok {
		b.wrong(diag.WrongType, n.at, name+" is a mail address, or a list of them.", "Write \"user@example.com\".")
	}
	for _, s := range texts {
		a, err := mail.ParseAddress(s, true)
		if err != nil || a.IsNull() {
			b.wrong(diag.BadValue, n.at, "\""+s+"\" is no mail address.", "Write user@example.com.")
			continue
		}
		as = append(as, a)
	}
	return as
}

func (b *binder) addressTexts(n *node, name string) (keys []string) {
	for _, a := range b.addresses(n, name) {
		keys = append(keys, a.Key())
	}
	return keys
}
