package authcheck

import (
	"cmp"
	"regexp"

	"github.com/forepost/forepost/relay/pipeline"
)

// Answer is what the filters found, in the form of the JSON output. Its members
// are documented: they stay, and new ones may come.
type Answer struct {
	SPF   SPF    `json:"spf"`
	DKIM  []DKIM `json:"dkim"` // one a signature that was looked at, in the order of the header
	DMARC DMARC  `json:"dmarc"`
	ARC   ARC    `json:"arc"`
	// AuthenticationResults is the value of the field that the gateway would put on
	// top (RFC 8601), unfolded.
	AuthenticationResults string `json:"authentication_results"`

	Field   string            `json:"-"` // the same, folded as it stands in a message
	Reasons map[string]string `json:"-"` // by method, for people: what the trail would say
}

// SPF is the result of RFC 7208 section 2.6.
type SPF struct {
	Result    string `json:"result"`
	Domain    string `json:"domain"`    // that was asked
	Mechanism string `json:"mechanism"` // that matched, "" where none did
}

// DKIM is what one signature came to, RFC 8601 section 2.7.1.
type DKIM struct {
	Domain    string `json:"domain"`
	Selector  string `json:"selector"`
	Algorithm string `json:"algorithm"`
	Result    string `json:"result"`
	Reason    string `json:"reason"` // of what is no pass
}

// DMARC is the result of RFC 9989.
type DMARC struct {
	Result      string `json:"result"`
	Policy      string `json:"policy"`      // what the record asks for (p, sp or np): none, quarantine, reject
	Disposition string `json:"disposition"` // what is to be done with this message by it: t=y takes a level off
	Domain      string `json:"domain"`      // where the record stands, "" where there is none
	From        string `json:"from"`        // the author's domain
}

// ARC is the result of RFC 8617.
type ARC struct {
	Result string `json:"result"`
	Chain  int    `json:"chain"` // how many sets the message has
}

// answer puts findings into the form of the output.
func (c *Checker) answer(results []pipeline.Result) Answer {
	a := Answer{
		SPF: SPF{Result: "none"}, DKIM: []DKIM{}, DMARC: DMARC{Result: "none", Policy: "none", Disposition: "none"},
		ARC: ARC{Result: "none"}, Reasons: map[string]string{},
	}
	var auth []pipeline.AuthResult
	for _, r := range results {
		fd := r.Finding
		auth = append(auth, fd.Auth...)
		a.Reasons[r.Instance.Kind] = fd.Reason
		switch r.Instance.Kind {
		case "spf":
			a.SPF = SPF{word(fd, "result", r.Err), text(fd, "domain"), text(fd, "mechanism")}
		case "dkim":
			a.DKIM = signatures(fd.Auth)
		case "dmarc":
			a.DMARC = dmarc(fd, r.Err)
		case "arc":
			a.ARC = ARC{word(fd, "result", r.Err), number(fd, "chain")}
		}
	}
	a.Field = pipeline.AuthenticationResults(c.host, auth).Value
	a.AuthenticationResults = folds.ReplaceAllString(a.Field, " ")
	return a
}

// folds are the line ends within a field, RFC 5322 section 2.2.3.
var folds = regexp.MustCompile(`\r\n[ \t]+`)

func text(fd pipeline.Finding, name string) string {
	s, _ := fd.Facts[name].(string)
	return s
}

// word is a result; a filter that found nothing at all could not tell.
func word(fd pipeline.Finding, name string, err error) string {
	switch s := text(fd, name); {
	case s != "":
		return s
	case err != nil:
		return "temperror"
	}
	return "none"
}

func number(fd pipeline.Finding, name string) int {
	n, _ := fd.Facts[name].(float64)
	return int(n)
}

// signatures leaves out the result of a message without any.
func signatures(auth []pipeline.AuthResult) []DKIM {
	out := []DKIM{}
	for _, r := range auth {
		p := props(r)
		if r.Method == "dkim" && (r.Result != "none" || p["header.d"] != "") {
			out = append(out, DKIM{p["header.d"], p["header.s"], p["header.a"], r.Result, r.Reason})
		}
	}
	return out
}

// dmarc: where the record stands is told by the result that RFC 8601 shows, the
// rest by the facts.
func dmarc(fd pipeline.Finding, err error) DMARC {
	d := DMARC{
		Result: word(fd, "result", err), From: text(fd, "domain"),
		Policy: cmp.Or(text(fd, "published"), "none"), Disposition: cmp.Or(text(fd, "disposition"), "none"),
	}
	for _, r := range fd.Auth {
		if p := props(r); r.Method == "dmarc" && p["polrec.p"] != "" {
			d.Domain = cmp.Or(p["polrec.domain"], d.From)
		}
	}
	return d
}

func props(r pipeline.AuthResult) map[string]string {
	m := map[string]string{}
	for _, p := range r.Props {
		m[p.Name] = p.Value
	}
	return m
}
