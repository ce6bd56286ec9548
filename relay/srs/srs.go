// Package srs rewrites the sender of mail that is forwarded, so that it passes SPF
// where it goes (Sender Rewriting Scheme), and finds the sender again when a bounce
// comes back.
package srs

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"strings"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// Errors of Forward and Reverse.
var (
	ErrNot     = errors.New("this is no rewritten address")
	ErrForged  = errors.New("this rewritten address is not one that we made")
	ErrExpired = errors.New("this rewritten address is too old")
	ErrTooLong = errors.New("the rewritten address would be too long")
)

const (
	// keep is how long a rewritten address can be answered, in days: bounces come
	// within the days that queues keep mail.
	keep = 21
	// macSize is how much of the MAC stands in an address, in letters of 5 bits. Who
	// guesses has to ask us each time.
	macSize = 6
	// maxLocal is the longest local part, RFC 5321 section 4.5.3.1.1.
	maxLocal = 64
)

// letters are read in either case: some servers change it.
var letters = base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)

const alphabet = "abcdefghijklmnopqrstuvwxyz234567"

// Rewriter rewrites with its first secret and accepts what was made with any of
// them. It is safe for concurrent use.
type Rewriter struct {
	secrets [][]byte
	now     func() time.Time
}

// New makes a Rewriter; there is at least one secret.
func New(now func() time.Time, secrets ...[]byte) *Rewriter { return &Rewriter{secrets, now} }

// Forward is the sender that mail of from has when a domain of ours forwards it:
// SRS0=MAC=DAY=example.org=joe at that domain, or, where another forwarder has
// rewritten it already, SRS1=MAC=his.domain==... that leads back to him.
func (r *Rewriter) Forward(from mail.Address, domain string) (mail.Address, error) {
	if from.Local == "" {
		return from, ErrNot
	}
	var body string
	tag := "SRS0"
	switch kind, rest := parse(from.Local); kind {
	case "SRS0":
		tag, body = "SRS1", from.Domain+"="+rest
	case "SRS1":
		_, at, ok := strings.Cut(rest[1:], "=") // his MAC is no matter of ours
		if !ok {
			return from, ErrNot
		}
		tag, body = "SRS1", at
	default:
		body = r.day() + "=" + from.Domain + "=" + from.Local
	}
	to := mail.Address{Local: tag + "=" + r.mac(r.secrets[0], body) + "=" + body, Domain: domain}
	if len(to.Local) > maxLocal {
		return from, ErrTooLong
	}
	return to, nil
}

// Reverse is the address that a rewritten one stands for.
func (r *Rewriter) Reverse(to mail.Address) (mail.Address, error) {
	kind, rest := parse(to.Local)
	if kind == "" {
		return mail.Address{}, ErrNot
	}
	mac, body, ok := strings.Cut(rest[1:], "=")
	if !ok || !r.made(mac, body) {
		return mail.Address{}, ErrForged
	}
	if kind == "SRS1" {
		domain, opaque, ok := strings.Cut(body, "=")
		if !ok || opaque == "" {
			return mail.Address{}, ErrForged
		}
		return address("SRS0"+opaque, domain)
	}
	parts := strings.SplitN(body, "=", 3)
	if len(parts) < 3 {
		return mail.Address{}, ErrForged
	}
	if !r.recent(parts[0]) {
		return mail.Address{}, ErrExpired
	}
	return address(parts[2], parts[1])
}

// Is tells whether a local part has the form of a rewritten address.
func Is(local string) bool {
	kind, _ := parse(local)
	return kind != ""
}

// parse parts a rewritten local part into its kind and the rest, which begins with a
// separator: other rewriters use + and - as well as =.
func parse(local string) (kind, rest string) {
	if len(local) < 6 || !strings.ContainsRune("=+-", rune(local[4])) {
		return "", ""
	}
	switch kind = strings.ToUpper(local[:4]); kind {
	case "SRS0", "SRS1":
		return kind, local[4:]
	}
	return "", ""
}

func address(local, domain string) (mail.Address, error) {
	d, err := mail.ParseDomain(domain)
	if err != nil || local == "" {
		return mail.Address{}, ErrForged
	}
	return mail.Address{Local: local, Domain: d}, nil
}

// mac is over the letters in lower case, since some servers change the case.
func (r *Rewriter) mac(secret []byte, body string) string {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(strings.ToLower(body)))
	return letters.EncodeToString(h.Sum(nil))[:macSize]
}

func (r *Rewriter) made(mac, body string) bool {
	for _, secret := range r.secrets {
		if hmac.Equal([]byte(strings.ToLower(mac)), []byte(r.mac(secret, body))) {
			return true
		}
	}
	return false
}

// days are counted round a circle of 1024.
const circle = 1024

func (r *Rewriter) today() int { return int(r.now().Unix()/86400) % circle }

// day is today in two letters.
func (r *Rewriter) day() string {
	n := r.today()
	return string([]byte{alphabet[n>>5], alphabet[n&31]})
}

func (r *Rewriter) recent(day string) bool {
	if len(day) != 2 {
		return false
	}
	day = strings.ToLower(day)
	high, low := strings.IndexByte(alphabet, day[0]), strings.IndexByte(alphabet, day[1])
	if high < 0 || low < 0 {
		return false
	}
	age := (r.today() - high<<5 - low + circle) % circle
	return age <= keep || age == circle-1 // another node's clock may be ahead
}
