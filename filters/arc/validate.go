package arc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/forepost/forepost/filters/internal/canon"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

// validate verifies the last message signature and all seals, the last one
// first: RFC 8617 section 5.2 steps 4 to 6. The chain breaks at the first that
// does not stand, which bounds the work for one that somebody made up. err says
// that the DNS could not tell.
func (f filter) validate(ctx context.Context, tx *pipeline.Transaction, c chain) (why string, err error) {
	ks := keys{ctx: ctx, filter: f, found: map[string]canon.Key{}}
	last := c[len(c)-1]
	why, err = ks.find(last.message)
	if why != "" || err != nil {
		return why, err
	}
	for _, as := range forms(last.message.tags) {
		if why, err = ks.message(tx, last, as); why == "" || err != nil {
			break
		}
	}
	if why != "" || err != nil {
		return fmt.Sprintf("%s %d: %s", signatureName, len(c), why), err
	}
	return ks.seals(c)
}

// seals verifies them, the last one first.
func (k keys) seals(c chain) (why string, err error) {
	sums, err := sumSeals(c)
	if err != nil {
		return "", err
	}
	for i := len(c); i > 0; i-- {
		if err := k.ctx.Err(); err != nil {
			return "", err
		}
		if why, err = k.find(c[i-1].seal); why == "" && err == nil {
			why = k.verify(c[i-1].seal, sums[i-1])
		}
		if why != "" || err != nil {
			return fmt.Sprintf("%s %d: %s", sealName, i, why), err
		}
	}
	return "", nil
}

// keys asks for each key once a message.
type keys struct {
	ctx    context.Context
	filter filter
	found  map[string]canon.Key
}

func keyOf(s signature) string {
	return s.tags["s"] + " " + strings.ToLower(s.tags["d"]) + " " + s.tags["a"]
}

func (k keys) find(s signature) (why string, err error) {
	if _, ok := k.found[keyOf(s)]; ok {
		return "", nil
	}
	key, why, err := canon.LookupKey(k.ctx, k.filter.dns, s.tags["s"], strings.ToLower(s.tags["d"]), s.tags["a"])
	if why == "" && err == nil {
		k.found[keyOf(s)] = key
	}
	return why, err
}

func (k keys) verify(s signature, sum [sha256.Size]byte) (why string) {
	if err := k.found[keyOf(s)].Verify(s.tags["a"], sum, s.b); err != nil {
		return err.Error()
	}
	return ""
}

// message verifies a message signature: RFC 8617 section 4.1.2, which is RFC
// 6376 section 3.7.
func (k keys) message(tx *pipeline.Transaction, l link, as form) (why string, err error) {
	body, err := sumBody(tx.Message, tx.Part, as.body)
	if err != nil {
		return "", err
	}
	if !bytes.Equal(body[:], l.message.bh) {
		return "the body was changed", nil
	}
	h, err := canon.ReadHeader(tx.Message, tx.Part, maxHeader)
	if err != nil {
		return "", err
	}
	sum, err := sumHeader(h, l.signed, l.message.field, as.header)
	if err != nil {
		return "", err
	}
	return k.verify(l.message, sum), nil
}

// sumHeader is the sum of the signed fields and of the signature itself.
func sumHeader(h *canon.Header, signed []string, own mime.Field, relaxed bool) (sum [sha256.Size]byte, err error) {
	w := sha256.New()
	if err = h.Signed(w, signed, relaxed); err != nil {
		return sum, err
	}
	_, err = io.WriteString(w, canon.WithoutB(h.Field(own, relaxed)))
	return total(w), err
}

// sumBody is the sum of the body.
func sumBody(msg mail.Blob, p *mime.Part, relaxed bool) (sum [sha256.Size]byte, err error) {
	r, err := msg.Open()
	if err != nil {
		return sum, err
	}
	defer r.Close()
	h := sha256.New()
	b := canon.NewBody(h, relaxed)
	if _, err = io.Copy(b, io.NewSectionReader(r, p.Body, msg.Size()-p.Body)); err != nil {
		return sum, err
	}
	err = b.Close()
	return total(h), err
}

func total(h hash.Hash) (sum [sha256.Size]byte) {
	h.Sum(sum[:0])
	return sum
}

// sumSeals is what the seals of a chain sign, each all links up to its own, its
// own seal without the signature as the last, in relaxed form (RFC 8617 section
// 5.1.1). All are found in one pass.
func sumSeals(c chain) ([][sha256.Size]byte, error) {
	w := sha256.New()
	var sums [][sha256.Size]byte
	for _, l := range c {
		io.WriteString(w, canon.Relaxed(l.results.Name, l.results.Raw)+"\r\n")
		io.WriteString(w, canon.Relaxed(l.message.field.Name, l.message.field.Raw)+"\r\n")
		seal := canon.Relaxed(l.seal.field.Name, l.seal.field.Raw)
		one, err := w.(hash.Cloner).Clone()
		if err != nil {
			return nil, err
		}
		io.WriteString(one, canon.WithoutB(seal))
		sums = append(sums, total(one))
		io.WriteString(w, seal+"\r\n")
	}
	return sums, nil
}
