package policies

// blockDoc describes a block of a file: what it is for, and its attributes. A
// test compares it with what Load asks for.
type blockDoc struct {
	doc   string
	attrs map[string]string
}

var blockDocs = map[string]blockDoc{
	"(top)": {"attributes at the top of the file", map[string]string{
		"hostname": "the name of this host in the DNS", "postmaster": "who is told of troubles; default: that of the first domain",
		"data_dir": "queue, store and trail; default /var/lib/forepost", "include": "further files, [\"policy.d/*.hcl\"]", "classes": "classes of rules that `skip` may name, beside spam and malware"}},
	"listener": {"where mail comes in", map[string]string{
		"address": "\":25\", \"127.0.0.1:25\", \"unix:/run/x.sock\"", "protocol": "smtp, submission (the default with auth) or lmtp", "tls": "auto (STARTTLS), implicit or off",
		"cert": "a tls block", "auth": "who may log in: accounts, or a directory", "allow_cleartext": "logins without TLS from elsewhere than this host", "relay_from": "networks that may relay",
		"policy": "its policy; default policy.recommended", "max_size": "of a message; default 50MB", "max_recipients": "of a message; default 1,000", "proxy_protocol": "networks of proxies",
		"xclient": "networks that may say XCLIENT", "reject_early": "verdicts of connect, helo and mail are told at once, not at RCPT", "repair_lines": "a bare CR or LF becomes a line end",
		"greeting_delay": "how long strangers wait for the greeting", "max_sessions": "at once", "max_per_client": "sessions at once from one address", "max_per_network": "sessions at once from one network",
		"rate_per_client": "new sessions from one address, \"30/1m\"", "rate_per_network": "new sessions from one network", "network_v4": "the length of an IPv4 network's prefix", "network_v6": "the length of an IPv6 network's prefix"}},
	"domain": {"a domain of ours", map[string]string{
		"route": "where its mail goes", "recipients": "who exists: accounts, callout, any or a list", "aliases": "{ info = [\"bob\"] }; \"*\" has what nobody else has", "delimiter": "parts bob from bob+shop; \"+\" for the store", "detail_folder": "mail for bob+shop goes to the mailbox shop, where there is one", "thresholds": "in place of the policy's", "quarantine": "its quarantine",
		"dkim": "[{ selector = \"fp1\", key = secret(\"fp1\") }]: all keys sign"}},
	"route": {"a way out", map[string]string{
		"to": "servers, or mx, or store", "tls": "may, require, verify or dane", "strategy": "failover or balance", "auth": "{ user = \"u\", password = secret(\"p\") }", "source": "the addresses of this host to connect from",
		"retry": "{ first, max, warn, expire, factor }", "concurrency": "how many connections to a server at once"}},
	"filter": {"settings of a filter; see the topic filters", map[string]string{
		"when": "only where it holds", "timeout": "how long it may take", "on_error": "what becomes of mail that it could not judge: ignore, defer or quarantine"}},
	"list": {"entries that listed() and overlaps() look up", map[string]string{
		"type": "address, domain, ip, word, glob, regex or hash", "items": "entries in place", "file": "entries in a file, one a line", "source": "entries in a directory", "refresh": "how often they are read again", "format": "lines, postfix (keys of the text of a lookup table: hash, cidr, regexp, pcre) or rspamd (keys of a map)", "values": "take only the keys of a table behind which one of these words stands, as [\"REJECT\", \"550\"]"}},
	"quarantine": {"mail that is kept apart", map[string]string{
		"keep": "for how long; default 30d", "release": "who may: recipient or admin", "digest": "when recipients are told what is new, \"07:30\", at most once a day; only with release = recipient", "max_size": "how much it holds"}},
	"policy":   {"rules by phase; see the topics phases and verbs", map[string]string{"thresholds": "{ tag = 4, quarantine = 7, reject = 15 }", "partial": "what becomes of those that reject while others accept: quarantine, discard or bounce"}},
	"rules":    {"rules that `use` runs in policies", nil},
	"variable": {"a value from outside: -var, FOREPOST_VAR_name, forepost.vars.hcl", map[string]string{"type": "string, number, bool or strings", "default": "where none is given", "description": "for people", "sensitive": "it is not printed"}},
	"locals":   {"names for expressions: local.name", nil},
	"imap":     {"where mail is read over IMAP", map[string]string{"address": "where it listens", "tls": "auto, implicit or off", "cert": "a tls block", "allow_cleartext": "logins without TLS from elsewhere than this host"}},
	"pop3": {"where mail is read over POP3", map[string]string{"address": "where it listens", "tls": "auto, implicit or off", "cert": "a tls block", "allow_cleartext": "logins without TLS from elsewhere than this host",
		"delete": "expunge or keep", "login_delay": "between two logins"}},
	"store": {"the mailboxes here", map[string]string{"quota": "of an account that says none", "retention": "how long mail is kept", "encrypt": "at rest",
		"send_messages": "how many messages an account that says nothing may send, as \"300/1h\"", "send_recipients": "how many recipients", "send_bytes": "how many octets, as \"500MiB/1d\""}},
	"account": {"a mailbox; those of `forepost user` need no block", map[string]string{"password": "a hash, or secret()", "aliases": "further addresses", "quota": "how much it holds",
		"send_messages": "how many messages it may send, as \"300/1h\"", "send_recipients": "how many recipients", "send_bytes": "how many octets, as \"500MiB/1d\""}},
	"dns":     {"who answers for names", map[string]string{"resolvers": "default: the system's", "timeout": "of a question", "dnssec": "the resolvers validate", "zone": "a file that is the whole DNS"}},
	"ldap":    {"directory servers that stand in for each other", map[string]string{"servers": "ldaps://host, in order", "bind": "the DN that searches are made as", "password": "its password", "start_tls": "on ldap:// servers", "ca": "a file of certificates to trust", "timeout": "of a request"}},
	"redis":   {"a server that nodes share", map[string]string{"address": "host and port", "username": "to log in", "password": "to log in", "tls": "encrypted", "db": "its number", "prefix": "of all keys"}},
	"state":   {"the memory of limits and greylists", map[string]string{"backend": "embedded, or redis.name", "on_away": "when Redis is away: open or closed"}},
	"tls":     {"a certificate; a block acme inside fetches one", map[string]string{"cert": "its file", "key": "its key's file"}},
	"control": {"the control socket", map[string]string{"on": "whether there is one", "address": "where it listens", "socket": "its path"}},
	"web":     {"the web console", map[string]string{"on": "whether there is one", "address": "where it listens", "socket": "its path"}},
	"metrics": {"metrics for Prometheus", map[string]string{"on": "whether there are any", "address": "where they are told", "socket": "their path"}},
	"log":     {"what is logged", map[string]string{"format": "text or json", "level": "debug, info, warn or error"}},
	"srs":     {"senders of forwarded mail are rewritten", map[string]string{"on": "whether they are", "secret": "signs what is rewritten", "previous": "the secret before, still taken"}},
	"bounces": {"reports about mail that cannot be delivered", map[string]string{"to": "to which senders: all, plausible or verified"}},
	"logins":  {"what becomes of who guesses passwords", map[string]string{"failures": "how many are let pass", "per": "in this time", "ban": "for how long the address is shut out", "max_ban": "the longest, for who comes again", "never": "networks that are never shut out"}},
	"callout": {"how much the next servers are asked about recipients", map[string]string{"per_client": "of one network (/24, /64) or account, default \"1000/10m\"; an unknown recipient counts ten times", "per_server": "of one route, default \"3000/1m\"", "concurrent": "questions to a route at once, default 10"}},
	"reports": {"DMARC and TLS reports", map[string]string{"dmarc": "send those of DMARC", "tls": "send those of TLS", "from": "their sender", "org": "who reports", "domains": "about which of ours", "read": "addresses here that others' come to"}},
}
