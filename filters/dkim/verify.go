package dkim

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/forepost/forepost/filters/internal/canon"
)

// skew is how far the clock of a signer may go ahead of ours.
const skew = time.Hour

// verify verifies one signature. The library would verify several in goroutines
// of its own, where a panic ends the process and an error leaks them: it is
// shown one at a time.
func (f filter) verify(ctx context.Context, l opened, s signature) (o outcome) {
	o.sig = s
	if s.bad != "" {
		o.result, o.why = s.result, s.bad
		return o
	}
	defer func() {
		if p := recover(); p != nil {
			o.result = "temperror"
			o.err = fmt.Errorf("dkim: the verification panicked: %v\n%s", p, debug.Stack())
		}
	}()
	key := &keys{ctx: ctx, dns: f.dns, algorithm: s.algorithm}
	in := readers.Get().(*bufio.Reader)
	in.Reset(l.prepared(s))
	defer func() { in.Reset(nil); readers.Put(in) }()
	vs, err := dkim.VerifyWithOptions(in, &dkim.VerifyOptions{LookupTXT: key.lookup, MaxVerifications: 1})
	if err != nil && !errors.Is(err, dkim.ErrTooManySignatures) || len(vs) == 0 {
		o.result, o.err = "temperror", fmt.Errorf("dkim: the message could not be read: %w", err)
		return o
	}
	o.key = key.key
	o.result, o.why, o.err = judge(vs[0].Err)
	if o.result == "fail" && strings.HasPrefix(o.why, unverified) && misread(s.field.Raw) && l.mend(s, key.key) == nil {
		o.result, o.why = "pass", ""
	}
	if o.why == unlike && sameName(s) {
		o = f.whole(ctx, l, s)
	}
	return f.strict(o)
}

// unverified begins what the library says of a signature whose body is as it was
// signed and whose header is not.
const unverified = "signature did not verify"

// judge turns the library's error into a result of RFC 8601 section 2.7.1.
func judge(err error) (result, why string, temporary error) {
	switch {
	case err == nil:
		return "pass", "", nil
	case dkim.IsTempFail(err):
		return "temperror", "the key could not be asked for", err
	case dkim.IsPermFail(err):
		return "permerror", plain(err), nil
	}
	return "fail", plain(err), nil
}

func plain(err error) string { return strings.TrimPrefix(err.Error(), "dkim: ") }

// strict looks at what the library does not.
func (f filter) strict(o outcome) outcome {
	flags := o.key.Flags
	if slices.Contains(flags, "y") && o.result != "pass" && o.result != "temperror" {
		// RFC 6376 section 3.6.1: a domain that tests is not held to it
		o.result, o.why = "neutral", "the domain is testing: "+o.why
	}
	if o.result != "pass" {
		return o
	}
	now := f.now()
	switch {
	case slices.Contains(flags, "s") && !sameDomain(o.sig):
		o.result, o.why = "permerror", "the key is not for subdomains (t=s), and i= has one"
	case after(o.sig.tags["t"], now.Add(skew)):
		o.result, o.why = "permerror", "the signature comes from the future"
	case o.sig.tags["x"] != "" && !after(o.sig.tags["x"], now):
		o.result, o.why = "permerror", "the signature has expired"
	}
	return o
}

// sameDomain tells whether i= has the very domain of d=.
func sameDomain(s signature) bool {
	i := strings.ToLower(canon.Squeeze(s.tags["i"]))
	return i == "" || i[strings.LastIndexByte(i, '@')+1:] == s.domain
}

// after tells whether a timestamp of a signature lies after t.
func after(stamp string, t time.Time) bool {
	n, err := strconv.ParseInt(canon.Squeeze(stamp), 10, 64)
	return err == nil && n > t.Unix()
}
