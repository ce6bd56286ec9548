package sasl

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/sasl/sasltest"
)

// people is one user; Proved notes what it was told.
type people struct {
	keys  Keys
	told  []bool
	asked []string
}

func newPeople(t *testing.T, password, salt string, n int) *people {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(salt)
	if err != nil {
		t.Fatal(err)
	}
	salted, err := pbkdf2.Key(sha256.New, password, raw, n, 32)
	if err != nil {
		t.Fatal(err)
	}
	stored := sha256.Sum256(mac(salted, "Client Key"))
	return &people{keys: Keys{Iterations: n, Salt: raw, StoredKey: stored[:], ServerKey: mac(salted, "Server Key")}}
}

func (*people) SCRAM() bool { return true }
func (*people) Password(context.Context, Client, string, string) (mail.Identity, error) {
	return mail.Identity{}, errors.New("nobody sent a password")
}
func (p *people) Keys(_ context.Context, _ Client, user string) (Keys, error) {
	p.asked = append(p.asked, user)
	return p.keys, nil
}
func (p *people) Proved(_ context.Context, _ Client, user string, right bool) (mail.Identity, error) {
	p.told = append(p.told, right)
	if !right {
		return mail.Identity{}, ErrCredentials
	}
	return mail.Identity{User: user}, nil
}

// vector is the exchange of RFC 7677 section 3.
var vector = struct{ salt, clientNonce, serverNonce, first, serverFirst, final, serverFinal string }{
	"W22ZaJ0SNY7soEsUEjb6gQ==", "rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
	"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
	"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
	"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
	"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
}

func (p *people) begin(t *testing.T) *scram {
	t.Helper()
	x, err := Begin(t.Context(), SCRAM, p, Client{Protocol: "smtp"})
	if err != nil {
		t.Fatal(err)
	}
	s := x.(*scram)
	s.random = func() string { return vector.serverNonce }
	return s
}

func TestVectorOfRFC7677(t *testing.T) {
	p := newPeople(t, "pencil", vector.salt, 4096)
	s := p.begin(t)
	for _, step := range []struct{ say, hear string }{
		{vector.first, vector.serverFirst}, {vector.final, vector.serverFinal},
	} {
		got, done, err := s.Next([]byte(step.say))
		if err != nil || done || string(got) != step.hear {
			t.Fatalf("%q is answered with %q, %v, %v", step.say, got, done, err)
		}
	}
	if s.Identity().User != "user" {
		t.Errorf("who it was: %+v", s.Identity())
	}
	if _, done, err := s.Next([]byte{}); !done || err != nil {
		t.Errorf("the end: %v, %v", done, err)
	}
	c := &sasltest.Client{User: "user", Password: "pencil", Nonce: vector.clientNonce}
	if string(c.First()) != vector.first {
		t.Errorf("our client begins with %q", c.First())
	}
	if got, err := c.Answer([]byte(vector.serverFirst)); err != nil || string(got) != vector.final {
		t.Errorf("our client answers %q, %v", got, err)
	}
	if err := c.Verify([]byte(vector.serverFinal)); err != nil {
		t.Error(err)
	}
}

// What is not to the letter of RFC 5802 is refused, each for one reason.
func TestFirstMessages(t *testing.T) {
	for _, c := range []struct {
		first string
		want  error
		why   string
	}{
		{"n,,n=user,r=abc", nil, "as it should be"},
		{"y,,n=user,r=abc", nil, "could bind, and nothing to bind to was offered"},
		{"n,,n=user,r=abc,x=new", nil, "an extension that may be left unread"},
		{"n,a=user,n=user,r=abc", nil, "acting for oneself"},
		{"n,a=other,n=user,r=abc", ErrActing, "acting for another"},
		{"n,,n=a=2Cb=3Dc,r=abc", nil, "a name with a comma and an equals sign"},
		{"", ErrMalformed, "nothing"},
		{"n,,n=user", ErrMalformed, "no nonce"},
		{"n,,n=user,r=", ErrMalformed, "an empty nonce"},
		{"n,,n=user,r=a b", ErrMalformed, "a blank in the nonce"},
		{"n,,n=,r=abc", ErrMalformed, "an empty name"},
		{"n,,n=us=er,r=abc", ErrMalformed, "a bare equals sign in the name"},
		{"n,,n=us=2cer,r=abc", ErrMalformed, "an escape in lower case"},
		{"n,,u=user,r=abc", ErrMalformed, "no n="},
		{"n,,r=abc,n=user", ErrMalformed, "the wrong order"},
		{"n,n=user,r=abc", ErrMalformed, "half a header"},
		{"n,,m=ext,n=user,r=abc", ErrMalformed, "an extension that must be understood"},
		{"p=tls-exporter,,n=user,r=abc", ErrMalformed, "a binding where the mechanism has none"},
		{"x,,n=user,r=abc", ErrMalformed, "an unknown flag"},
		{"n,,n=user,r=abc,junk", ErrMalformed, "an extension that is none"},
		{"n,,n=us\x00er,r=abc", ErrMalformed, "a NUL"},
		{"n,,n=us\xffer,r=abc", ErrMalformed, "no UTF-8"},
		{"n,,n=" + strings.Repeat("a", 5000) + ",r=abc", ErrMalformed, "too long"},
	} {
		s := newPeople(t, "pencil", vector.salt, 4096).begin(t)
		if _, _, err := s.Next([]byte(c.first)); !errors.Is(err, c.want) {
			t.Errorf("%s: %q gives %v, want %v", c.why, c.first, err, c.want)
		}
		if c.why == "a name with a comma and an equals sign" && s.User() != "a,b=c" {
			t.Errorf("the name is read as %q", s.User())
		}
	}
}

func TestFinalMessages(t *testing.T) {
	nonce := vector.clientNonce + vector.serverNonce
	for _, c := range []struct {
		password string
		final    func(string) string
		want     error
		told     []bool
		why      string
	}{
		{"pencil", nil, nil, []bool{true}, "right"},
		{"Pencil", nil, ErrCredentials, []bool{false}, "a wrong password"},
		{"pencil", func(string) string { return "c=eSws,r=" + nonce }, ErrCredentials, []bool{false}, "c= is of another header (y,,): somebody changed the first message"},
		{"pencil", func(string) string { return "c=biws,r=" + nonce + "x" }, ErrMalformed, nil, "r= is not ours"},
		{"pencil", func(string) string { return "c=biws,r=" + vector.clientNonce }, ErrMalformed, nil, "r= is the client's half"},
		{"pencil", func(string) string { return "r=" + nonce + ",c=biws" }, ErrMalformed, nil, "the wrong order"},
		{"pencil", func(string) string { return "c=biw,r=" + nonce }, ErrMalformed, nil, "c= is no base64"},
		{"pencil", func(b string) string { return b + ",x=y" }, nil, []bool{true}, "an extension"},
		{"pencil", func(b string) string { return b + ",xy" }, ErrMalformed, nil, "an extension that is none"},
	} {
		p := newPeople(t, "pencil", vector.salt, 4096)
		s := p.begin(t)
		client := &sasltest.Client{User: "user", Password: c.password, Nonce: vector.clientNonce, Final: c.final}
		first, _, err := s.Next(client.First())
		if err != nil {
			t.Fatal(err)
		}
		final, err := client.Answer(first)
		if err != nil {
			t.Fatal(err)
		}
		got, done, err := s.Next(final)
		if !errors.Is(err, c.want) || done {
			t.Errorf("%s: %v, %v, want %v", c.why, done, err, c.want)
		}
		if err == nil && client.Verify(got) != nil {
			t.Errorf("%s: %v", c.why, client.Verify(got))
		}
		if len(p.told) != len(c.told) || len(p.told) == 1 && p.told[0] != c.told[0] {
			t.Errorf("%s: Proved was told %v, want %v", c.why, p.told, c.told)
		}
	}
}

func TestProofOfAnotherLength(t *testing.T) {
	for _, proof := range []string{"", "AAAA", "====", strings.Repeat("A", 64)} {
		p := newPeople(t, "pencil", vector.salt, 4096)
		s := p.begin(t)
		if _, _, err := s.Next([]byte(vector.first)); err != nil {
			t.Fatal(err)
		}
		bare, _, _ := strings.Cut(vector.final, ",p=")
		if _, _, err := s.Next([]byte(bare + ",p=" + proof)); err == nil || s.Identity().User != "" {
			t.Errorf("the proof %q is taken", proof)
		}
	}
}

func FuzzSCRAM(f *testing.F) {
	f.Add(vector.first, vector.final)
	f.Add("y,a=x,n==2C,r=!,x=", "c=,r=,p=")
	f.Fuzz(func(t *testing.T, first, final string) {
		s := newPeople(t, "pencil", vector.salt, 1).begin(t)
		if _, _, err := s.Next([]byte(first)); err != nil {
			return
		}
		if _, done, err := s.Next([]byte(final)); done || err == nil && !strings.Contains(final, ",p=") {
			t.Errorf("%q, %q: %v, %v", first, final, done, err)
		}
	})
}
