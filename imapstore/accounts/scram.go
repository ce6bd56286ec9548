package accounts

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
)

// scramIterations is above the 4096 that RFC 7677 section 4 asks for at least.
const scramIterations = 10_000

// newSCRAM makes the keys of a prepared password, RFC 5802 section 3.
func newSCRAM(password string) SCRAM {
	s := SCRAM{Iterations: scramIterations, Salt: make([]byte, 16)}
	rand.Read(s.Salt)
	salted, err := pbkdf2.Key(sha256.New, password, s.Salt, s.Iterations, sha256.Size)
	if err != nil {
		return SCRAM{} // a mode of the library that forbids it: no SCRAM then
	}
	stored := sha256.Sum256(mac(salted, "Client Key"))
	s.StoredKey, s.ServerKey = stored[:], mac(salted, "Server Key")
	return s
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
