package relay

import (
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/trail"
)

// The matrix of transport security: what a domain publishes, what its server shows
// and what becomes of a message for it, told by its story in the trail. Real TLS
// servers and policy hosts on loopback, the DNS from a zone. threats.md, "DANE/MTA-STS
// downgrade".

// secCase is a line of the matrix. The domain's name is that of the case.
type secCase struct {
	name string
	why  string
	// What the domain has. mx is a host of the zone below; unsigned takes the
	// signature from its MX record; policy is its MTA-STS policy's mode and mx.
	mx       string
	unsigned bool
	policy   string
	// How it is sent.
	route    string
	required bool // REQUIRETLS
	header   string
	// What becomes of it: the event, and what its reply or its TLS begins with, what
	// its note holds; and what the connection counts as.
	event, said, tls, note string
	session                string // policy result; "" for none
}

const (
	noDANE   = "no DANE: the MX records of "
	noPolicy = "no MTA-STS policy"
)

var secCases = []secCase{
	// DANE, RFC 7672.
	{name: "ee", why: "DANE-EE, a certificate that no CA knows", mx: "ee.mx", event: "delivered", tls: "verified by DANE-EE", session: "tlsa"},
	{name: "ta", why: "DANE-TA", mx: "ta.mx", event: "delivered", tls: "verified by DANE-TA", session: "tlsa"},
	{name: "taname", why: "DANE-TA, and the certificate has another name", mx: "taname.mx", event: "deferred", said: "454 4.7.5 TLS failed: ", session: "tlsa certificate-host-mismatch"},
	{name: "roll", why: "a rollover: the old record and the new one", mx: "roll.mx", event: "delivered", tls: "verified by DANE-EE", session: "tlsa"},
	{name: "mismatch", why: "no record knows the certificate, although a CA does", mx: "mismatch.mx", event: "deferred", said: "454 4.7.5 TLS failed: tls: failed to verify certificate: no TLSA record matches", session: "tlsa certificate-not-trusted"},
	{name: "bogus", why: "a TLSA answer that fails validation takes nothing away", mx: "bogus.mx", event: "deferred", said: "451 4.7.5 The DNS could not tell the TLSA records of bogus.mx, and mail does not go there without knowing: ", session: "tlsa dnssec-invalid"},
	{name: "silent", why: "a DNS that is silent about TLSA neither", mx: "silent.mx", event: "deferred", said: "451 4.7.5 The DNS could not tell", session: "tlsa dnssec-invalid"},
	{name: "unusable", why: "records that cannot be used: encrypted, not authenticated", mx: "unusable.mx", event: "delivered", tls: "not verified", note: "none of the TLSA records of unusable.mx can be used", session: "tlsa tlsa-invalid"},
	{name: "unusableclear", why: "and never in cleartext", mx: "unusable.clear", event: "deferred", said: "451 4.7.10 The server does not offer STARTTLS, which the TLSA record of unusable.clear demands", session: "tlsa starttls-not-supported"},
	{name: "stripped", why: "STARTTLS taken away from a host with DANE", mx: "ee.clear", event: "deferred", said: "451 4.7.10 The server does not offer STARTTLS, which the TLSA record of ee.clear demands", session: "tlsa starttls-not-supported"},
	{name: "unsignedmx", why: "TLSA below an unsigned MX proves nothing, and is said so", mx: "mismatch.mx", unsigned: true, event: "delivered", tls: "verified", note: noDANE + "unsignedmx.test are not signed; " + noPolicy, session: "no-policy-found"},
	{name: "unsignedhost", why: "and below unsigned addresses", mx: "open.mx", event: "delivered", tls: "verified", note: "no DANE: the addresses of open.mx are not signed", session: "no-policy-found"},
	{name: "unsignedtlsa", why: "and where the record itself is unsigned", mx: "unsignedtlsa.mx", event: "delivered", tls: "verified", note: "no DANE: unsignedtlsa.mx has no TLSA record that is signed", session: "no-policy-found"},
	{name: "alias", why: "an alias: the records stand at its end, which SNI names", mx: "alias.mx", event: "delivered", tls: "verified by DANE-EE", session: "tlsa"},
	{name: "leads", why: "an alias out of the signed zone: at the alias itself", mx: "leads.mx", event: "delivered", tls: "verified by DANE-TA", session: "tlsa"},
	{name: "second", why: "the second host is used where the first fails", mx: "mismatch.mx ee.mx", event: "delivered", tls: "verified by DANE-EE", session: "tlsa certificate-not-trusted, tlsa"},

	// MTA-STS, RFC 8461.
	{name: "enforce", why: "a certificate of the name", mx: "good.mx", unsigned: true, policy: "enforce good.mx", event: "delivered", tls: "verified", note: noDANE, session: "sts"},
	{name: "wrongname", why: "a certificate of another name", mx: "wrong.mx", unsigned: true, policy: "enforce *.mx", event: "deferred", said: "454 4.7.5 TLS failed: ", session: "sts certificate-host-mismatch"},
	{name: "expired", why: "a certificate that has ended", mx: "expired.mx", unsigned: true, policy: "enforce *.mx", event: "deferred", said: "454 4.7.5 TLS failed: ", session: "sts certificate-expired"},
	{name: "selfmade", why: "a certificate of nobody we know", mx: "self.mx", unsigned: true, policy: "enforce *.mx", event: "deferred", said: "454 4.7.5 TLS failed: ", session: "sts certificate-not-trusted"},
	{name: "notnamed", why: "a host that the policy does not name", mx: "good.mx", unsigned: true, policy: "enforce other.mx", event: "deferred", said: "451 4.7.5 The MTA-STS policy of notnamed.test does not name good.mx", session: "sts validation-failure"},
	{name: "strippedsts", why: "STARTTLS taken away", mx: "plain.clear", unsigned: true, policy: "enforce *.clear", event: "deferred", said: "451 4.7.10 The server does not offer STARTTLS, which the MTA-STS policy of strippedsts.test demands", session: "sts starttls-not-supported"},
	{name: "testing", why: "in testing nothing is held back", mx: "wrong.mx", unsigned: true, policy: "testing *.mx", event: "delivered", tls: "not verified", note: "is in testing", session: "sts certificate-host-mismatch"},
	{name: "testingclear", why: "nor in cleartext", mx: "plain.clear", unsigned: true, policy: "testing *.clear", event: "delivered", note: "in cleartext: the server does not offer STARTTLS", session: "sts starttls-not-supported"},
	{name: "testingname", why: "nor for a host that is not named", mx: "good.mx", unsigned: true, policy: "testing other.mx", event: "delivered", tls: "verified", note: "in testing, does not name good.mx", session: "sts validation-failure"},
	{name: "modenone", why: "a policy that asks for nothing", mx: "wrong.mx", unsigned: true, policy: "none *.mx", event: "delivered", tls: "not verified", note: noPolicy, session: "no-policy-found"},
	{name: "ended", why: "a policy that has ended, and none can be had", mx: "plain.clear", unsigned: true, policy: "ended *.clear", event: "delivered", note: "in cleartext: ", session: "no-policy-found starttls-not-supported"},
	{name: "kept", why: "the record is suppressed and the policy host is gone: the kept policy holds", mx: "plain.clear", unsigned: true, policy: "kept *.clear", event: "deferred", said: "451 4.7.10 The server does not offer STARTTLS, which the MTA-STS policy", session: "sts starttls-not-supported"},
	{name: "unfetched", why: "a policy host that cannot prove itself, and nothing kept", mx: "good.mx", unsigned: true, policy: "unfetched *.mx", event: "delivered", tls: "verified", note: "no MTA-STS policy: the policy host did not give it", session: "sts sts-webpki-invalid"},

	// Both, and neither.
	{name: "daneover", why: "DANE fails where MTA-STS would pass: RFC 8461 section 2", mx: "mismatch.mx", policy: "enforce mismatch.mx", event: "deferred", said: "454 4.7.5 TLS failed: ", session: "tlsa certificate-not-trusted"},
	{name: "danefor", why: "DANE passes where MTA-STS would not", mx: "ee.mx", policy: "enforce other.mx", event: "delivered", tls: "verified by DANE-EE", session: "tlsa"},
	{name: "unusableboth", why: "records that cannot be used leave MTA-STS in force", mx: "unusable.mx", policy: "enforce *.mx", event: "deferred", said: "454 4.7.5 TLS failed: ", session: "tlsa certificate-not-trusted"},
	{name: "neither", why: "a certificate that nobody asks for", mx: "wrong.mx", event: "delivered", tls: "not verified", note: "no DANE: wrong.mx has no TLSA record that is signed; " + noPolicy, session: "no-policy-found"},
	{name: "neitherclear", why: "cleartext, and it is said why", mx: "plain.clear", event: "delivered", note: "in cleartext: the server does not offer STARTTLS; no DANE: plain.clear has no TLSA record that is signed; " + noPolicy, session: "no-policy-found starttls-not-supported"},

	// What the route demands.
	{name: "require", why: "require: stripped", route: "require", mx: "plain.clear", event: "deferred", said: "451 4.7.10 The server does not offer STARTTLS, which the route demands", session: "no-policy-found starttls-not-supported"},
	{name: "verify", why: "verify: another name", route: "verify", mx: "wrong.mx", event: "deferred", said: "454 4.7.5 TLS failed: ", session: "no-policy-found certificate-host-mismatch"},
	{name: "verifydane", why: "verify: DANE verifies, too", route: "verify", mx: "ee.mx", event: "delivered", tls: "verified by DANE-EE", session: "tlsa"},
	{name: "dane", why: "dane", route: "dane", mx: "ee.mx", event: "delivered", tls: "verified by DANE-EE", session: "tlsa"},
	{name: "nodane", why: "dane: there is none, whatever certificate", route: "dane", mx: "good.mx", event: "deferred", said: "451 4.7.10 The route demands DANE, and there is none: no DANE: good.mx has no TLSA record", session: "no-policy-found dane-required"},
	{name: "nodanemx", why: "dane: the MX is unsigned", route: "dane", mx: "ee.mx", unsigned: true, event: "deferred", said: "451 4.7.10 The route demands DANE, and there is none: " + noDANE, session: "no-policy-found dane-required"},
	{name: "danebad", why: "dane: no record can be used", route: "dane", mx: "unusable.mx", event: "deferred", said: "451 4.7.10 The route demands DANE, and none of the TLSA records", session: "tlsa tlsa-invalid"},

	// What the sender demands, RFC 8689.
	{name: "reqtls", why: "REQUIRETLS: a signed MX, DANE, and the promise", required: true, mx: "ee.mx", event: "delivered", tls: "verified by DANE-EE", session: "tlsa"},
	{name: "reqtlssts", why: "REQUIRETLS: MTA-STS names the host", required: true, mx: "good.mx", unsigned: true, policy: "enforce good.mx", event: "delivered", tls: "verified", note: noDANE, session: "sts"},
	{name: "reqtlsopen", why: "REQUIRETLS: nothing proves the MX", required: true, mx: "good.mx", unsigned: true, event: "bounced", said: "550 5.7.30 The sender asked for REQUIRETLS, and nothing proves that good.mx is a mail server of reqtlsopen.test"},
	{name: "reqtlstest", why: "REQUIRETLS: a policy in testing proves nothing", required: true, mx: "good.mx", unsigned: true, policy: "testing good.mx", event: "bounced", said: "550 5.7.30 The sender asked"},
	{name: "reqtlsnot", why: "REQUIRETLS: the server does not promise it", required: true, mx: "old.old", event: "bounced", said: "550 5.7.30 The server does not promise REQUIRETLS"},
	{name: "reqtlsname", why: "REQUIRETLS: another name", required: true, mx: "wrong.mx", event: "deferred", said: "454 4.7.5 TLS failed: ", session: "no-policy-found certificate-host-mismatch"},
	{name: "tlsno", why: "TLS-Required: No: delivery before the policy", header: "TLS-Required: No\r\n", mx: "plain.clear", unsigned: true, policy: "enforce *.clear", event: "delivered", note: "in cleartext: the server does not offer STARTTLS; the sender asked for delivery before security (TLS-Required: No)", session: "no-policy-found starttls-not-supported"},
	{name: "tlsnodane", why: "and before DANE", header: "Subject: x\r\nTLS-Required:\r\n no\r\n", mx: "mismatch.mx", event: "delivered", tls: "verified", note: "TLS-Required: No", session: "no-policy-found"},
	{name: "tlsnoroute", why: "not before what the route demands", header: "TLS-Required: No\r\n", route: "verify", mx: "wrong.mx", policy: "enforce *.mx", event: "deferred", said: "454 4.7.5 TLS failed: ", session: "sts certificate-host-mismatch"},
	{name: "tlsnoreq", why: "not where the envelope says REQUIRETLS", header: "TLS-Required: No\r\n", required: true, mx: "mismatch.mx", event: "deferred", said: "454 4.7.5 TLS failed: ", session: "tlsa certificate-not-trusted"},
	{name: "tlsnotwice", why: "not where it stands twice", header: "TLS-Required: No\r\nTLS-Required: No\r\n", mx: "mismatch.mx", event: "deferred", said: "454 4.7.5 TLS failed: ", session: "tlsa certificate-not-trusted"},
}

func TestTransportSecurity(t *testing.T) {
	w := newSecWorld(t)
	for _, c := range secCases {
		t.Run(c.name, func(t *testing.T) { c.check(t, w.send(t, c)) })
	}
}

// check compares the story of a case's message with what was wanted.
func (c *secCase) check(t *testing.T, story trail.Story) {
	t.Helper()
	var sessions []string
	var end trail.Event
	for _, e := range story.Events {
		if e.What != "tls" {
			end = e
			continue
		}
		if e.Session == nil || e.Session.Domain != c.name+".test" {
			t.Errorf("a session without a domain: %+v", e)
			continue
		}
		sessions = append(sessions, strings.TrimSpace(e.Session.Policy+" "+e.Session.Result))
	}
	got := strings.Join(sessions, ", ")
	if end.What != c.event || !strings.HasPrefix(end.Reply, c.said) || got != c.session {
		t.Errorf("%s: %s %q (%s), want %s %q (%s)", c.why, end.What, end.Reply, got, c.event, c.said, c.session)
	}
	if c.event != "delivered" {
		return
	}
	if tls := strings.Contains(end.TLS, ", "+c.tls); tls != (c.tls != "") || c.tls == "" && end.TLS != "" {
		t.Errorf("%s: TLS is %q, want %q", c.why, end.TLS, c.tls)
	}
	if !strings.Contains(end.Note, c.note) || c.note == "" && end.Note != "" {
		t.Errorf("%s: the note is %q, want %q", c.why, end.Note, c.note)
	}
}
