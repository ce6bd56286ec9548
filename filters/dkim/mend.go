package dkim

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"regexp"
	"slices"
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

// unlike is what the library says where i= is not within d=. It compares letters
// as they stand, and domain names have no case.
const unlike = "domain mismatch"

// sameName tells whether i= is within d= in spite of that.
func sameName(s signature) bool {
	i := strings.ToLower(canon.Squeeze(s.tags["i"]))
	_, host, ok := strings.Cut(i[max(strings.LastIndexByte(i, '@'), 0):], "@")
	return ok && (host == s.domain || strings.HasSuffix(host, "."+s.domain))
}

// whole verifies a signature that the library stopped at before it looked at
// anything but v=, d= and i=.
func (f filter) whole(ctx context.Context, l opened, s signature) (o outcome) {
	o.sig, o.result = s, "permerror"
	forms := map[string]bool{"": false, "simple": false, "relaxed": true}
	head, body, _ := strings.Cut(canon.Squeeze(s.tags["c"]), "/")
	_, known := forms[head]
	relaxed, too := forms[body]
	switch {
	case !known || !too:
		o.why = "unsupported canonicalization algorithm"
		return o
	case !slices.Contains(s.signed, "from"):
		o.why = "From field not signed"
		return o
	}
	if o.key, o.why, o.err = canon.LookupKey(ctx, f.dns, s.selector, s.domain, s.algorithm); o.err != nil {
		o.result, o.why = "temperror", "the key could not be asked for"
	}
	if o.why != "" {
		return o
	}
	w := sha256.New()
	b := canon.NewBody(w, relaxed)
	if _, err := io.Copy(b, io.NewSectionReader(l.r, l.part.Body, l.size-l.part.Body)); err != nil {
		o.result, o.err = "temperror", err
		return o
	}
	b.Close()
	o.result = "fail"
	if base64.StdEncoding.EncodeToString(w.Sum(nil)) != canon.Squeeze(s.tags["bh"]) {
		o.why = "body hash did not verify"
	} else if err := l.mend(s, o.key); err != nil {
		o.why = unverified + ": " + err.Error()
	} else {
		o.result = "pass"
	}
	return o
}
