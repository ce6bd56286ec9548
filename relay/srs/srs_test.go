package srs

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

func at(day int) func() time.Time {
	return func() time.Time { return time.Unix(int64(day)*86400+1, 0) }
}

func addr(s string) mail.Address { return mail.MustParseAddress(s) }

// A sender goes out rewritten, and a bounce finds back: over one forwarder, two, and
// three.
func TestThereAndBack(t *testing.T) {
	one, two, three := New(at(20000), []byte("one")), New(at(20000), []byte("two")), New(at(20000), []byte("three"))
	from := addr("Joe=x@example.org")
	a, err := one.Forward(from, "one.test")
	if err != nil || a.Domain != "one.test" || !strings.HasPrefix(a.Local, "SRS0=") || !strings.HasSuffix(a.Local, "=example.org=Joe=x") || !Is(a.Local) {
		t.Fatalf("%s, %v", a, err)
	}
	b, err := two.Forward(a, "two.test")
	if err != nil || !strings.HasPrefix(b.Local, "SRS1=") || !strings.Contains(b.Local, "=one.test==") {
		t.Fatalf("%s, %v", b, err)
	}
	c, err := three.Forward(b, "three.test")
	if err != nil || len(c.Local) != len(b.Local) {
		t.Fatalf("%s, %v: it grows no more", c, err)
	}
	for _, step := range []struct {
		r        *Rewriter
		in, want mail.Address
	}{{three, c, a}, {two, b, a}, {one, a, from}} {
		got, err := step.r.Reverse(step.in)
		if err != nil || got != step.want {
			t.Errorf("%s leads back to %s, %v; want %s", step.in, got, err, step.want)
		}
		shouted := step.in
		shouted.Local = strings.ToUpper(shouted.Local)
		if got, err := step.r.Reverse(shouted); err != nil || got.Key() == "" || !strings.EqualFold(got.String(), step.want.String()) {
			t.Errorf("in capitals it leads back to %s, %v", got, err)
		}
	}
}

func TestRefused(t *testing.T) {
	r := New(at(20000), []byte("new"), []byte("old"))
	good, err := r.Forward(addr("joe@example.org"), "one.test")
	if err != nil {
		t.Fatal(err)
	}
	old, err := New(at(20000), []byte("old")).Forward(addr("joe@example.org"), "one.test")
	if err != nil {
		t.Fatal(err)
	}
	change := func(from, to string) mail.Address {
		return mail.Address{Local: strings.Replace(good.Local, from, to, 1), Domain: good.Domain}
	}
	for _, c := range []struct {
		why  string
		r    *Rewriter
		in   mail.Address
		want error
	}{
		{"as it was made", r, good, nil},
		{"with the secret before", r, old, nil},
		{"with a secret that is no more", New(at(20000), []byte("new")), old, ErrForged},
		{"three weeks later", New(at(20021), []byte("new")), good, nil},
		{"a day more", New(at(20022), []byte("new")), good, ErrExpired},
		{"by a clock that is a day behind", New(at(19999), []byte("new")), good, nil},
		{"by one that is two days behind", New(at(19998), []byte("new")), good, ErrExpired},
		{"another domain", r, change("example.org", "example.com"), ErrForged},
		{"another person", r, change("=joe", "=bob"), ErrForged},
		{"no MAC", r, addr("SRS0=example.org=joe@one.test"), ErrForged},
		{"nothing in it", r, addr("SRS0=x@one.test"), ErrForged},
		{"an SRS1 out of thin air", r, addr("SRS1=abcdef=example.org==x@one.test"), ErrForged},
		{"an ordinary address", r, addr("srs0joe@one.test"), ErrNot},
		{"another", r, addr("joe@one.test"), ErrNot},
	} {
		if _, err := c.r.Reverse(c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.why, err, c.want)
		}
	}
	long := mail.Address{Local: strings.Repeat("x", 60), Domain: "example.org"}
	if got, err := r.Forward(long, "one.test"); err != ErrTooLong || got != long {
		t.Errorf("a long one: %s, %v", got, err)
	}
	if got, err := r.Forward(addr("SRS1=nothing@x.test"), "one.test"); err != ErrNot || got != addr("SRS1=nothing@x.test") {
		t.Errorf("a broken one: %s, %v", got, err)
	}
}

// FuzzReverse: what strangers write never hurts, and only what was made leads
// anywhere.
func FuzzReverse(f *testing.F) {
	r := New(at(20000), []byte("secret"))
	f.Add("SRS0=abcdef=aa=example.org=joe")
	f.Add("SRS1=abcdef=example.org==x")
	f.Add("srs0+a=b")
	f.Fuzz(func(t *testing.T, local string) {
		if got, err := r.Reverse(mail.Address{Local: local, Domain: "one.test"}); err == nil {
			t.Fatalf("%q leads to %s", local, got)
		}
		from := mail.Address{Local: local, Domain: "example.org"}
		to, err := r.Forward(from, "one.test")
		if err != nil || Is(local) {
			return
		}
		if back, err := r.Reverse(to); err != nil || back != from {
			t.Fatalf("%s became %s and then %s, %v", from, to, back, err)
		}
	})
}
