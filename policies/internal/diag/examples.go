package diag

// Example is a mistake, and the same without it.
type Example struct{ Wrong, Right string }

// examples stand on the pages of codes. A test loads them: the wrong one has the
// code, the right one has not. Rules stand in a policy, phases and blocks at the
// top. What is about files that are not there, or not right, has none.
var examples = map[Code]Example{
	BadSyntax:        {`route "inside" { to = ["10.0.0.5:25"], tls = require }`, "route \"inside\" {\n  to  = [\"10.0.0.5:25\"]\n  tls = require\n}"},
	UnknownBlock:     {`lisener "edge" {}`, "listener \"edge\" {\n  address = \":25\"\n}"},
	UnknownAttribute: {"rcpt {\n  reject \"bounces\" {\n    txt = \"5.7.1 No bounces\"\n  }\n}", "rcpt {\n  reject \"bounces\" {\n    text = \"5.7.1 No bounces\"\n  }\n}"},
	UnknownVerb:      {"rcpt {\n  block \"bounces\" {\n    when = mail.null\n  }\n}", "rcpt {\n  reject \"bounces\" {\n    when = mail.null\n  }\n}"},
	UnknownReference: {"domain \"example.com\" {\n  route = route.inside\n}", "domain \"example.com\" {\n  route = route.inside\n}\n\nroute \"inside\" {\n  to = [\"10.0.0.5:25\"]\n}"},
	UnknownFact:      {"rcpt {\n  reject \"spf\" {\n    when = spf.status == \"fail\"\n  }\n}", "rcpt {\n  reject \"spf\" {\n    when = spf.result == \"fail\"\n  }\n}"},
	UnknownFunction:  {"rcpt {\n  reject \"a\" {\n    when = regex(mail.from, \"^[0-9]\")\n  }\n}", "rcpt {\n  reject \"a\" {\n    when = matches(mail.from, \"^[0-9]\")\n  }\n}"},
	NotYetKnown:      {"rcpt {\n  tag \"bulk\" {\n    when = msg.is_bulk\n    add  = [\"bulk\"]\n  }\n}", "data {\n  tag \"bulk\" {\n    when = msg.is_bulk\n    add  = [\"bulk\"]\n  }\n}"},
	UnknownWord:      {"rcpt {\n  reject \"spf\" {\n    when = spf.result == fail\n  }\n}", "rcpt {\n  reject \"spf\" {\n    when = spf.result == \"fail\"\n  }\n}"},
	Duplicate:        {"rcpt {\n  reject \"a\" {\n    when = mail.null\n  }\n  reject \"a\" {\n    when = auth.ok\n  }\n}", "rcpt {\n  reject \"a\" {\n    when = mail.null\n  }\n  reject \"b\" {\n    when = auth.ok\n  }\n}"},
	MissingAttribute: {"listener \"edge\" {\n  policy = policy.recommended\n}", "listener \"edge\" {\n  address = \":25\"\n  policy  = policy.recommended\n}"},
	WrongLabels:      {"filter \"dnsbl\" {\n  zone = \"zen.example.com\"\n}", "filter \"dnsbl\" \"zen\" {\n  zone = \"zen.example.com\"\n}"},
	UnknownKind:      {"filter \"rbl\" \"zen\" {\n  zone = \"zen.example.com\"\n}", "filter \"dnsbl\" \"zen\" {\n  zone = \"zen.example.com\"\n}"},
	VerbNotHere:      {"rcpt {\n  copy \"journal\" {\n    to = [\"journal@example.com\"]\n  }\n}", "data {\n  copy \"journal\" {\n    to = [\"journal@example.com\"]\n  }\n}"},
	UndeclaredClass:  {"mail {\n  skip \"staff\" {\n    when    = auth.ok\n    classes = [\"bulk\"]\n  }\n}", "classes = [\"spam\", \"malware\", \"bulk\"]\n\npolicy \"p\" {\n  mail {\n    skip \"staff\" {\n      when    = auth.ok\n      classes = [\"bulk\"]\n    }\n  }\n}"},
	WrongType:        {"rcpt {\n  reject \"many\" {\n    when = rcpt.count\n  }\n}", "rcpt {\n  reject \"many\" {\n    when = rcpt.count > 50\n  }\n}"},
	CannotCompare:    {"data {\n  reject \"large\" {\n    when = msg.size > \"20MB\"\n  }\n}", "data {\n  reject \"large\" {\n    when = msg.size > size(\"20MB\")\n  }\n}"},
	NeverEqual:       {"rcpt {\n  reject \"spf\" {\n    when = spf.result == \"failed\"\n  }\n}", "rcpt {\n  reject \"spf\" {\n    when = spf.result == \"fail\"\n  }\n}"},
	BadValue:         {"dns {\n  timeout = \"5\"\n}", "dns {\n  timeout = \"5s\"\n}"},
	NotConstant:      {"rcpt {\n  reject \"a\" {\n    when = matches(mail.from, rcpt.local)\n  }\n}", "rcpt {\n  reject \"a\" {\n    when = contains(mail.from, rcpt.local)\n  }\n}"},
	WrongArguments:   {"rcpt {\n  reject \"a\" {\n    when = contains(mail.from)\n  }\n}", "rcpt {\n  reject \"a\" {\n    when = contains(mail.from, \"newsletter\")\n  }\n}"},
	NotTheLanguage:   {"data {\n  tag \"a\" {\n    when = msg.to[0] == \"ann@example.com\"\n    add  = [\"a\"]\n  }\n}", "data {\n  tag \"a\" {\n    when = overlaps(msg.to, [\"ann@example.com\"])\n    add  = [\"a\"]\n  }\n}"},
	BadPattern:       {"data {\n  tag \"a\" {\n    when = matches(msg.subject, \"(?i)(?!re:)offer\")\n    add  = [\"a\"]\n  }\n}", "data {\n  tag \"a\" {\n    when = matches(msg.subject, \"(?i)offer\") && !starts_with(msg.subject, \"re:\")\n    add  = [\"a\"]\n  }\n}"},
	WrongEnhanced:    {"rcpt {\n  defer \"later\" {\n    text = \"5.7.1 Come back later\"\n  }\n}", "rcpt {\n  defer \"later\" {\n    text = \"4.7.1 Come back later\"\n  }\n}"},
	Circle:           {"locals {\n  a = local.b\n  b = local.a\n}", "locals {\n  a = local.b\n  b = 5\n}"},
	NotThisVersion:   {"data {\n  reject \"words\" {\n    when = milter.words.hits > 0\n  }\n}", "filter \"content\" \"bad\" {\n  words = [\"viagra\"]\n}\n\npolicy \"p\" {\n  data {\n    reject \"words\" {\n      when = content.bad.hit\n    }\n  }\n}"},
	WhichQuarantine:  {"data {\n  quarantine \"bulk\" {\n    when = msg.is_bulk\n  }\n}", "quarantine \"spam\" {}\n\npolicy \"p\" {\n  data {\n    quarantine \"bulk\" {\n      when = msg.is_bulk\n      into = quarantine.spam\n    }\n  }\n}"},
	Protected:        {"mail {\n  skip \"staff\" {\n    when    = auth.ok\n    classes = [\"malware\"]\n  }\n}", "mail {\n  skip \"staff\" {\n    when    = auth.ok\n    classes = [\"spam\"]\n  }\n}"},
	NeverRuns:        {"rcpt {\n  accept \"all\" {}\n  reject \"bounces\" {\n    when = mail.null\n  }\n}", "rcpt {\n  reject \"bounces\" {\n    when = mail.null\n  }\n  accept \"all\" {}\n}"},
	Unused:           {"list \"partners\" {\n  type  = domain\n  items = [\"partner.example\"]\n}", "list \"partners\" {\n  type  = domain\n  items = [\"partner.example\"]\n}\n\npolicy \"p\" {\n  mail {\n    tag \"partner\" {\n      when = listed(mail.domain, list.partners)\n      add  = [\"partner\"]\n    }\n  }\n}"},
	NoEnhanced:       {"rcpt {\n  reject \"bounces\" {\n    text = \"No bounces\"\n  }\n}", "rcpt {\n  reject \"bounces\" {\n    text = \"5.7.1 No bounces\"\n  }\n}"},
	ForgeableSkip:    {"mail {\n  skip \"friend\" {\n    when    = mail.domain == \"friend.example\"\n    classes = [\"spam\"]\n  }\n}", "mail {\n  skip \"friend\" {\n    when    = mail.domain == \"friend.example\" && spf.result == \"pass\"\n    classes = [\"spam\"]\n  }\n}"},
	ForcedSkip:       {"mail {\n  skip \"lab\" {\n    when    = auth.ok\n    classes = [\"malware\"]\n    force   = true\n  }\n}", "mail {\n  skip \"lab\" {\n    when    = auth.ok\n    classes = [\"spam\"]\n  }\n}"},
	EmptyList:        {"list \"partners\" {\n  type  = domain\n  items = []\n}", "list \"partners\" {\n  type  = domain\n  items = [\"partner.example\"]\n}"},
	Mixed:            {"policy \"p\" {\n  data {\n    reject \"bob\" {\n      when = rcpt.local == \"bob\"\n    }\n  }\n}", "policy \"p\" {\n  partial = bounce\n\n  data {\n    reject \"bob\" {\n      when = rcpt.local == \"bob\"\n    }\n  }\n}"},
	TrustedBlocklist: {"filter \"dnsbl\" \"zen\" {\n  zone = \"zen.example.com\"\n}\n\nlistener \"submission\" {\n  address = \":587\"\n  auth    = accounts\n  policy  = policy.p\n}\n\npolicy \"p\" {\n  rcpt {\n    reject \"dnsbl\" {\n      when = dnsbl.zen.listed\n    }\n  }\n}",
		"filter \"dnsbl\" \"zen\" {\n  zone = \"zen.example.com\"\n}\n\nlistener \"submission\" {\n  address = \":587\"\n  auth    = accounts\n  policy  = policy.p\n}\n\npolicy \"p\" {\n  rcpt {\n    reject \"dnsbl\" {\n      when = dnsbl.zen.listed && !auth.ok\n    }\n  }\n}"},
	LongTrial:         {"rcpt {\n  reject \"bounces\" {\n    when  = mail.null\n    mode  = shadow\n    since = \"2020-01-01\"\n  }\n}", "rcpt {\n  reject \"bounces\" {\n    when = mail.null\n    mode = enforce\n  }\n}"},
	PortTLS:           {"imap \"tls\" {\n  address = \":993\"\n}", "imap \"tls\" {\n  address = \":993\"\n  tls     = implicit\n}"},
	NobodyLogsIn:      {"imap \"behind\" {\n  address = \"10.0.0.1:143\"\n  tls     = off\n}", "imap \"behind\" {\n  address         = \"10.0.0.1:143\"\n  tls             = off\n  allow_cleartext = true\n}"},
	PlainTextPassword: {"route \"smart\" {\n  to   = [\"mail.example.com:587\"]\n  auth = { user = \"relay\", password = \"hunter2\" }\n}", "route \"smart\" {\n  to   = [\"mail.example.com:587\"]\n  auth = { user = \"relay\", password = secret(\"smart\") }\n}"},
}

// ExampleOf is a mistake of a code, and the same without it.
func ExampleOf(c Code) (Example, bool) {
	e, ok := examples[c]
	return e, ok
}
