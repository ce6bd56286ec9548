// Package sasltest is a client of SCRAM-SHA-256, for tests of servers.
package sasltest

import (
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Client is one exchange. Its fields are what a test may bend.
type Client struct {
	User, Password string
	Header         string                   // the gs2-header; "n,," where empty
	Binding        []byte                   // the data of the channel binding that Header names
	Nonce          string                   // a new one where empty
	Final          func(bare string) string // changes the last message before its proof is made; may be nil

	bare, whole string
	server      []byte
}

// First is the client's first message.
func (c *Client) First() []byte {
	if c.Header == "" {
		c.Header = "n,,"
	}
	if c.Nonce == "" {
		var b [18]byte
		rand.Read(b[:])
		c.Nonce = base64.RawURLEncoding.EncodeToString(b[:])
	}
	c.bare = "n=" + strings.NewReplacer("=", "=3D", ",", "=2C").Replace(c.User) + ",r=" + c.Nonce
	return []byte(c.Header + c.bare)
}

// Answer takes the server's first message and gives the client's last.
func (c *Client) Answer(first []byte) ([]byte, error) {
	var nonce, salt string
	var n int
	for a := range strings.SplitSeq(string(first), ",") {
		switch {
		case strings.HasPrefix(a, "r="):
			nonce = a[2:]
		case strings.HasPrefix(a, "s="):
			salt = a[2:]
		case strings.HasPrefix(a, "i="):
			fmt.Sscan(a[2:], &n)
		}
	}
	raw, err := base64.StdEncoding.DecodeString(salt)
	if err != nil || n < 4096 || len(nonce) <= len(c.Nonce) || !strings.HasPrefix(nonce, c.Nonce) {
		return nil, fmt.Errorf("the server says %q: %w", first, errors.Join(err, errors.New("it is not what RFC 5802 asks for")))
	}
	bare := "c=" + base64.StdEncoding.EncodeToString(append([]byte(c.Header), c.Binding...)) + ",r=" + nonce
	if c.Final != nil {
		bare = c.Final(bare)
	}
	salted, err := pbkdf2.Key(sha256.New, c.Password, raw, n, sha256.Size)
	if err != nil {
		return nil, err
	}
	c.whole = c.bare + "," + string(first) + "," + bare
	c.server = mac(salted, "Server Key")
	key := mac(salted, "Client Key")
	stored := sha256.Sum256(key)
	proof := mac(stored[:], c.whole)
	subtle.XORBytes(proof, proof, key)
	return []byte(bare + ",p=" + base64.StdEncoding.EncodeToString(proof)), nil
}

// Verify checks that the server knows the password as well.
func (c *Client) Verify(final []byte) error {
	want := "v=" + base64.StdEncoding.EncodeToString(mac(c.server, c.whole))
	if !bytes.Equal(final, []byte(want)) {
		return fmt.Errorf("the server's signature is %q, want %q", final, want)
	}
	return nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
