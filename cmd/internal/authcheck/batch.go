package authcheck

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
)

// Request is a case as it is written: on the command line, or as a line of a
// batch.
type Request struct {
	EML      string          `json:"eml"` // path of a message; "" asks for SPF alone
	IP       string          `json:"ip"`
	Helo     string          `json:"helo"`
	MailFrom string          `json:"mail_from"` // with or without angle brackets; "" is the null path
	Rcpt     string          `json:"rcpt"`
	Zone     json.RawMessage `json:"zone"` // path of a zone file, or the zone itself
}

// Bench answers requests. Zones that several name are read once. It is not safe
// for concurrent use.
type Bench struct {
	Dir  string                       // that paths are relative to
	Host string                       // authserv-id
	DNS  func() (dns.Resolver, error) // where a request names no zone; asked once at most
	Now  func() time.Time

	byZone map[string]*Checker
}

// Run answers a batch: for each line with a request one line, in the same
// order. good and bad count them; err is about reading and writing.
func (b *Bench) Run(ctx context.Context, in io.Reader, out io.Writer) (good, bad int, err error) {
	r := bufio.NewReader(in)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for {
		line, rerr := r.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if err := b.runLine(ctx, line, enc, &good, &bad); err != nil {
				return good, bad, err
			}
		}
		if errors.Is(rerr, io.EOF) {
			return good, bad, nil
		}
		if rerr != nil {
			return good, bad, rerr
		}
	}
}

func (b *Bench) runLine(ctx context.Context, line []byte, enc *json.Encoder, good, bad *int) error {
	var r Request
	a, err := Answer{}, json.Unmarshal(line, &r)
	if err != nil {
		err = fmt.Errorf("the line is not a JSON object of a case: %w", err)
	} else {
		a, err = b.Answer(ctx, r)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		*bad++
		return enc.Encode(map[string]string{"error": err.Error()})
	}
	*good++
	return enc.Encode(a)
}

// Answer answers one request. An error says what is wrong with it.
func (b *Bench) Answer(ctx context.Context, r Request) (Answer, error) {
	of, err := b.read(r)
	if err != nil {
		return Answer{}, err
	}
	c, err := b.checker(r.Zone)
	if err != nil {
		return Answer{}, err
	}
	return c.Check(ctx, of)
}

func (b *Bench) read(r Request) (of Case, err error) {
	of.Helo, of.From = r.Helo, Sender(r.MailFrom)
	if r.IP == "" && r.EML == "" {
		return of, errors.New("there is neither an ip nor an eml: nothing to ask about")
	}
	if r.IP != "" {
		if of.Client, err = netip.ParseAddr(strings.Trim(r.IP, "[]")); err != nil {
			return of, fmt.Errorf("ip: %q is no IP address", r.IP)
		}
	}
	if r.Rcpt != "" {
		to, err := mail.ParseAddress(strings.Trim(r.Rcpt, "<>"), true)
		if err != nil {
			return of, fmt.Errorf("rcpt: %w", err)
		}
		of.To = []mail.Address{to}
	}
	if r.EML != "" {
		text, err := os.ReadFile(b.path(r.EML))
		if err != nil {
			return of, fmt.Errorf("eml: %w", err)
		}
		of.Message = Wire(text)
	}
	return of, nil
}

func (b *Bench) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(b.Dir, name)
}

// checker finds or builds the one for a zone.
func (b *Bench) checker(zone json.RawMessage) (*Checker, error) {
	key := string(zone)
	if c, ok := b.byZone[key]; ok {
		return c, nil
	}
	r, err := b.resolver(zone)
	if err != nil {
		return nil, err
	}
	c, err := NewChecker(r, b.Host, b.Now)
	if err != nil {
		return nil, err
	}
	if b.byZone == nil || len(b.byZone) >= maxZones {
		b.byZone = map[string]*Checker{}
	}
	b.byZone[key] = c
	return c, nil
}

// maxZones is how many zones are remembered.
const maxZones = 64

// resolver reads what stands in the member zone.
func (b *Bench) resolver(zone json.RawMessage) (dns.Resolver, error) {
	var path string
	switch {
	case len(zone) == 0 || string(zone) == "null" || string(zone) == `""`:
		return b.DNS()
	case zone[0] == '"':
		if err := json.Unmarshal(zone, &path); err != nil {
			return nil, fmt.Errorf("zone: %w", err)
		}
		return dns.NewZone(b.path(path))
	}
	names := dns.Names{}
	if err := json.Unmarshal(zone, &names); err != nil {
		return nil, fmt.Errorf("zone: it is neither a path nor an object of names: %w", err)
	}
	// A name that nobody could ask for does not exist: test suites have them.
	for name := range names {
		if _, err := dns.ZoneOf(dns.Names{name: nil}); err != nil {
			delete(names, name)
		}
	}
	z, err := dns.ZoneOf(names)
	if err != nil {
		return nil, fmt.Errorf("zone: %w", err)
	}
	return z, nil
}

// Sender reads the path of MAIL. What a listener would refuse as no address is
// taken as it stands, parted at its last @: SPF has an answer for that too (RFC
// 7208 section 4.3).
func Sender(s string) mail.Address {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "<") && strings.HasSuffix(s, ">") {
		s = s[1 : len(s)-1]
	}
	a, err := mail.ParseAddress(s, true)
	if err == nil {
		return a
	}
	i := strings.LastIndexByte(s, '@')
	return mail.Address{Local: s[:max(i, 0)], Domain: strings.ToLower(s[i+1:])}
}

// Wire makes the line ends of a message CRLF, as they are on the wire.
func Wire(text []byte) []byte {
	out := make([]byte, 0, len(text)+len(text)/32)
	for i, c := range text {
		if c == '\n' && (i == 0 || text[i-1] != '\r') {
			out = append(out, '\r')
		}
		out = append(out, c)
	}
	return out
}
