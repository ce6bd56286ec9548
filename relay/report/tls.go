package report

import (
	"encoding/json"
	"fmt"
	"time"
)

// TLS is a TLS report, RFC 8460 section 4.4: how others fared when they sent us
// mail. Members that only tell what our own policy says are not kept.
type TLS struct {
	Org      string      `json:"org"`
	Contact  string      `json:"contact,omitempty"`
	ID       string      `json:"id"`
	Begin    time.Time   `json:"begin"`
	End      time.Time   `json:"end"`
	Policies []TLSPolicy `json:"policies"`
}

// TLSPolicy are the sessions under one policy.
type TLSPolicy struct {
	Type     string       `json:"type"` // sts, tlsa, no-policy-found
	Domain   string       `json:"domain"`
	Success  int          `json:"success"`
	Failure  int          `json:"failure"`
	Failures []TLSFailure `json:"failures,omitempty"`
	Text     []string     `json:"-"` // the policy; only written
	MX       []string     `json:"-"` // the host names that it allows; only written
}

// TLSFailure is one sort of failure.
type TLSFailure struct {
	Type      string `json:"type"` // certificate-expired, starttls-not-supported, ...
	SendingIP string `json:"sending_ip,omitempty"`
	MX        string `json:"mx,omitempty"`
	Count     int    `json:"count"`
	Reason    string `json:"reason,omitempty"`
	Receiving string `json:"-"` // the server's address; only written
}

// tlsWire is the report as it is written.
type tlsWire struct {
	Org   string `json:"organization-name"`
	Range struct {
		Begin time.Time `json:"start-datetime"`
		End   time.Time `json:"end-datetime"`
	} `json:"date-range"`
	Contact  string `json:"contact-info"`
	ID       string `json:"report-id"`
	Policies []struct {
		Policy struct {
			Type   string `json:"policy-type"`
			Domain string `json:"policy-domain"`
		} `json:"policy"`
		Summary struct {
			Success int `json:"total-successful-session-count"`
			Failure int `json:"total-failure-session-count"`
		} `json:"summary"`
		Failures []struct {
			Type      string `json:"result-type"`
			SendingIP string `json:"sending-mta-ip"`
			MX        string `json:"receiving-mx-hostname"`
			Count     int    `json:"failed-session-count"`
			Reason    string `json:"failure-reason-code"`
		} `json:"failure-details"`
	} `json:"policies"`
}

func readTLS(in []byte) (*TLS, error) {
	var w tlsWire
	if err := json.Unmarshal(in, &w); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	if len(w.Policies) == 0 || w.Org == "" && w.ID == "" {
		return nil, ErrNoReport
	}
	if len(w.Policies) > maxRecords {
		return nil, fmt.Errorf("%w: more than %d policies", ErrTooLarge, maxRecords)
	}
	t := &TLS{Org: short(w.Org), Contact: short(w.Contact), ID: short(w.ID), Begin: w.Range.Begin.UTC(), End: w.Range.End.UTC()}
	for _, p := range w.Policies {
		one := TLSPolicy{Type: short(p.Policy.Type), Domain: short(p.Policy.Domain), Success: max(p.Summary.Success, 0), Failure: max(p.Summary.Failure, 0)}
		for _, f := range p.Failures[:min(len(p.Failures), maxRecords)] {
			one.Failures = append(one.Failures, TLSFailure{Type: short(f.Type), SendingIP: short(f.SendingIP), MX: short(f.MX), Count: max(f.Count, 0), Reason: short(f.Reason)})
		}
		t.Policies = append(t.Policies, one)
	}
	return t, nil
}

// short is a text of the report for keeping.
func short(s string) string { return clean(s[:min(len(s), maxText)]) }
