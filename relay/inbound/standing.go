package inbound

import (
	"strings"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// standing is what speaks for the sender: who brought the message, or what filters
// found of it. What no rule asked for was not looked at, and speaks neither for nor
// against.
func (s *session) standing(tx *transaction, found []pipeline.Result) mail.Standing {
	if s.ps.Trusted || s.ps.Auth.User != "" || tx.From.IsNull() {
		return mail.Vouched
	}
	best := mail.Unproven
	for _, r := range found {
		for _, a := range r.Finding.Auth {
			switch {
			case a.Method == "spf" && a.Result == "pass" && prop(a, "smtp.mailfrom") != "",
				a.Method == "dkim" && a.Result == "pass" && related(prop(a, "header.d"), tx.From.Domain):
				return mail.Vouched
			case a.Method == "spf" && (a.Result == "fail" || a.Result == "softfail"):
				best = mail.Disowned
			}
		}
	}
	return best
}

func prop(a pipeline.AuthResult, name string) string {
	for _, p := range a.Props {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

// related tells whether one of two domains is the other or stands above it.
func related(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	return a != "" && (a == b || strings.HasSuffix(a, "."+b) || strings.HasSuffix(b, "."+a))
}
