// Package report is the format of the reports that mail systems send each
// other: DMARC aggregate reports (RFC 9990, and RFC 7489 before it), and TLS
// reports (RFC 8460), written and read. Reading is bounded: what comes in was
// written by strangers.
package report

import (
	"errors"
	"time"
)

// Kind is the sort of a report.
type Kind string

// The kinds. Feedback reports (abuse and single failures, RFC 5965 and RFC 6591)
// are recognised, and not looked into.
const (
	KindDMARC    Kind = "dmarc"
	KindTLS      Kind = "tls"
	KindFeedback Kind = "feedback"
)

// Report is what was read; the member of its kind is set.
type Report struct {
	Kind     Kind       `json:"kind"`
	DMARC    *Aggregate `json:"dmarc,omitempty"`
	TLS      *TLS       `json:"tls,omitempty"`
	Feedback string     `json:"feedback,omitempty"` // its Feedback-Type: abuse, auth-failure, ...
}

// Errors of Read.
var (
	ErrNoReport = errors.New("there is no DMARC or TLS report in it")
	ErrTooLarge = errors.New("the report is larger than what is read")
	ErrBroken   = errors.New("the report is broken")
)

// Aggregate is a DMARC aggregate report, RFC 9990 section 3.1.
type Aggregate struct {
	Version   string    `json:"version,omitempty"`
	Org       string    `json:"org"`
	Email     string    `json:"email"`
	Contact   string    `json:"contact,omitempty"`
	ID        string    `json:"id"`
	Begin     time.Time `json:"begin"`
	End       time.Time `json:"end"`
	Errors    []string  `json:"errors,omitempty"`
	Generator string    `json:"generator,omitempty"`
	Policy    Policy    `json:"policy"`
	Records   []Record  `json:"records"`
}

// Policy is what the domain published.
type Policy struct {
	Domain  string `json:"domain"`
	Method  string `json:"method,omitempty"` // treewalk, psl
	P       string `json:"p,omitempty"`
	SP      string `json:"sp,omitempty"`
	NP      string `json:"np,omitempty"`
	ADKIM   string `json:"adkim,omitempty"`
	ASPF    string `json:"aspf,omitempty"`
	Testing string `json:"testing,omitempty"`
	FO      string `json:"fo,omitempty"`
	Pct     string `json:"pct,omitempty"` // RFC 7489 only
}

// Record counts the messages of one client that were alike.
type Record struct {
	IP           string   `json:"ip"`
	Count        int      `json:"count"`
	Disposition  string   `json:"disposition"` // pass, none, quarantine, reject
	DKIM         string   `json:"dkim"`        // aligned: pass, fail
	SPF          string   `json:"spf"`
	Reasons      []Reason `json:"reasons,omitempty"` // why the policy was not followed
	HeaderFrom   string   `json:"header_from"`
	EnvelopeFrom string   `json:"envelope_from,omitempty"`
	EnvelopeTo   string   `json:"envelope_to,omitempty"`
	Auth         []Auth   `json:"auth,omitempty"`
}

// Pass tells whether DMARC passed.
func (r *Record) Pass() bool { return r.DKIM == "pass" || r.SPF == "pass" }

// Reason is a policy override, RFC 9990 section 3.1.6.
type Reason struct {
	Type    string `json:"type,omitempty"`
	Comment string `json:"comment,omitempty"`
}

// Auth is one result of DKIM or SPF, whatever DMARC makes of it.
type Auth struct {
	Method   string `json:"method"` // dkim, spf
	Domain   string `json:"domain"`
	Selector string `json:"selector,omitempty"` // dkim
	Scope    string `json:"scope,omitempty"`    // spf
	Result   string `json:"result"`
	Human    string `json:"human,omitempty"`
}
