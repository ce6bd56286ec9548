package spf

import (
	"strings"

	"github.com/forepost/forepost/filters/internal/line"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// received is the Received-SPF field, RFC 7208 section 9.1, one key a line.
func (f *filter) received(tx *pipeline.Transaction, id identity, out outcome) mail.Field {
	word := "mailfrom"
	if id.prop == "smtp.helo" {
		word = "helo"
	}
	mechanism := out.mechanism
	if mechanism == "" {
		mechanism = "default"
	}
	from := ""
	if !tx.From.IsNull() {
		from = tx.From.String()
	}
	var b strings.Builder
	b.WriteString(out.result)
	for i, kv := range [][2]string{
		{"receiver", f.hostname}, {"client-ip", tx.Client.String()}, {"identity", word},
		{"envelope-from", from}, {"helo", tx.Helo}, {"mechanism", mechanism}, {"problem", problem(out)},
	} {
		if kv[1] == "" && kv[0] == "problem" {
			continue
		}
		if i > 0 {
			b.WriteByte(';')
		}
		b.WriteString("\r\n\t" + kv[0] + "=" + value(kv[1]))
	}
	return mail.Field{Name: "Received-SPF", Value: b.String()}
}

// problem is why there was an error.
func problem(out outcome) string {
	if out.err == nil || !strings.HasSuffix(out.result, "error") {
		return ""
	}
	return out.err.Error()
}

// value is a dot-atom where it may be, else a quoted-string: nothing of what a
// stranger says ends the line or the string.
func value(s string) string {
	s = line.Clean(s)
	bare := s != ""
	for i := 0; i < len(s); i++ {
		c := s[i]
		bare = bare && (isAlpha(c) || isDigit(c) || strings.IndexByte(".-_", c) >= 0)
	}
	if bare {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
