package accounts

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/secure/precis"
)

// cost is how expensive a password is to check.
type cost struct {
	memory  uint32 // KiB
	time    uint32
	threads uint8
}

// usual is the cost of new passwords: the first of the parameters that OWASP's
// Password Storage Cheat Sheet gives for argon2id (19 MiB, 2 passes, 1 lane).
var usual = cost{memory: 19 * 1024, time: 2, threads: 1}

// What a hash from the configuration may ask for at most: somebody else chose
// it, and every login pays for it.
const (
	maxMemory  = 256 * 1024 // KiB
	maxTime    = 16
	maxThreads = 16
	maxKey     = 128 // octets of salt or hash
)

// maxPassword is the longest password, in octets.
const maxPassword = 1024

var (
	errPHC      = errors.New("accounts: the password is not an argon2id hash in PHC form ($argon2id$v=19$m=19456,t=2,p=1$salt$hash)")
	errPHCCost  = fmt.Errorf("accounts: the password hash asks for more than m=%d,t=%d,p=%d", maxMemory, maxTime, maxThreads)
	errPassword = fmt.Errorf("accounts: a password has 1 to %d octets", maxPassword)
)

// hash is an argon2id hash taken apart.
type hash struct {
	cost
	salt, key []byte
}

// newHash hashes a prepared password with a new salt.
func newHash(password string, c cost) hash {
	h := hash{cost: c, salt: make([]byte, 16)}
	rand.Read(h.salt)
	h.key = h.derive(password, 32)
	return h
}

func (h hash) derive(password string, n int) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.threads, uint32(n))
}

// matches checks a prepared password, in a time that depends on the cost alone.
func (h hash) matches(password string) bool {
	return subtle.ConstantTimeCompare(h.derive(password, len(h.key)), h.key) == 1
}

// String is the PHC form.
func (h hash) String() string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.time, h.threads,
		b.EncodeToString(h.salt), b.EncodeToString(h.key))
}

// parseHash reads the PHC form.
func parseHash(s string) (hash, error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return hash{}, errPHC
	}
	var h hash
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads); n != 3 || err != nil {
		return hash{}, errPHC
	}
	if h.memory > maxMemory || h.time > maxTime || h.threads > maxThreads {
		return hash{}, errPHCCost
	}
	var err1, err2 error
	h.salt, err1 = base64.RawStdEncoding.DecodeString(parts[4])
	h.key, err2 = base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || h.time == 0 || h.threads == 0 || h.memory < 8 ||
		len(h.salt) < 8 || len(h.salt) > maxKey || len(h.key) < 16 || len(h.key) > maxKey {
		return hash{}, errPHC
	}
	if h.String() != s { // something before, after or between that nobody reads
		return hash{}, errPHC
	}
	return h, nil
}

// CheckHash tells what is wrong with a password hash of the configuration.
func CheckHash(phc string) error {
	_, err := parseHash(phc)
	return err
}

// prepare makes one form of the ways to type a password (RFC 8265 section 4.2).
// What that profile forbids is taken as it is: a login may not fail for it.
func prepare(password string) string {
	if p, err := precis.OpaqueString.String(password); err == nil {
		return p
	}
	return password
}

// HashPassword makes what an Account keeps of a password: the hash and the SCRAM
// keys.
func HashPassword(password string) (phc string, keys SCRAM, err error) {
	if password == "" || len(password) > maxPassword {
		return "", SCRAM{}, errPassword
	}
	password = prepare(password)
	return newHash(password, usual).String(), newSCRAM(password), nil
}
