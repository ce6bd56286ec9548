package appliance

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/srs"
)

// forwarder makes the rewriter of forwarded mail's senders; nil where it is off.
func (a *Appliance) forwarder(s *policies.Settings) (*srs.Rewriter, error) {
	if !s.SRS.On {
		return nil, nil
	}
	if s.SRS.Secret == "" {
		own, err := ownSecret(filepath.Join(s.DataDir, "srs.secret"))
		return srs.New(a.o.Now, own), err
	}
	secrets := [][]byte{[]byte(s.SRS.Secret)}
	if s.SRS.Previous != "" {
		secrets = append(secrets, []byte(s.SRS.Previous))
	}
	return srs.New(a.o.Now, secrets...), nil
}

// ownSecret reads the gateway's own secret, and makes it the first time.
func ownSecret(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		b := make([]byte, 32)
		rand.Read(b) // it never fails
		text = []byte(hex.EncodeToString(b) + "\n")
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("the secret of rewritten senders: %w", err)
	}
	own := strings.TrimSpace(string(text))
	if len(own) < 16 {
		return nil, fmt.Errorf("the secret of rewritten senders in %s is too short: remove the file, and one is made", path)
	}
	return []byte(own), nil
}

// rewrite is the sender that mail to a recipient goes out with (relay.Rewriter): that
// of others which an alias of ours leads elsewhere gets one of the alias's domain.
func (a *Appliance) rewrite(from mail.Address, to mail.Recipient) (mail.Address, bool) {
	l := a.live()
	_, ours := l.domains[from.Domain]
	_, stays := l.domains[to.Address.Domain]
	_, known := l.domains[to.Via]
	if l.srs == nil || from.IsNull() || ours || stays || !known {
		return from, false
	}
	as, err := l.srs.Forward(from, to.Via)
	if err != nil {
		a.log.Info("forwarded mail keeps its sender", "from", from.String(), "to", to.Address.String(), "why", err)
		return from, false
	}
	return as, true
}

// returned is the answer for an address of ours that has the form of a rewritten
// sender: a bounce goes on to the one it stands for.
func returned(l *live, to mail.Address, acc mail.Acceptance) (mail.Acceptance, bool) {
	if l.srs == nil || !srs.Is(to.Local) {
		return acc, false
	}
	original, err := l.srs.Reverse(to)
	switch {
	case errors.Is(err, srs.ErrExpired):
		acc.Reply = mail.Refuse(50, 1, 1, "This address stood for another one, for three weeks, and is no more")
	case err != nil:
		acc.Reply = mail.Refuse(50, 1, 1, "This is not an address that this server made")
	default:
		acc.Known, acc.Final = true, []mail.Address{original}
	}
	return acc, true
}

// told tells who hears of mail that could not be delivered (queue.Options.Told).
func (a *Appliance) told(s mail.Standing) bool {
	l := a.live()
	switch {
	case l == nil || l.settings.Bounces.To == "all":
		return true
	case l.settings.Bounces.To == "verified":
		return s == mail.Vouched
	}
	return s == mail.Vouched || s == mail.Unproven
}
