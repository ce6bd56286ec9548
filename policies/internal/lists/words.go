package lists

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

// Lower is strings.ToLower, quicker where there is nothing to do: most of what is
// looked up is lower case already.
func Lower(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; 'A' <= c && c <= 'Z' || c >= 0x80 {
			return strings.ToLower(s)
		}
	}
	return s
}

type words map[string]struct{}

func (w words) add(s string) error {
	if s == "" {
		return errors.New("an entry is empty")
	}
	w[Lower(s)] = struct{}{}
	return nil
}

func (w words) done() error { return nil }

func (w words) has(s string) bool {
	_, ok := w[Lower(s)]
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
