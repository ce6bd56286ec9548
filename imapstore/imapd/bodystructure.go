package imapd

import (
	"strings"

	"github.com/forepost/forepost/relay/mime"
)

// blank stands for a part that a message does not have though its type says so.
var blank = &mime.Part{Type: "text/plain", Encoding: "7bit"}

// bodyStructure writes BODY and, with extensions, BODYSTRUCTURE (RFC 9051
// section 7.5.2). The parser bounds the depth.
func (s *session) bodyStructure(p *mime.Part, ext bool) {
	main, sub, _ := strings.Cut(p.Type, "/")
	s.enc.Raw("(")
	if main == "multipart" {
		s.multipart(p, sub, ext)
	} else {
		s.singlePart(p, main, sub, ext)
	}
	s.enc.Raw(")")
}

func (s *session) multipart(p *mime.Part, sub string, ext bool) {
	for _, q := range p.Parts {
		s.bodyStructure(q, ext)
	}
	if len(p.Parts) == 0 { // the grammar wants one at least
		s.bodyStructure(blank, ext)
	}
	s.enc.Raw(" ")
	s.enc.String(sub)
	if ext {
		s.enc.Raw(" ")
		_, params := rawParams(p.Get("Content-Type"))
		s.params(params)
		s.disposition(p)
	}
}

func (s *session) singlePart(p *mime.Part, main, sub string, ext bool) {
	s.enc.String(main)
	s.enc.Raw(" ")
	s.enc.String(sub)
	s.enc.Raw(" ")
	_, params := rawParams(p.Get("Content-Type"))
	if main == "text" && len(params) == 0 {
		params = []rawParam{{"charset", "us-ascii"}} // RFC 2045 section 5.2
	}
	s.params(params)
	s.enc.Raw(" ")
	s.enc.NString(p.Get("Content-ID"))
	s.enc.Raw(" ")
	s.enc.NString(p.Get("Content-Description"))
	s.enc.Raw(" ")
	s.enc.String(p.Encoding)
	s.enc.Raw(" ")
	s.enc.Uint(uint64(p.End - p.Body))
	switch {
	case main == "text":
		s.enc.Raw(" ")
		s.enc.Uint(uint64(p.Lines))
	case p.Type == "message/rfc822" || p.Type == "message/global":
		s.embedded(p, ext)
	}
	if ext {
		s.enc.Raw(" ")
		s.enc.NString(p.Get("Content-MD5"))
		s.disposition(p)
	}
}

// embedded writes what message/rfc822 has besides.
func (s *session) embedded(p *mime.Part, ext bool) {
	m := p.Message
	if m == nil {
		m = blank
	}
	s.enc.Raw(" ")
	s.envelope(m)
	s.enc.Raw(" ")
	s.bodyStructure(m, ext)
	s.enc.Raw(" ")
	s.enc.Uint(uint64(p.Lines))
}

// disposition writes the extension data that all parts have: disposition,
// language and location.
func (s *session) disposition(p *mime.Part) {
	value, params := rawParams(p.Get("Content-Disposition"))
	if value == "" {
		s.enc.Raw(" NIL ")
	} else {
		s.enc.Raw(" (")
		s.enc.String(value)
		s.enc.Raw(" ")
		s.params(params)
		s.enc.Raw(") ")
	}
	s.languages(p.Get("Content-Language"))
	s.enc.Raw(" ")
	s.enc.NString(p.Get("Content-Location"))
}

// languages writes NIL, one language, or a list (RFC 3282).
func (s *session) languages(v string) {
	words := strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
	if len(words) < 2 {
		s.enc.NString(strings.Join(words, ""))
		return
	}
	for i, w := range words {
		s.enc.Raw([]string{"(", " "}[min(i, 1)])
		s.enc.String(w)
	}
	s.enc.Raw(")")
}

func (s *session) params(params []rawParam) {
	if len(params) == 0 {
		s.enc.Raw("NIL")
		return
	}
	for i, p := range params {
		s.enc.Raw([]string{"(", " "}[min(i, 1)])
		s.enc.String(p.name)
		s.enc.Raw(" ")
		s.enc.String(p.value)
	}
	s.enc.Raw(")")
}
