package dkim

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/forepost/forepost/filters/internal/canon"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// Key is one key of a domain.
type Key = canon.SigningKey

// Signer signs with the keys of domains. It is safe for concurrent use.
type Signer struct{ keys map[string][]dkim.SignOptions }

var _ pipeline.SelectiveSigner = (*Signer)(nil)

// NewSigner makes a Signer of keys by domain (lower case, A-labels). All keys of
// a domain sign, RSA and Ed25519 side by side (RFC 8463 section 3): a receiver
// that knows only the one reads that one. An error names the domain and the
// selector.
func NewSigner(keys map[string][]Key) (*Signer, error) {
	s := &Signer{keys: map[string][]dkim.SignOptions{}}
	for domain, list := range keys {
		for _, k := range list {
			o, err := options(domain, k)
			if err != nil {
				return nil, fmt.Errorf("DKIM key %s of %s: %w", k.Selector, domain, err)
			}
			s.keys[domain] = append(s.keys[domain], o)
		}
	}
	return s, nil
}

func options(domain string, k Key) (dkim.SignOptions, error) {
	key, err := k.Open()
	if err != nil {
		return dkim.SignOptions{}, err
	}
	return dkim.SignOptions{
		Domain: domain, Selector: k.Selector, Signer: key,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed,
		BodyCanonicalization:   dkim.CanonicalizationRelaxed,
	}, nil
}

// ParseKey reads a private key in PEM: RSA (PKCS #1 or #8) or Ed25519 (PKCS #8).
func ParseKey(text string) (crypto.Signer, error) { return canon.ParsePrivate(text) }

// Sign makes the DKIM-Signature fields for a domain, one a key, over the message
// as it goes out. Only the very domain signs, never a parent for a subdomain. A
// domain without keys has no fields and no error.
func (s *Signer) Sign(ctx context.Context, domain string, msg *mail.Message) ([]mail.Field, error) {
	return signAll(ctx, s.keys[domain], msg)
}

// SignWith is Sign with some of the keys, or with another canonicalization.
func (s *Signer) SignWith(ctx context.Context, domain string, how pipeline.Signing, msg *mail.Message) ([]mail.Field, error) {
	var keys []dkim.SignOptions
	header, body, _ := strings.Cut(how.Canonicalization, "/")
	for _, k := range s.keys[domain] {
		if len(how.Selectors) > 0 && !slices.Contains(how.Selectors, k.Selector) {
			continue
		}
		if how.Canonicalization != "" {
			k.HeaderCanonicalization, k.BodyCanonicalization = dkim.Canonicalization(header), dkim.Canonicalization(body)
		}
		keys = append(keys, k)
	}
	return signAll(ctx, keys, msg)
}

func signAll(ctx context.Context, keys []dkim.SignOptions, msg *mail.Message) ([]mail.Field, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	r, err := msg.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	signed, err := canon.ToSign(r)
	if err != nil {
		return nil, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return sign(ctx, r, keys, signed)
}

// sign reads the message once for all keys.
func sign(ctx context.Context, r io.Reader, keys []dkim.SignOptions, signed []string) ([]mail.Field, error) {
	var signers []*dkim.Signer
	var writers []io.Writer
	for _, o := range keys {
		o.HeaderKeys = signed
		one, err := dkim.NewSigner(&o)
		if err != nil {
			return nil, errors.Join(err, closeAll(signers))
		}
		signers, writers = append(signers, one), append(writers, one)
	}
	_, err := io.Copy(io.MultiWriter(writers...), reader{ctx, r})
	if err = errors.Join(err, closeAll(signers)); err != nil {
		return nil, fmt.Errorf("dkim: signing for %s: %w", keys[0].Domain, err)
	}
	var fields []mail.Field
	for _, one := range signers {
		name, value, _ := strings.Cut(one.Signature(), ":")
		fields = append(fields, mail.Field{Name: name, Value: strings.TrimSpace(value)})
	}
	return fields, nil
}

// closeAll ends all signers, each of which has a goroutine that waits for it.
func closeAll(signers []*dkim.Signer) (err error) {
	for _, s := range signers {
		err = errors.Join(err, s.Close())
	}
	return err
}

// reader ends with its context.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
