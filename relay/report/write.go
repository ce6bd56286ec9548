package report

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"strconv"
)

// namespace is that of RFC 9990 section 3.1.1.1.
const namespace = "urn:ietf:params:xml:ns:dmarc-2.0"

// XML is the report as RFC 9990 writes it, in the order of its tables.
func (a *Aggregate) XML() []byte {
	w := &writer{}
	w.b.WriteString(xml.Header + "<feedback xmlns=\"" + namespace + "\">\n")
	w.need("version", "1.0")
	w.in("report_metadata", func() { a.metadata(w) })
	w.in("policy_published", func() { a.Policy.write(w) })
	for i := range a.Records {
		w.in("record", func() { a.Records[i].write(w) })
	}
	w.b.WriteString("</feedback>\n")
	return w.b.Bytes()
}

func (a *Aggregate) metadata(w *writer) {
	w.need("org_name", a.Org)
	w.need("email", a.Email)
	w.some("extra_contact_info", a.Contact)
	w.need("report_id", a.ID)
	w.in("date_range", func() {
		w.need("begin", strconv.FormatInt(a.Begin.Unix(), 10))
		w.need("end", strconv.FormatInt(a.End.Unix(), 10))
	})
	for _, e := range a.Errors {
		w.need("error", e)
	}
	w.some("generator", a.Generator)
}

func (p *Policy) write(w *writer) {
	w.need("domain", p.Domain)
	w.some("discovery_method", p.Method)
	w.need("p", p.P)
	w.some("sp", p.SP)
	w.some("np", p.NP)
	w.some("fo", p.FO)
	w.some("adkim", p.ADKIM)
	w.some("aspf", p.ASPF)
	w.some("testing", p.Testing)
}

func (r *Record) write(w *writer) {
	w.in("row", func() {
		w.need("source_ip", r.IP)
		w.need("count", strconv.Itoa(r.Count))
		w.in("policy_evaluated", func() {
			w.need("disposition", r.Disposition)
			w.need("dkim", r.DKIM)
			w.need("spf", r.SPF)
			for _, why := range r.Reasons {
				w.in("reason", func() {
					w.need("type", why.Type)
					w.some("comment", why.Comment)
				})
			}
		})
	})
	w.in("identifiers", func() {
		w.need("header_from", r.HeaderFrom)
		w.need("envelope_from", r.EnvelopeFrom) // empty for the null path
		w.some("envelope_to", r.EnvelopeTo)
	})
	w.in("auth_results", func() {
		for _, method := range []string{"dkim", "spf"} {
			for _, x := range r.Auth {
				if x.Method == method {
					w.in(method, func() { x.write(w) })
				}
			}
		}
	})
}

func (x *Auth) write(w *writer) {
	w.need("domain", x.Domain)
	w.some("selector", x.Selector)
	w.some("scope", x.Scope)
	w.need("result", x.Result)
	w.some("human_result", x.Human)
}

// writer writes elements, indented.
type writer struct {
	b     bytes.Buffer
	depth int
}

func (w *writer) in(name string, f func()) {
	w.indent()
	w.b.WriteString("<" + name + ">\n")
	w.depth++
	f()
	w.depth--
	w.indent()
	w.b.WriteString("</" + name + ">\n")
}

func (w *writer) indent() {
	for range w.depth + 1 {
		w.b.WriteString("  ")
	}
}

// need writes an element; some only one that has a text.
func (w *writer) need(name, text string) {
	w.indent()
	w.b.WriteString("<" + name + ">")
	xml.EscapeText(&w.b, []byte(text)) // a bytes.Buffer takes everything
	w.b.WriteString("</" + name + ">\n")
}

func (w *writer) some(name, text string) {
	if text != "" {
		w.need(name, text)
	}
}

// packed is the report as it travels, RFC 9990 section 3.5.2.
func (a *Aggregate) packed() []byte { return pack(a.XML()) }

func pack(text []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(text) // likewise
	z.Close()
	return b.Bytes()
}
