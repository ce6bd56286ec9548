package policies

import (
	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/relay/mail"
)

// mail reads the blocks of the receiver store: imap, pop3, store, account.
func (l *loader) mail() {
	l.each("tls", l.certificate)
	l.each("imap", func(name string, b *body) {
		v := l.mailServer(name, b)
		b.done()
		l.set.IMAP = append(l.set.IMAP, v)
	})
	l.each("pop3", func(name string, b *body) {
		v := l.mailServer(name, b)
		v.Delete = b.word("delete", "expunge", "expunge", "keep")
		v.LoginDelay = b.duration("login_delay", 0)
		b.done()
		l.set.POP3 = append(l.set.POP3, v)
	})
	if b := l.single("store"); b != nil {
		l.set.Store.Quota = b.size("quota", 0)
		l.set.Store.Sending = b.sending()
		l.set.Store.Retention = b.duration("retention", 0)
		if b.boolean("encrypt", false) {
			l.bag.Error(diag.NotThisVersion, b.rangeOf("encrypt"), "The store is not encrypted in this version.", "Encrypt the disk.")
		}
		b.done()
	}
	l.each("account", l.account)
}

func (l *loader) mailServer(name string, b *body) MailServer {
	v := MailServer{Name: name, At: b.where()}
	b.require("address", "Write address = \":993\".")
	v.Address = b.address("address")
	v.TLS = TLSMode(b.word("tls", "auto", "auto", "implicit", "off"))
	v.Certs = b.certs()
	v.AllowCleartext = b.boolean("allow_cleartext", false)
	return v
}

func (l *loader) account(name string, b *body) {
	v := Account{At: b.where()}
	a, err := mail.ParseAddress(name, true)
	if err != nil || a.IsNull() {
		l.bag.Error(diag.BadValue, b.at, "\""+name+"\" is no mail address.", "Write account \"user@example.com\" { }.")
	} else if !l.env.Domains[a.Domain] {
		l.bag.Error(diag.UnknownReference, b.at, "The domain "+a.Domain+" is not declared.", diag.DidYouMean(a.Domain, keysOf(l.env.Domains)))
	}
	v.Address = a
	b.require("password", "Write password = secret(\"name\"), or make the account with forepost user.")
	v.Password = b.secret("password")
	l.plainPassword(b, "password")
	v.Aliases = b.addresses("aliases")
	v.Quota = b.size("quota", 0)
	v.Sending = b.sending()
	b.done()
	l.set.Accounts = append(l.set.Accounts, v)
}
