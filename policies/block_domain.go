package policies

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/lists"
	"github.com/forepost/forepost/policies/internal/rules"
	"github.com/forepost/forepost/relay/mail"
)

// declareDomains makes our domains known to own_domain().
func (l *loader) declareDomains() {
	l.each("domain", func(name string, b *body) {
		d, err := mail.ParseDomain(name)
		if err != nil || strings.HasPrefix(name, "[") {
			l.bag.Error(diag.BadValue, b.at, "\""+name+"\" is no domain.", "Write domain \"example.com\" { }.")
			return
		}
		if l.env.Domains[d] {
			l.bag.Error(diag.Duplicate, b.at, d+" is declared already.", "Keep one.")
		}
		l.env.Domains[d] = true
	})
}

// domains reads `domain` blocks.
func (l *loader) domains() {
	l.each("domain", func(name string, b *body) {
		d := Domain{At: b.where()}
		d.Name, _ = mail.ParseDomain(name)
		b.require("route", "Write route = route.name, route.store for mailboxes here, or route.mx.")
		d.Route = b.ref("route", "route")
		d.Store = l.isStore(d.Route)
		d.Recipients = l.recipients(b, d.Store)
		l.details(b, &d)
		d.Aliases = l.aliases(b, d.Name)
		d.DKIM = l.dkim(b)
		d.Quarantine = b.ref("quarantine", "quarantine")
		d.thresholds = l.thresholds(b)
		b.done()
		l.set.Domains = append(l.set.Domains, d)
	})
	l.postmaster()
}

// details reads what is done about bob+shop@example.com. The store knows bob by
// it; what other servers do about it, only their owner can say.
func (l *loader) details(b *body, d *Domain) {
	def := ""
	if d.Store {
		def = "+"
	}
	d.Delimiter = b.text("delimiter", def)
	if len(d.Delimiter) > 1 || strings.Trim(d.Delimiter, "+-_=#~") != "" {
		b.bad("delimiter", "\""+d.Delimiter+"\" parts no address.", "Write delimiter = \"+\" (or one of -_=#~), or \"\" for none.")
	}
	d.DetailFolder = b.boolean("detail_folder", false)
	if d.DetailFolder && !d.Store {
		b.bad("detail_folder", "Only the store has folders.", "Write route = route.store, or leave it out.")
	}
}

func (l *loader) isStore(route string) bool {
	if route == "store" {
		return true
	}
	for _, r := range l.set.Routes {
		if r.Name == route {
			return r.Kind == "store"
		}
	}
	return false
}

// recipients reads how a domain knows its recipients: a word, or a list. The
// default is its accounts for the store, and else to ask the next server.
func (l *loader) recipients(b *body, store bool) Recipients {
	def := Recipients{Mode: "callout"}
	if store {
		def.Mode = "accounts"
	}
	x, ok := b.attr("recipients")
	if !ok {
		return def
	}
	if t, diags := hcl.AbsTraversalForExpr(x); !diags.HasErrors() && t.RootName() == "list" {
		name, ok := l.refOf(x, "recipients", "list")
		if !ok {
			return def
		}
		l.env.ListsUsed[name] = true
		r := inList(l.env.Lists[name])
		r.Name = name
		return r
	}
	if t, ok := x.(*hclsyntax.TemplateExpr); ok && t.IsStringLiteral() {
		return l.recipientsOf(b)
	}
	w, ok := l.wordOf(x, "recipients", []string{"accounts", "callout", "any"})
	if !ok {
		return def
	}
	return Recipients{Mode: w}
}

func inList(set *lists.List) Recipients {
	return Recipients{Mode: "list", List: func(a mail.Address) bool { return set != nil && set.Has(a.String()) },
		Known: func() bool { return set == nil || set.Known() }}
}

// recipientsOf reads recipients = "ldaps://...": a list of its own, that the
// directory has.
func (l *loader) recipientsOf(b *body) Recipients {
	v := List{Name: "recipients of " + b.what, At: b.where(), Source: b.text("recipients", ""), Refresh: defaultRefresh}
	at := b.rangeOf("recipients")
	if !isDirectory(v.Source) {
		b.bad("recipients", "\""+v.Source+"\" tells no recipients.", "Write list.name, accounts, callout, any, or \"ldaps://dc1.example.com/dc=example,dc=com?mail\".")
	} else {
		l.directory(v.Source, at, false)
	}
	v.set = lists.Awaited(lists.Address)
	l.set.Lists = append(l.set.Lists, v)
	return inList(v.set)
}

// aliases reads { info = ["a@example.com"], "a.b" = "c@example.com" }; an
// address without @ is of the domain itself.
func (l *loader) aliases(b *body, domain string) map[string][]mail.Address {
	x, ok := b.attr("aliases")
	if !ok {
		return nil
	}
	o := l.object(x, "aliases", b)
	if o == nil {
		return nil
	}
	out := map[string][]mail.Address{}
	for _, a := range sortedAttributes(o.b) {
		for _, s := range l.textsOf(a.Expr, a.Name) {
			if !strings.Contains(s, "@") {
				s += "@" + domain
			}
			to, err := mail.ParseAddress(s, true)
			if err != nil || to.IsNull() {
				l.bag.Error(diag.BadValue, a.Expr.Range(), "\""+s+"\" is no mail address.", "Write user@example.com.")
				continue
			}
			key := strings.ToLower(a.Name)
			out[key] = append(out[key], to)
		}
	}
	return out
}

// dkim reads a list of { selector, key }: all of them sign.
func (l *loader) dkim(b *body) []DKIMKey {
	x, ok := b.attr("dkim")
	if !ok {
		return nil
	}
	var keys []DKIMKey
	for _, o := range l.objects(x, "dkim", b) {
		if !o.require("selector", "") || !o.require("key", "Write key = secret(\"name\") or file(\"key.pem\").") {
			continue
		}
		k := DKIMKey{Selector: o.text("selector", ""), Key: o.secret("key")}
		if at := o.rangeOf("key"); at.Filename != "" {
			k.At = Where{at.Filename, at.Start.Line}
		}
		o.done()
		if _, err := mail.ParseDomain(k.Selector); err != nil {
			o.bad("selector", "\""+k.Selector+"\" is no selector.", "It is a label of the DNS, like \"fp1\".")
		}
		keys = append(keys, k)
	}
	return keys
}

// thresholds reads { tag = 4, quarantine = 7, reject = 15 }.
func (l *loader) thresholds(b *body) (t rules.Thresholds) {
	x, ok := b.attr("thresholds")
	if !ok {
		return t
	}
	o := l.object(x, "thresholds", b)
	if o == nil {
		return t
	}
	for _, name := range []string{"tag", "quarantine", "reject"} {
		v, ok := o.value(name, numberType)
		if !ok {
			continue
		}
		n, _ := v.Num(nil)
		p := rules.ToPoints(n)
		switch name {
		case "tag":
			t.Tag = &p
		case "quarantine":
			t.Quarantine = &p
		case "reject":
			t.Reject = &p
		}
	}
	o.done()
	if t.Quarantine != nil && t.Reject != nil && *t.Quarantine >= *t.Reject {
		o.bad("quarantine", "quarantine is not below reject, and would never be reached.", "Give reject more points than quarantine.")
	}
	return t
}
