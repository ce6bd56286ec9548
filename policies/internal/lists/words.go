package lists

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

type words map[string]struct{}

func (w words) add(s string) error {
	if s == "" {
		return errors.New("an entry is empty")
	}
	w[strings.ToLower(s)] = struct{}{}
	return nil
}

func (w words) done() error { return nil }

func (w words) has(s string) bool {
	_, ok := w[strings.ToLower(s)]
	return ok
}

// hashes are looked up by the hash itself, or by the text that it is of.
type hashes map[[sha256.Size]byte]struct{}

func (h hashes) add(s string) error {
	sum, ok := parseHash(s)
	if !ok {
		return errors.New("not a SHA-256 hash, 64 hexadecimal digits")
	}
	h[sum] = struct{}{}
	return nil
}

func (h hashes) done() error { return nil }

func (h hashes) has(s string) bool {
	if sum, ok := parseHash(s); ok {
		if _, ok := h[sum]; ok {
			return true
		}
	}
	_, ok := h[sha256.Sum256([]byte(strings.ToLower(s)))]
	return ok
}

func parseHash(s string) (sum [sha256.Size]byte, ok bool) {
	if len(s) != 2*sha256.Size {
		return sum, false
	}
	_, err := hex.Decode(sum[:], []byte(s))
	return sum, err == nil
}
