package dkim

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"regexp"
	"strings"

	"github.com/forepost/forepost/filters/internal/canon"
)

// blanked is what the library takes out of a signature before it is hashed: it
// means the value of b=, and finds it behind any b that an equals sign follows.
var blanked = regexp.MustCompile(`b\s*=[^;]`)

// misread tells whether the library hashes less of a signature than was signed:
// it has such a b elsewhere too, in z= as a rule ("Subject:=20a=20web=20page").
func misread(field string) bool { return len(blanked.FindAllString(field, 2)) > 1 }

// mend verifies the header of a signature that the library misread, after it has
// verified the body (RFC 6376 section 3.7).
func (l opened) mend(s signature, key canon.Key) error {
	h, err := canon.ReadHeader(l.msg, l.part, maxHeader)
	if err != nil {
		return err
	}
	relaxed := strings.HasPrefix(canon.Squeeze(s.tags["c"]), "relaxed")
	w := sha256.New()
	if err := h.Signed(w, s.signed, relaxed); err != nil {
		return err
	}
	if _, err := io.WriteString(w, canon.WithoutB(h.Field(s.field, relaxed))); err != nil {
		return err
	}
	sig, err := base64.StdEncoding.DecodeString(canon.Squeeze(s.tags["b"]))
	if err != nil {
		return err
	}
	return key.Verify(s.algorithm, [sha256.Size]byte(w.Sum(nil)), sig)
}
