package report

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// maxRecords and maxAuth bound what is kept of one report.
const (
	maxRecords = 50_000
	maxAuth    = 100 // RFC 9990 section 3.1.4
)

// readAggregate reads the XML of an aggregate report, of RFC 9990, RFC 7489 and
// the drafts before it.
func readAggregate(in []byte) (*Aggregate, error) {
	b := &builder{}
	if !scanXML(in, b.open, b.leaf) {
		return nil, fmt.Errorf("%w: its elements stand more than %d deep", ErrBroken, maxDepth)
	}
	switch {
	case !b.feedback:
		return nil, ErrNoReport
	case b.tooMany:
		return nil, fmt.Errorf("%w: more than %d records", ErrTooLarge, maxRecords)
	case b.a.Policy.Domain == "":
		return nil, fmt.Errorf("%w: it does not say which domain it is about", ErrBroken)
	}
	return &b.a, nil
}

// builder puts a report together from its elements.
type builder struct {
	a        Aggregate
	rec      Record
	auth     Auth
	reason   Reason
	feedback bool
	tooMany  bool
}

func (b *builder) open(path []string) {
	switch path[len(path)-1] {
	case "feedback": // wherever it stands: some wrap it into another element
		b.feedback = true
	case "record":
		b.rec = Record{}
	}
}

func (b *builder) leaf(path []string, text string) {
	name, in := path[len(path)-1], ""
	if len(path) > 1 {
		in = path[len(path)-2]
	}
	switch in {
	case "feedback":
		b.first(name, text)
	case "report_metadata":
		b.metadata(name, text)
	case "date_range":
		b.date(name, text)
	case "policy_published":
		set(b.published(name), text)
	case "record", "row", "policy_evaluated", "identifiers", "auth_results":
		b.record(in, name, text)
	case "reason":
		set(map[string]*string{"type": &b.reason.Type, "comment": &b.reason.Comment}[name], text)
	case "dkim", "spf":
		set(map[string]*string{"domain": &b.auth.Domain, "selector": &b.auth.Selector, "scope": &b.auth.Scope,
			"result": &b.auth.Result, "human_result": &b.auth.Human}[name], text)
		b.auth.Result = strings.ToLower(b.auth.Result)
	}
}

func set(to *string, text string) {
	if to != nil {
		*to = text
	}
}

func (b *builder) first(name, text string) {
	switch {
	case name == "version":
		b.a.Version = text
	case name == "record" && len(b.a.Records) >= maxRecords:
		b.tooMany = true
	case name == "record":
		b.a.Records = append(b.a.Records, b.rec)
	}
}

func (b *builder) metadata(name, text string) {
	if name == "error" && text != "" && len(b.a.Errors) < maxAuth {
		b.a.Errors = append(b.a.Errors, text)
	}
	set(map[string]*string{"org_name": &b.a.Org, "email": &b.a.Email, "extra_contact_info": &b.a.Contact,
		"report_id": &b.a.ID, "generator": &b.a.Generator}[name], text)
}

func (b *builder) date(name, text string) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > 1<<40 {
		return
	}
	switch name {
	case "begin":
		b.a.Begin = time.Unix(n, 0).UTC()
	case "end":
		b.a.End = time.Unix(n, 0).UTC()
	}
}

func (b *builder) published(name string) *string {
	p := &b.a.Policy
	return map[string]*string{"domain": &p.Domain, "discovery_method": &p.Method, "p": &p.P, "sp": &p.SP, "np": &p.NP,
		"adkim": &p.ADKIM, "aspf": &p.ASPF, "testing": &p.Testing, "fo": &p.FO, "pct": &p.Pct}[name]
}

func (b *builder) record(in, name, text string) {
	switch in + "/" + name {
	case "row/source_ip":
		b.rec.IP = text
		if ip, err := netip.ParseAddr(text); err == nil {
			b.rec.IP = ip.Unmap().String()
		}
	case "row/count":
		b.rec.Count = count(text)
	case "policy_evaluated/disposition":
		b.rec.Disposition = strings.ToLower(text)
	case "policy_evaluated/dkim":
		b.rec.DKIM = strings.ToLower(text)
	case "policy_evaluated/spf":
		b.rec.SPF = strings.ToLower(text)
	case "policy_evaluated/reason":
		if b.reason != (Reason{}) && len(b.rec.Reasons) < maxAuth {
			b.rec.Reasons = append(b.rec.Reasons, b.reason)
		}
		b.reason = Reason{}
	case "identifiers/header_from":
		b.rec.HeaderFrom = strings.ToLower(text)
	case "identifiers/envelope_from":
		b.rec.EnvelopeFrom = strings.ToLower(text)
	case "identifiers/envelope_to":
		b.rec.EnvelopeTo = strings.ToLower(text)
	case "auth_results/dkim", "auth_results/spf":
		b.auth.Method = name
		if len(b.rec.Auth) < 2*maxAuth && b.auth != (Auth{Method: name}) {
			b.rec.Auth = append(b.rec.Auth, b.auth)
		}
		b.auth = Auth{}
	}
}

// count is a number of messages; what is no number, or none that can be, is 0.
func count(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 1<<40 {
		return 0
	}
	return n
}
