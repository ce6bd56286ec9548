package sasl

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strconv"
)

// scram is SCRAM-SHA-256 and, where plus, SCRAM-SHA-256-PLUS: RFC 5802 with the
// hash of RFC 7677.
type scram struct {
	run
	plus  bool
	step  int
	first clientFirst
	bound string // what c= has to be: the gs2-header and the data of the binding
	keys  Keys
	nonce string // of both sides
	said  string // our first message

	random func() string // the server's nonce in tests
}

// Next implements Exchange.
func (s *scram) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil && s.step == 0 {
		return nil, false, nil
	}
	switch s.step++; s.step {
	case 1:
		challenge, err = s.begin(string(response))
	case 2:
		challenge, err = s.prove(string(response))
	default: // the client has seen our signature
		if len(response) > 0 {
			return nil, false, ErrMalformed
		}
		return nil, true, nil
	}
	return challenge, false, err
}

// begin answers the client's first message.
func (s *scram) begin(msg string) ([]byte, error) {
	m, ok := parseFirst(msg)
	if !ok {
		return nil, ErrMalformed
	}
	s.first, s.user, s.bound = m, m.user, m.header
	switch {
	case s.plus != (m.flag == 'p'): // -PLUS is to bind, and the other not
		return nil, ErrMalformed
	case m.flag == 'y' && canBind(s.client.TLS):
		// We do offer -PLUS. Somebody on the way took it out of the list (section 6).
		return nil, ErrCredentials
	case !itself(m.authz, m.user):
		return nil, ErrActing
	}
	if s.plus {
		data := binding(s.client.TLS, m.binding)
		if data == nil {
			return nil, ErrMalformed
		}
		s.bound += string(data)
	}
	var err error
	if s.keys, err = s.logins.Keys(s.ctx, s.client, s.user); err != nil {
		return nil, err
	}
	s.nonce = m.nonce + s.newNonce()
	s.said = "r=" + s.nonce + ",s=" + base64.StdEncoding.EncodeToString(s.keys.Salt) + ",i=" + strconv.Itoa(s.keys.Iterations)
	return []byte(s.said), nil
}

func (s *scram) newNonce() string {
	if s.random != nil {
		return s.random()
	}
	var b [18]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// prove checks the client's proof and gives ours.
func (s *scram) prove(msg string) ([]byte, error) {
	m, ok := parseFinal(msg)
	if !ok || m.nonce != s.nonce {
		return nil, ErrMalformed
	}
	whole := s.first.bare + "," + s.said + "," + m.bare
	right := s.keys.matches(m.proof, whole)
	if subtle.ConstantTimeCompare([]byte(m.binding), []byte(s.bound)) != 1 {
		right = false // the proof is for another connection, or the header was changed on the way
	}
	id, err := s.logins.Proved(s.ctx, s.client, s.user, right)
	switch {
	case err != nil:
		return nil, err
	case !right: // whatever Proved thinks of it
		return nil, ErrCredentials
	}
	s.id = id
	return []byte("v=" + base64.StdEncoding.EncodeToString(mac(s.keys.ServerKey, whole))), nil
}

// matches tells whether a proof over a text was made with the ClientKey of
// StoredKey.
func (k Keys) matches(proof []byte, text string) bool {
	if len(proof) != sha256.Size || len(k.StoredKey) != sha256.Size {
		return false
	}
	client := mac(k.StoredKey, text)
	subtle.XORBytes(client, client, proof)
	sum := sha256.Sum256(client)
	return subtle.ConstantTimeCompare(sum[:], k.StoredKey) == 1
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
