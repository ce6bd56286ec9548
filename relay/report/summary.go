package report

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strings"
	"time"
)

// Summary is what is kept of a report that came in: who says how many messages
// (or sessions, of a TLS report) there were as our domain, and which failed.
type Summary struct {
	ID       string    `json:"id"` // ours
	Kind     Kind      `json:"kind"`
	Org      string    `json:"org"`
	Mail     string    `json:"mail,omitempty"` // the From field of the message that brought it
	ReportID string    `json:"report_id"`
	Domain   string    `json:"domain"`
	Policy   string    `json:"policy,omitempty"` // that the reporter saw
	Begin    time.Time `json:"begin"`
	End      time.Time `json:"end"`
	Received time.Time `json:"received"`
	Messages int       `json:"messages"`
	Pass     int       `json:"pass"`
	Fail     int       `json:"fail"`
	Rows     []Row     `json:"rows,omitempty"`
	Left     int       `json:"left,omitempty"` // messages of rows that are not kept
}

// Row is a line of a summary; those with the most messages come first.
type Row struct {
	IP          string `json:"ip,omitempty"`
	Count       int    `json:"count"`
	Pass        bool   `json:"pass"`
	Disposition string `json:"disposition,omitempty"`
	DKIM        string `json:"dkim,omitempty"`
	SPF         string `json:"spf,omitempty"`
	From        string `json:"from,omitempty"` // the domain of the From field
	Failure     string `json:"failure,omitempty"`
	MX          string `json:"mx,omitempty"`
}

// maxRows is how many rows of a report are kept.
const maxRows = 500

// Summarise makes the summary of a DMARC or TLS report; its own ID is the same
// for a report that comes twice.
func Summarise(r *Report) Summary {
	var s Summary
	switch r.Kind {
	case KindDMARC:
		s = r.DMARC.summary()
	case KindTLS:
		s = r.TLS.summary()
	default:
		return Summary{Kind: r.Kind}
	}
	s.Kind = r.Kind
	s.Domain = strings.ToLower(strings.TrimSuffix(s.Domain, "."))
	s.ID = encode(hash(strings.Join([]string{string(s.Kind), s.Org, s.ReportID, s.Domain, s.Begin.String()}, "\x00")))
	slices.SortStableFunc(s.Rows, func(a, b Row) int { return cmp.Compare(b.Count, a.Count) })
	for _, row := range s.Rows[min(len(s.Rows), maxRows):] {
		s.Left += row.Count
	}
	s.Rows = s.Rows[:min(len(s.Rows), maxRows)]
	return s
}

func (a *Aggregate) summary() Summary {
	s := Summary{Org: a.Org, ReportID: a.ID, Domain: a.Policy.Domain, Policy: a.Policy.P, Begin: a.Begin, End: a.End}
	if s.Org == "" {
		s.Org = a.Email
	}
	for i := range a.Records {
		r := &a.Records[i]
		s.count(r.Count, r.Pass())
		s.Rows = append(s.Rows, Row{IP: r.IP, Count: r.Count, Pass: r.Pass(), Disposition: r.Disposition, DKIM: r.DKIM, SPF: r.SPF, From: r.HeaderFrom})
	}
	return s
}

func (t *TLS) summary() Summary {
	s := Summary{Org: t.Org, ReportID: t.ID, Domain: t.Policies[0].Domain, Policy: t.Policies[0].Type, Begin: t.Begin, End: t.End}
	for _, p := range t.Policies {
		s.count(p.Success, true)
		s.count(p.Failure, false)
		for _, f := range p.Failures {
			why := f.Type
			if f.Reason != "" {
				why += ": " + f.Reason
			}
			s.Rows = append(s.Rows, Row{IP: f.SendingIP, Count: f.Count, Failure: why, MX: f.MX})
		}
	}
	return s
}

func (s *Summary) count(n int, pass bool) {
	s.Messages += n
	if pass {
		s.Pass += n
	} else {
		s.Fail += n
	}
}

func hash(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

// encode writes a number so that it is easily typed.
func encode(n uint64) string {
	const letters = "0123456789bcdfghjkmnpqrstvwxz"
	b := make([]byte, 10)
	for i := range b {
		b[i], n = letters[n%uint64(len(letters))], n/uint64(len(letters))
	}
	return string(b)
}
