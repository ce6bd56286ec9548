package ldap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/ldap/ldaptest"
	"github.com/forepost/forepost/relay/sasl"
)

// clientOf is a client for a server of the tests, which binds as the service.
func clientOf(t *testing.T, s *ldaptest.Server, change func(*Options)) *Client {
	t.Helper()
	pem, err := os.ReadFile(s.CA)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	o := Options{Servers: []string{s.Secure}, Bind: ldaptest.Service, Password: ldaptest.Password, TLS: &tls.Config{RootCAs: roots}, Timeout: 5 * time.Second}
	if change != nil {
		change(&o)
	}
	c := New(o)
	t.Cleanup(c.Close)
	return c
}

func source(t *testing.T, tail string) Source {
	t.Helper()
	s, err := ParseSource("ldaps://localhost/" + tail)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLogins(t *testing.T) {
	s := ldaptest.Start(t)
	c := clientOf(t, s, nil)
	for _, x := range []struct {
		tail, user, password string
		want                 error
		addresses            string
		why                  string
	}{
		{ldaptest.Base, "bob", "bob's secret", nil, "[Bob@local.test robert@local.test]", "by uid"},
		{ldaptest.Base, "BOB@local.test", "bob's secret", nil, "[Bob@local.test robert@local.test]", "by mail, in another case"},
		{"", "robert@local.test", "bob's secret", nil, "[Bob@local.test robert@local.test]", "by a further address, below the server's own base"},
		{ldaptest.Base + "?uid?sub?(mail=eve@local.test)", "eve", "eve's secret", nil, "[eve@local.test]", "with a filter"},
		{ldaptest.Base + "?uid?sub?(mail=eve@local.test)", "bob", "bob's secret", sasl.ErrCredentials, "", "whom the filter leaves out"},
		{ldaptest.Base + "?uid", "bob@local.test", "bob's secret", sasl.ErrCredentials, "", "by an attribute that does not count"},
		{ldaptest.Base + "?uid?one", "bob", "bob's secret", sasl.ErrCredentials, "", "deeper than the scope"},
		{ldaptest.Base, "bob", "wrong", sasl.ErrCredentials, "", "a wrong password"},
		{ldaptest.Base, "nobody", "x", sasl.ErrCredentials, "", "no such name"},
		{ldaptest.Base, "twin", "same", sasl.ErrCredentials, "", "two have the name"},
		{ldaptest.Base, "nopass", "x", sasl.ErrCredentials, "", "an entry without a password"},
		{ldaptest.Base, `odd(name)*\`, "odd secret", nil, "[odd@local.test]", "a name of characters that filters have"},
	} {
		id, err := c.login(t.Context(), source(t, x.tail), x.user, x.password)
		if !errors.Is(err, x.want) || err == nil && (fmt.Sprint(id.Addresses) != x.addresses || id.User != id.Addresses[0].Key()) {
			t.Errorf("%s: %q gives %+v, %v", x.why, x.user, id, err)
		}
	}
}

// Threat: lookup injection. Whatever stands in a name is a value, and an empty
// password never binds.
func TestLookupInjection(t *testing.T) {
	s := ldaptest.Start(t)
	c := clientOf(t, s, nil)
	for _, user := range []string{"*", "b*", "bob)(uid=*", "*)(uid=*))(|(uid=*", "*)(objectClass=*", `\2a`, "bob\x00", "bob\x00)(uid=*", "bob\r\nx", `bob"`, "bob'",
		"uid=bob," + ldaptest.People, ")", "((((", "bob)(|(uid=bob", strings.Repeat("a", 400), "\xff", "", "smtp:bob@local.test"} {
		for _, password := range []string{"bob's secret", ""} {
			if id, err := c.login(t.Context(), source(t, ldaptest.Base), user, password); !errors.Is(err, sasl.ErrCredentials) {
				t.Errorf("%q with %q: %+v, %v", user, password, id, err)
			}
		}
	}
	for _, password := range []string{"", "\x00", "bob's secret\x00", strings.Repeat("x", 2000)} {
		if _, err := c.login(t.Context(), source(t, ldaptest.Base), "bob", password); !errors.Is(err, sasl.ErrCredentials) {
			t.Errorf("the password %.20q: %v", password, err)
		}
	}
	for _, dn := range []string{"", "uid=bob," + ldaptest.People} {
		if err := c.bind(t.Context(), dn, ""); !errors.Is(err, errWrong) {
			t.Errorf("an empty password binds as %q: %v", dn, err)
		}
	}
}

// FuzzFilter: however a name is made, the filter is one comparison for each
// attribute.
func FuzzFilter(f *testing.F) {
	f.Add("bob")
	f.Add("*)(uid=*")
	f.Add("\\2a\x00")
	f.Fuzz(func(t *testing.T, user string) {
		if !nameable(user) {
			return
		}
		got := named([]string{"uid", "proxyAddresses"}, user)
		plain := named([]string{"uid", "proxyAddresses"}, "x")
		for _, c := range []string{"(", ")", "*", "|", "&"} {
			want := strings.Count(plain, c)
			if c == "|" || c == "&" {
				want += 2 * strings.Count(user, c) // they mean nothing inside of a value
			}
			if strings.Count(got, c) != want {
				t.Errorf("%q makes %q", user, got)
			}
		}
	})
}

// A wrong password and a server that is away are told apart; another server
// stands in; connections are used again, and made anew after a restart.
func TestServersThatGo(t *testing.T) {
	s := ldaptest.Start(t)
	login := func(c *Client, password string) error {
		_, err := c.login(t.Context(), source(t, ldaptest.Base), "bob", password)
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0") // one that accepts and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	both := clientOf(t, s, func(o *Options) {
		o.Servers, o.Timeout = []string{"ldap://127.0.0.1:1", "ldap://" + ln.Addr().String(), s.URL}, time.Second
	})
	for range 3 {
		if err := login(both, "bob's secret"); err != nil {
			t.Fatal(err)
		}
	}
	if order := both.order(); order[0] != s.URL {
		t.Errorf("servers that failed are asked first: %v", order)
	}
	alone := clientOf(t, s, nil)
	if err := errors.Join(login(alone, "bob's secret")); err != nil {
		t.Fatal(err)
	}
	if n := len(alone.searches.idle) + len(alone.binds.idle); n != 2 {
		t.Errorf("%d connections are kept, want 2", n)
	}
	s.Stop()
	if err := login(alone, "bob's secret"); !errors.Is(err, ErrAway) || errors.Is(err, sasl.ErrCredentials) {
		t.Errorf("while the server is away: %v", err)
	}
	s.Again()
	if err := login(alone, "bob's secret"); err != nil {
		t.Errorf("when it is back: %v", err)
	}
	if err := login(alone, "wrong"); !errors.Is(err, sasl.ErrCredentials) {
		t.Errorf("a wrong password then: %v", err)
	}
	for why, change := range map[string]func(*Options){
		"a wrong service password":       func(o *Options) { o.Password = "wrong" },
		"a certificate nobody signed":    func(o *Options) { o.TLS = nil },
		"StartTLS, certificate unsigned": func(o *Options) { o.TLS, o.Servers, o.StartTLS = nil, []string{s.URL}, true },
	} {
		if err := login(clientOf(t, s, change), "bob's secret"); !errors.Is(err, ErrAway) {
			t.Errorf("%s: %v", why, err)
		}
	}
	if err := login(clientOf(t, s, func(o *Options) { o.Servers, o.StartTLS = []string{s.URL}, true }), "bob's secret"); err != nil {
		t.Errorf("StartTLS: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	fresh := clientOf(t, s, nil)
	if _, err := fresh.login(ctx, source(t, ldaptest.Base), "bob", "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits any more: %v", err)
	}
}

func TestEntries(t *testing.T) {
	s := ldaptest.Start(t)
	c := clientOf(t, s, nil)
	var ldif strings.Builder
	for i := range 1200 { // more than a page, and than slapd gives unpaged
		fmt.Fprintf(&ldif, "dn: uid=u%d,%s\nchangetype: add\nobjectClass: inetOrgPerson\nuid: u%d\ncn: u\nsn: u\nmail: u%d@local.test\n\n", i, ldaptest.People, i, i)
	}
	s.Change(ldif.String())
	list, err := c.Entries(t.Context(), source(t, ldaptest.People))
	if err != nil || len(list) != 1200+8 || !slices.Contains(list, "robert@local.test") || !slices.Contains(list, "u1199@local.test") {
		t.Errorf("%d entries, %v", len(list), err)
	}
	if list, err := c.Entries(t.Context(), source(t, ldaptest.People+"?uid?one?(cn=Bob)")); err != nil || fmt.Sprint(list) != "[bob]" {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := c.Entries(t.Context(), source(t, "dc=elsewhere")); !errors.Is(err, ErrAway) {
		t.Errorf("a base that is not there: %v", err)
	}
}

func TestParseSource(t *testing.T) {
	for in, want := range map[string]string{
		"ldaps://dc1.int.example.com":                                 "{ldaps://dc1.int.example.com  [] 2 (objectClass=*)}",
		"ldaps://dc1.int.example.com/ou=Staff,dc=example,dc=com?mail": "{ldaps://dc1.int.example.com ou=Staff,dc=example,dc=com [mail] 2 (objectClass=*)}",
		"LDAP://[::1]:3389/dc=x?uid,mail?one?(&(a=b)(!(c=d)))":        "{ldap://[::1]:3389 dc=x [uid mail] 1 (&(a=b)(!(c=d)))}",
		"ldap://h/dc=a%20b?mail??objectClass=person":                  "{ldap://h dc=a b [mail] 2 (objectClass=person)}",
		"http://h/dc=x": "", "ldap:///dc=x": "", "ldap://u:p@h/dc=x": "", "ldap://h/nonsense": "", "ldap://h/dc=x?ma(il": "",
		"ldap://h/dc=x?mail?tree": "", "ldap://h/dc=x?mail?sub?(a=b": "", "ldap://h/dc=x????!bindname=cn=x": "", "ldap://h/dc=%zz": "",
	} {
		got, err := ParseSource(in)
		if (err == nil) != (want != "") || err == nil && fmt.Sprint(got) != want {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
}
