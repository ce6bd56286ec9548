package arc

import (
	"context"
	"crypto"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/forepost/forepost/filters/internal/canon"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

// Key is one key of a domain, as DKIM has them.
type Key = canon.SigningKey

// Sealer adds links with the keys of domains. It is safe for concurrent use.
type Sealer struct {
	keys map[string]sealKey
	now  func() time.Time
}

type sealKey struct {
	selector  string
	algorithm string
	signer    crypto.Signer
}

var _ pipeline.Sealer = (*Sealer)(nil)

// NewSealer makes a Sealer of keys by domain (lower case, A-labels). A link has
// one signature: that of the domain's first RSA key, which everybody verifies,
// or of its first key. An error names the domain and the selector.
func NewSealer(keys map[string][]Key, now func() time.Time) (*Sealer, error) {
	s := &Sealer{map[string]sealKey{}, now}
	for domain, list := range keys {
		for _, k := range list {
			key, err := k.Open()
			if err != nil {
				return nil, fmt.Errorf("DKIM key %s of %s: %w", k.Selector, domain, err)
			}
			one := sealKey{k.Selector, canon.Algorithm(key), key}
			if have, ok := s.keys[domain]; !ok || have.algorithm != "rsa-sha256" && one.algorithm == "rsa-sha256" {
				s.keys[domain] = one
			}
		}
	}
	return s, nil
}

// Seal makes the three fields of a link over the message as it goes out. There
// are none, and no error, where the domain has no key, where the chain has all
// the links that it may have, or where somebody sealed it as broken already
// (RFC 8617 section 5.1).
func (s *Sealer) Seal(ctx context.Context, link pipeline.Link, msg *mail.Message) ([]mail.Field, error) {
	key, ok := s.keys[link.Domain]
	if !ok {
		return nil, nil
	}
	p, err := mime.Parse(msg, mime.Limits{})
	if err != nil {
		return nil, err
	}
	w := &work{key: key, link: link, stamp: s.now().Unix(), msg: msg, part: p, width: lineWidth}
	if !w.begin() {
		return nil, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	fields, err := w.fields()
	if err != nil {
		return nil, fmt.Errorf("arc: sealing for %s: %w", link.Domain, err)
	}
	return fields, nil
}

// work is one link in the making.
type work struct {
	key    sealKey
	link   pipeline.Link
	stamp  int64
	msg    *mail.Message
	part   *mime.Part
	before chain // the links that the new seal covers beside its own
	n      int   // of the new link
	cv     string
	signed []string // h=; nil for the usual
	width  int      // of the lines of b=
}

// begin finds the number of the link and what it says of those before it. What
// counts is the message that goes out: a rule may have removed the chain.
func (w *work) begin() bool {
	top, broken := 0, false
	for _, f := range w.part.Fields {
		i, cv := claims(f)
		if i > top {
			top, broken = i, false
		}
		broken = broken || i == top && cv == "fail"
	}
	c, why := chainOf(w.part)
	w.n, w.cv = top+1, w.link.Chain
	switch {
	case broken || w.n > maxLinks:
		return false
	case len(c) == 0:
		w.cv = "none"
	case why != "" || w.cv != "pass":
		w.cv = "fail" // then the seal covers its own link alone (RFC 8617 section 5.1.2)
	default:
		w.before = c
	}
	return true
}

// claims is which link a field says it is of, and its cv=.
func claims(f mime.Field) (i int, cv string) {
	switch kindOf(f) {
	case resultsName:
		i, _ = instanceOf(f.Raw)
	case signatureName, sealName:
		t, _ := canon.Tags(f.Raw)
		i, _ = number(t["i"])
		cv = t["cv"]
	}
	return i, cv
}

func (w *work) fields() ([]mail.Field, error) {
	results := mail.Field{Name: resultsName, Value: fmt.Sprintf("i=%d; %s", w.n, w.link.Results)}
	message, err := w.message()
	if err != nil {
		return nil, err
	}
	seal, err := w.seal(results, message)
	if err != nil {
		return nil, err
	}
	return []mail.Field{seal, message, results}, nil
}

// message is the ARC-Message-Signature, RFC 8617 section 4.1.2.
func (w *work) message() (mail.Field, error) {
	signed := w.signed
	if signed == nil {
		var err error
		if signed, err = w.choose(); err != nil {
			return mail.Field{}, err
		}
	}
	body, err := sumBody(w.msg, w.part, true)
	if err != nil {
		return mail.Field{}, err
	}
	h, err := canon.ReadHeader(w.msg, w.part, 4*maxHeader)
	if err != nil {
		return mail.Field{}, err
	}
	rest := fmt.Sprintf(";\r\n bh=%s; c=relaxed/relaxed;\r\n d=%s; h=%s;\r\n i=%d; s=%s; t=%d",
		base64.StdEncoding.EncodeToString(body[:]), w.link.Domain, strings.Join(signed, ":"), w.n, w.key.selector, w.stamp)
	f := mail.Field{Name: signatureName, Value: w.open() + rest}
	sum, err := sumHeader(h, canon.Names(strings.Join(signed, ":")), mime.Field{Name: f.Name, Raw: f.Value}, true)
	if err != nil {
		return f, err
	}
	return w.signedBy(f, sum, rest)
}

// choose are the fields to sign: those of DKIM and its signatures. What other
// hands add and remove, and ARC's own, is left out.
func (w *work) choose() ([]string, error) {
	r, err := w.msg.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	signed, err := canon.ToSign(io.LimitReader(r, w.part.Body))
	for range min(len(w.part.All("DKIM-Signature")), 10) {
		signed = append(signed, "DKIM-Signature")
	}
	return signed, err
}

// seal is the ARC-Seal, RFC 8617 section 4.1.3.
func (w *work) seal(results, message mail.Field) (mail.Field, error) {
	rest := fmt.Sprintf("; cv=%s; d=%s;\r\n i=%d; s=%s; t=%d", w.cv, w.link.Domain, w.n, w.key.selector, w.stamp)
	f := mail.Field{Name: sealName, Value: w.open() + rest}
	own := link{
		results: mime.Field{Name: results.Name, Raw: results.Value},
		message: signature{field: mime.Field{Name: message.Name, Raw: message.Value}},
		seal:    signature{field: mime.Field{Name: f.Name, Raw: f.Value}},
	}
	sums, err := sumSeals(append(w.before[:len(w.before):len(w.before)], own))
	if err != nil {
		return f, err
	}
	return w.signedBy(f, sums[len(sums)-1], rest)
}

// open is how both signatures begin. Their tags stand in the order of their
// names, as the suite of ValiMail has them; lines are folded with blanks, since
// dkimpy looks for " i=1;" in the octets.
func (w *work) open() string { return "a=" + w.key.algorithm + ";\r\n b=" }

// lineWidth keeps the lines of b= within 78 octets (RFC 5322 section 2.1.1).
const lineWidth = 72

// signedBy puts the signature of a sum into a field.
func (w *work) signedBy(f mail.Field, sum [32]byte, rest string) (mail.Field, error) {
	sig, err := canon.SignSum(w.key.signer, sum)
	if err != nil {
		return f, err
	}
	var b strings.Builder
	b.WriteString(w.open())
	text := base64.StdEncoding.EncodeToString(sig)
	for len(text) > w.width {
		b.WriteString(text[:w.width] + "\r\n  ")
		text = text[w.width:]
	}
	b.WriteString(text + rest)
	f.Value = b.String()
	return f, nil
}
