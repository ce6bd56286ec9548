package outbound

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/route"
)

const (
	offered = opening + `
		S: 250-PIPELINING
		S: 250 STARTTLS
		C: STARTTLS
	`
	secured = offered + `
		S: 220 go
		tls
		C: EHLO gate.test
		S: 250-mx1.test
	`
	transfer = `
		C: MAIL FROM:<a@from.test>
		C: RCPT TO:<b@to.test>
		C: DATA
		S: 250 ok
		S: 250 ok
		S: 354 go on` + body + `
		S: 250 done` + bye
	overTLS = secured + "S: 250 PIPELINING" + transfer
	inClear = plain + transfer
)

func TestTLSPolicies(t *testing.T) {
	const sent = "delivered 250 done (remote)"
	cases := []struct {
		why    string
		policy route.TLSPolicy
		name   string // of the host, where it is not mx1.test
		script string
		want   string
		tls    bool // what the attempt says
	}{
		{"may: offered, so used", route.TLSMay, "", overTLS, sent, true},
		{"may: another name on the certificate is no matter", route.TLSMay, "other.test", overTLS, sent, true},
		{"may: not offered", route.TLSMay, "", inClear, sent, false},
		{"may: refused, and goes on in cleartext", route.TLSMay, "", offered + "S: 454 4.7.0 not now" + transfer, sent, false},
		{"may: the handshake fails, and another connection is in cleartext", route.TLSMay, "", offered + `
			S: 220 go
			> this is not TLS at all\r\n
			drop
			----
			S: 220 mx1.test ESMTP
			C: EHLO gate.test
			S: 250-mx1.test
			S: 250-STARTTLS
			S: 250 PIPELINING` + transfer, sent, false},
		{"may: replies in cleartext behind the 220 are not taken for replies", route.TLSMay, "", offered + `
			> 220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n
			eof
			----` + inClear, sent, false},
		{"require: any certificate will do", route.TLSRequire, "other.test", overTLS, sent, true},
		{"require: stripped from the offer", route.TLSRequire, "", plain + bye, "soft 451 4.7.10 The server does not offer STARTTLS...", false},
		{"require: refused", route.TLSRequire, "", offered + "S: 454 4.7.0 not now" + bye, "soft 451 4.7.10 The server refused STARTTLS...", false},
		{"require: never in cleartext, although the handshake fails", route.TLSRequire, "", offered + `
			S: 220 go
			> this is not TLS at all\r\n
			drop`, "soft 454 4.7.5 TLS failed: ...", false},
		{"require: replies behind the 220", route.TLSRequire, "", offered + `
			> 220 go\r\n250 evil\r\n
			eof`, "soft 454 4.7.5 TLS failed: 10 octets in cleartext came after the reply to STARTTLS", false},
		{"verify: the name and the root are right", route.TLSVerify, "", overTLS, sent, true},
		{"verify: an address on the certificate", route.TLSVerify, "127.0.0.9", overTLS, sent, true},
		{"verify: the name is wrong", route.TLSVerify, "other.test", offered + "S: 220 go\ntls!",
			"soft 454 4.7.5 TLS failed: tls: failed to verify certificate: x509: certificate is valid for mx1.test, mx2.test, not other.test", false},
		{"verify: not offered", route.TLSVerify, "", plain + bye, "soft 451 4.7.10 The server does not offer STARTTLS...", false},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			hs := hosts(fake(t, c.script))
			if c.name != "" {
				hs[0].Name = c.name
			}
			cl := NewSMTP(options(t, hs))
			as := cl.For(&route.Route{Name: "mx", TLS: c.policy}).Deliver(t.Context(), envelope("b@to.test"), &mail.Message{Blob: mail.Bytes(message)})
			check(t, show(as), c.want)
			if got := strings.HasPrefix(as[0].TLS, "TLS 1.3, TLS_"); got != c.tls {
				t.Errorf("the attempt says TLS %q", as[0].TLS)
			}
		})
	}
}

// Port 465 speaks TLS from the first octet (RFC 8314), whatever the policy.
func TestImplicitTLS(t *testing.T) {
	f := fake(t, "tls\n"+inClear)
	c := NewSMTP(options(t, nil))
	s, fail := c.open(t.Context(), endpoint{network: "tcp", addr: f.addr().String(), host: "mx1.test", name: "mx1.test", implicit: true}, security{tls: route.TLSVerify}, nil)
	if fail != nil {
		t.Fatal(fail)
	}
	m, err := newMailing(envelope("b@to.test"), &mail.Message{Blob: mail.Bytes(message)}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if fail := s.carry(m, []int{0}); fail != nil {
		t.Fatal(fail)
	}
	s.quit()
	check(t, show(m.attempts), "delivered 250 done (remote)")
	clear := fake(t, "S: 220 no TLS here\ndrop")
	_, fail = c.open(t.Context(), endpoint{network: "tcp", addr: clear.addr().String(), host: "mx1.test", name: "mx1.test", implicit: true}, security{}, nil)
	if fail == nil || !fail.handshake {
		t.Errorf("a server without TLS: %v", fail)
	}
}

func TestRequireTLS(t *testing.T) {
	ready := secured + `
		S: 250-PIPELINING
		S: 250 REQUIRETLS
		C: MAIL FROM:<a@from.test> REQUIRETLS
		C: RCPT TO:<b@to.test>
		C: DATA
		S: 250 ok
		S: 250 ok
		S: 354 go on` + body + `
		S: 250 done` + bye
	cases := []struct{ why, first, second, want string }{
		{"a server that promises the same, RFC 8689", ready, "", "delivered 250 done (remote)"},
		{"one that does not", secured + "S: 250 PIPELINING" + bye, "", "hard 550 5.7.30 The server does not promise REQUIRETLS..."},
		{"the next may", secured + "S: 250 PIPELINING" + bye, ready, "delivered 250 done (remote)"},
		{"one that does not, one that is busy: there is hope", secured + "S: 250 PIPELINING" + bye, "S: 421 busy\neof", "soft 421 4.3.2 busy (remote)"},
		{"no TLS, no mail", plain + bye, "", "soft 451 4.7.10 ..."},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			servers := []*fakeServer{fake(t, c.first)}
			if c.second != "" {
				servers = append(servers, fake(t, c.second))
			}
			env := envelope("b@to.test")
			env.RequireTLS = true
			check(t, deliver(t, NewSMTP(options(t, hosts(servers...))), &route.Route{Name: "mx"}, env, message), c.want)
		})
	}
}

func TestSmarthostLogin(t *testing.T) {
	const begin = "soft 451 4.7.8 The server refused the login of user gate: 535 5.7.8 wrong"
	cases := []struct{ why, script, want string }{
		{"PLAIN", secured + `
			S: 250-PIPELINING
			S: 250 AUTH LOGIN PLAIN
			C: AUTH PLAIN AGdhdGUAc2VjcmV0
			S: 235 2.7.0 welcome` + transfer, "delivered 250 done (remote)"},
		{"LOGIN, and the old way to offer it", secured + `
			S: 250-PIPELINING
			S: 250 AUTH=LOGIN
			C: AUTH LOGIN
			S: 334 VXNlcm5hbWU6
			C: Z2F0ZQ==
			S: 334 UGFzc3dvcmQ6
			C: c2VjcmV0
			S: 235 2.7.0 welcome` + transfer, "delivered 250 done (remote)"},
		{"a wrong password delays mail, it does not bounce it", secured + `
			S: 250 AUTH PLAIN
			C: AUTH PLAIN AGdhdGUAc2VjcmV0
			S: 535 5.7.8 wrong` + bye, begin},
		{"LOGIN refused half way", secured + `
			S: 250 AUTH LOGIN
			C: AUTH LOGIN
			S: 334 VXNlcm5hbWU6
			C: Z2F0ZQ==
			S: 535 5.7.8 wrong` + bye, begin},
		{"no mechanism that we know", secured + "S: 250 AUTH GSSAPI" + bye, "soft 451 4.7.8 The server offers neither AUTH PLAIN nor AUTH LOGIN..."},
		{"never in cleartext, whatever is offered", opening + "S: 250 AUTH PLAIN LOGIN" + bye, "soft 451 4.7.10 The route has a user, and a password goes out over TLS only..."},
		{"not after a handshake that failed either", offered + `
			S: 220 go
			> this is not TLS at all\r\n
			drop
			----` + opening + "S: 250 AUTH PLAIN" + bye, "soft 451 4.7.10 The route has a user..."},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			r := &route.Route{Name: "smarthost", Kind: route.Hosts, User: "gate", Secret: "secret"}
			check(t, deliver(t, NewSMTP(options(t, hosts(fake(t, c.script)))), r, envelope("b@to.test"), message), c.want)
		})
	}
}

// TestResumedIsVerified: a TLS session that was made when any certificate would do
// is resumed under a stricter policy only if it meets that.
func TestResumedIsVerified(t *testing.T) {
	addr := startPeer(t, &peer{})
	cl := NewSMTP(options(t, finder{{Name: "other.test", Signed: true, Addrs: []netip.AddrPort{addr}}}))
	defer cl.Close()
	for _, c := range []struct {
		tls  route.TLSPolicy
		want string
	}{{route.TLSMay, "delivered 250 2.0.0 ..."}, {route.TLSMay, "delivered 250 2.0.0 ..."}, {route.TLSVerify, "soft 454 4.7.5 TLS failed: ..."}} {
		check(t, deliver(t, cl, &route.Route{Name: "mx", TLS: c.tls}, envelope("b@to.test"), message), c.want)
	}
}
