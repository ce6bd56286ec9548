package dmarc

import (
	"context"
	"strings"

	"github.com/forepost/forepost/filters/internal/lately"
)

// lookup asks for the TXT records of a name. No record is no error.
type lookup func(ctx context.Context, name string) ([]string, error)

// found is a domain and the record that stands at it.
type found struct {
	domain string
	record Record
}

// known are the records that were seen last, nil for texts that are none.
var known = lately.New(func(text string) (*Record, error) {
	if r, ok := ParseRecord(text); ok {
		return &r, nil
	}
	return nil, nil
})

// walker asks for DMARC Policy Records and remembers the answers, since the
// walks of one message share their upper part.
type walker struct {
	txt  lookup
	seen map[string]*Record // nil for none
}

// at is the one valid record at a domain, nil for none. Several are discarded
// all together (RFC 9989 section 4.10 step 2).
func (w *walker) at(ctx context.Context, domain string) (*Record, error) {
	if r, ok := w.seen[domain]; ok {
		return r, nil
	}
	txts, err := w.txt(ctx, "_dmarc."+domain)
	if err != nil {
		return nil, err
	}
	var r *Record
	n := 0
	for _, t := range txts {
		if one, _ := known.Get(t); one != nil {
			r, n = one, n+1
		}
	}
	if n != 1 {
		r = nil
	}
	w.seen[domain] = r
	return r, nil
}

// maxWalk is how many labels are left of a longer name after the first step
// (RFC 9989 section 4.10 step 4), so that a walk asks at most eight times.
const maxWalk = 7

// targets are the domains that a walk from domain asks, longest first.
func targets(domain string) []string {
	ts := []string{domain}
	for {
		labels := strings.Count(domain, ".") + 1
		if labels == 1 {
			return ts
		}
		for drop := max(1, labels-maxWalk); drop > 0; drop-- {
			_, domain, _ = strings.Cut(domain, ".")
		}
		ts = append(ts, domain)
	}
}

// walk collects the records from domain upwards, RFC 9989 section 4.10.
func (w *walker) walk(ctx context.Context, domain string) ([]found, error) {
	var fs []found
	for _, t := range targets(domain) {
		r, err := w.at(ctx, t)
		if err != nil {
			return nil, err
		}
		if r == nil {
			continue
		}
		fs = append(fs, found{t, *r})
		if r.PSD != 'u' {
			break
		}
	}
	return fs, nil
}

// organization walks from domain to its Organizational Domain.
func (w *walker) organization(ctx context.Context, domain string) (string, error) {
	fs, err := w.walk(ctx, domain)
	return organization(domain, fs), err
}

// organization is the Organizational Domain of domain, RFC 9989 section 4.10.2.
func organization(domain string, fs []found) string {
	for _, f := range fs {
		switch {
		case f.record.PSD == 'n':
			return f.domain
		case f.record.PSD == 'y' && f.domain != domain:
			return below(f.domain, domain)
		}
	}
	if len(fs) == 0 {
		return domain
	}
	return fs[len(fs)-1].domain
}

// below is the domain one label below parent on the way to domain.
func below(parent, domain string) string {
	rest := strings.TrimSuffix(domain, "."+parent)
	return rest[strings.LastIndexByte(rest, '.')+1:] + "." + parent
}
