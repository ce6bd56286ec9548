package diag

import "sort"

// Code is the stable name of a sort of mistake: FP and four digits. A code is
// never given a second meaning.
type Code string

// The codes. 00: files; 01: names; 02: types and values; 03: advice.
const (
	BadSyntax     Code = "FP0001"
	CannotRead    Code = "FP0002"
	MissingFile   Code = "FP0003"
	MissingSecret Code = "FP0004"

	UnknownBlock     Code = "FP0101"
	UnknownAttribute Code = "FP0102"
	UnknownVerb      Code = "FP0103"
	UnknownReference Code = "FP0104"
	UnknownFact      Code = "FP0105"
	UnknownFunction  Code = "FP0106"
	NotYetKnown      Code = "FP0107"
	UnknownWord      Code = "FP0108"
	Duplicate        Code = "FP0109"
	MissingAttribute Code = "FP0110"
	WrongLabels      Code = "FP0111"
	UnknownKind      Code = "FP0112"
	VerbNotHere      Code = "FP0113"
	UndeclaredClass  Code = "FP0114"

	WrongType       Code = "FP0201"
	CannotCompare   Code = "FP0202"
	NeverEqual      Code = "FP0203"
	BadValue        Code = "FP0204"
	NotConstant     Code = "FP0205"
	WrongArguments  Code = "FP0206"
	NotTheLanguage  Code = "FP0207"
	BadPattern      Code = "FP0208"
	WrongEnhanced   Code = "FP0209"
	Circle          Code = "FP0210"
	NotThisVersion  Code = "FP0211"
	WhichQuarantine Code = "FP0212"
	Protected       Code = "FP0213"
	CannotMake      Code = "FP0214"

	NeverRuns         Code = "FP0301"
	Unused            Code = "FP0302"
	NoEnhanced        Code = "FP0303"
	ForgeableSkip     Code = "FP0304"
	ForcedSkip        Code = "FP0305"
	EmptyList         Code = "FP0306"
	PlainTextPassword Code = "FP0307"
	Mixed             Code = "FP0308"
	StaleList         Code = "FP0309"
	TrustedBlocklist  Code = "FP0310"
	LongTrial         Code = "FP0311"
	CertificateDoubt  Code = "FP0312"
	MixedTable        Code = "FP0313"
	PortTLS           Code = "FP0314"
	NobodyLogsIn      Code = "FP0315"
)

// Page explains a code: what `forepost policy why` prints.
type Page struct{ Summary, Why string }

// pages is the one table of codes.
var pages = map[Code]Page{
	BadSyntax:     {"Not valid HCL", "The file could not be parsed; what it means was not looked at. Mind that a block on one line can have one attribute only."},
	CannotRead:    {"Cannot read a file", "A file of the configuration could not be read: see its name and its permissions. The daemon reads files as its own user."},
	MissingFile:   {"File is missing", "A list, certificate or zone names a file that is not there. `check` only warns, since it may run elsewhere; `serve` refuses to start."},
	MissingSecret: {"Secret is missing", "secret(\"x\") looks for a file x in $CREDENTIALS_DIRECTORY and in /etc/forepost/secrets. `check` only warns; `serve` refuses to start."},

	UnknownBlock:     {"Unknown block", "The configuration has no block of that name here."},
	UnknownAttribute: {"Unknown attribute", "The block has no attribute of that name. Nothing that is not understood is passed over: it would be a setting that silently does nothing."},
	UnknownVerb:      {"Unknown verb", "In a phase block, the type of each block is what the rule does: reject, defer, score and so on."},
	UnknownReference: {"Not declared", "A reference names a block (list.x, route.x, quarantine.x, policy.x, filter) that is not declared in any file."},
	UnknownFact:      {"Unknown fact", "No filter and no part of the relay knows a fact of that name. The reference lists all of them."},
	UnknownFunction:  {"Unknown function", "The language has no function of that name. The reference lists all of them."},
	NotYetKnown:      {"Not known in this phase", "A rule can ask only for what is known when it runs. Phases run in the order connect, helo, mail, rcpt, data; deliver knows the envelope, tags, size and delivery.* alone, since the rest may be gone after a restart."},
	UnknownWord:      {"Unknown word", "Closed sets are bare words (mode = shadow); open sets are strings."},
	Duplicate:        {"Declared twice", "Names are unique among blocks of a type, and among the rules of one verb in a phase."},
	MissingAttribute: {"Missing attribute", "The block cannot work without it."},
	WrongLabels:      {"Wrong labels", "Labels are the names between the type of a block and its brace: filter \"dnsbl\" \"zen\" { }."},
	UnknownKind:      {"Unknown kind of filter", "This build has no filter of that kind."},
	VerbNotHere:      {"Not possible in this phase", "Not every verb makes sense in every phase: a message cannot be put in quarantine before it has come."},
	UndeclaredClass:  {"Class not declared", "Classes are declared at the top, classes = [\"spam\", \"malware\"] by default, so that a typo in a skip rule is found."},

	WrongType:       {"Wrong type", "Types are checked before any mail is: a condition is a bool, a text is a string, and so on."},
	CannotCompare:   {"Cannot compare", "Both sides of a comparison must be of one type; < and > need numbers, durations or times."},
	NeverEqual:      {"Can never be equal", "The fact is one of a closed set of words, and this is none of them."},
	BadValue:        {"Bad value", "The value has the right type and the wrong form."},
	NotConstant:     {"Must be known at start", "Settings are read once, when the configuration is loaded: they cannot depend on a message."},
	WrongArguments:  {"Wrong arguments", "The function takes other arguments."},
	NotTheLanguage:  {"Not part of the language", "for expressions, splats, indexes and objects in conditions are left out: conditions stay cheap, and can be read."},
	BadPattern:      {"Bad pattern", "Patterns are RE2: no backreferences and no look-around, so that no message can make them slow."},
	WrongEnhanced:   {"Code of the wrong class", "reject gives 5xx codes and defer and drop give 4xx, in the basic code and in the enhanced one alike (RFC 3463)."},
	Circle:          {"Defined by itself", "Locals and rules blocks may use each other, but not in a circle."},
	NotThisVersion:  {"Not in this version", "The language reserves it, and this version cannot do it."},
	WhichQuarantine: {"Which quarantine?", "A quarantine is the one named by `into`, else the domain's, else the only one declared, else the one called spam."},
	Protected:       {"Class cannot be skipped", "The classes malware and builtin are skipped only by a rule that says force = true."},
	CannotMake:      {"Cannot be made", "Every setting has the right form, and still a filter, a route or a key could not be made of them: its own words say why."},

	NeverRuns:         {"Rule can never run", "An earlier rule of the phase always ends it, or ends it under the very same condition, or the condition is false whatever the mail."},
	Unused:            {"Declared and not used", "Nothing refers to it."},
	NoEnhanced:        {"No enhanced status code", "A text should begin with an enhanced status code (RFC 3463), \"5.7.1 ...\": senders' software reads it. Without one, x.7.1 is sent."},
	ForgeableSkip:     {"Anybody can claim this", "The rule skips others on the word of the sender's address alone, which anybody can write. Ask for SPF, DKIM or DMARC as well."},
	ForcedSkip:        {"Protection is skipped", "force = true lets this rule switch off malware protection."},
	EmptyList:         {"List is empty", "Nothing can ever be in it."},
	Mixed:             {"Rejects for some recipients", "At the end of the data SMTP has one answer for all recipients. If some reject and some accept, the message is taken, and `partial` says what becomes of the others."},
	StaleList:         {"List is older than its refresh", "The file of the list was last written longer ago than `refresh` says it should be: whatever writes it seems to have stopped. Of a list of a directory it is when the gateway last read it. The old entries stay in force."},
	TrustedBlocklist:  {"Blocklist for people who log in", "The policy is one of a listener where people log in, and they come from home networks and phones, whose addresses stand on many blocklists. The rule would refuse your own users."},
	LongTrial:         {"On trial for long", "A rule with mode = shadow changes nothing. After 60 days it is time to look at what it would have done, and to enforce it or to take it out. `since` says when the trial began; without it the age of the file counts."},
	CertificateDoubt:  {"Certificate will not do", "It has ended or ends within two weeks, or none is for the host name by which others come. Servers that send to port 25 seldom look (those with MTA-STS do); programs of people, on submission, IMAP and POP3, turn away. The daemon tells its log each day, and forepost_certificate_expiry_timestamp_seconds has the time."},
	MixedTable:        {"Table with exceptions", "A table of Postfix says of each key what is to be done; a list takes the keys alone. Where some keys are let in (OK, DUNNO) and others kept out (REJECT, 550), every one of them would be in the list. `values` takes those alone behind which such a word stands, so that one file can be two lists: listed(x, list.bad) && !listed(x, list.good)."},
	PortTLS:           {"TLS is not as the port has it", "On the ports 465, 993 and 995 clients begin TLS at once; on 25, 587, 143 and 110 they begin in the clear and say STARTTLS (RFC 8314). A server that does it the other way round answers none of them."},
	NobodyLogsIn:      {"Nobody can log in", "Passwords are taken under TLS only, connections from this host aside. Without TLS the server offers no login to anybody else."},
	PlainTextPassword: {"Password in plain text", "The file can be read by more people than need to know it. Use a hash (forepost user passwd) or secret()."},
}

// Summary is the code's headline.
func (c Code) Summary() string { return pages[c].Summary }

// Explain gives the page of a code.
func Explain(c Code) (Page, bool) {
	p, ok := pages[c]
	return p, ok
}

// Codes are all codes in order.
func Codes() []Code {
	cs := make([]Code, 0, len(pages))
	for c := range pages {
		cs = append(cs, c)
	}
	sort.Slice(cs, func(i, j int) bool { return cs[i] < cs[j] })
	return cs
}
