package sasl

import (
	"context"
	"errors"
	"testing"

	"github.com/forepost/forepost/relay/mail"
)

func TestPasswords(t *testing.T) {
	logins := Passwords(func(_ context.Context, user, password string) (mail.Identity, error) {
		if user == "bob" && password == "secret" {
			return mail.Identity{User: "bob@local.test"}, nil
		}
		return mail.Identity{}, ErrCredentials
	})
	for _, c := range []struct {
		mech string
		say  []string
		want error
	}{
		{Plain, []string{"\x00bob\x00secret"}, nil},
		{Plain, []string{"BOB\x00bob\x00secret"}, nil},
		{Plain, []string{"\x00bob\x00wrong"}, ErrCredentials},
		{Plain, []string{"\x00bob\x00"}, ErrCredentials},
		{Plain, []string{"eve\x00bob\x00secret"}, ErrActing},
		{Plain, []string{"bob\x00secret"}, ErrMalformed},
		{Plain, []string{"\x00\x00secret"}, ErrMalformed},
		{Plain, []string{"\x00bob\x00sec\x00ret"}, ErrMalformed},
		{Login, []string{"bob", "secret"}, nil},
		{Login, []string{"bob", ""}, ErrCredentials},
		{Login, []string{""}, ErrMalformed},
		{Login, []string{"b\x00ob"}, ErrMalformed},
	} {
		x, err := Begin(t.Context(), c.mech, logins, Client{})
		if err != nil {
			t.Fatal(err)
		}
		if _, done, err := x.Next(nil); done || err != nil {
			t.Errorf("%s begins with %v, %v", c.mech, done, err)
		}
		var done bool
		for _, s := range c.say {
			_, done, err = x.Next([]byte(s))
		}
		if !errors.Is(err, c.want) || done != (c.want == nil) || done != (x.Identity().User != "") {
			t.Errorf("%s %q: %v, %v, want %v", c.mech, c.say, done, err, c.want)
		}
	}
	if _, err := Begin(t.Context(), SCRAM, logins, Client{}); !errors.Is(err, ErrUnknown) {
		t.Errorf("SCRAM without keys: %v", err)
	}
}
