package mime

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/mail"
)

func parseWhole(msg []byte) *Part {
	p, err := Parse(mail.Bytes(msg), Limits{})
	if err != nil {
		panic(err)
	}
	return p
}

func parsePieces(msg []byte, size int) *Part {
	p := NewParser(Limits{})
	for i := 0; i < len(msg); i += size {
		p.Write(msg[i:min(i+size, len(msg))])
	}
	return p.Close()
}

func dump(p *Part) string {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// shape is the tree of types: multipart/mixed(a b), message/rfc822[inner].
func shape(p *Part) string {
	s := p.Type
	if p.Message != nil {
		s += "[" + shape(p.Message) + "]"
	}
	var in []string
	for _, q := range p.Parts {
		in = append(in, shape(q))
	}
	if in != nil {
		s += "(" + strings.Join(in, " ") + ")"
	}
	return s
}

// checkSpans sees to it that offsets are in order, that parts nest, and that
// fields are what lies at their offsets.
func checkSpans(p *Part, msg []byte) error {
	if p.Off != 0 || p.End != int64(len(msg)) {
		return fmt.Errorf("the message spans %d to %d of %d octets", p.Off, p.End, len(msg))
	}
	var bad error
	p.Walk(func(q *Part) bool {
		bad = checkPart(q, msg)
		return bad == nil
	})
	return bad
}

func checkPart(q *Part, msg []byte) error {
	if q.Off > q.Body || q.Body > q.End {
		return fmt.Errorf("part out of order: %d %d %d", q.Off, q.Body, q.End)
	}
	if n := bytes.Count(msg[q.Body:q.End], []byte("\r\n")); int64(n) != q.Lines {
		return fmt.Errorf("part at %d has %d lines, not %d", q.Off, n, q.Lines)
	}
	at := q.Off
	for _, f := range q.Fields {
		text := string(msg[f.Off:f.End])
		name, value, _ := strings.Cut(text, ":")
		if f.Off < at || f.End > q.Body || strings.TrimRight(name, " \t") != f.Name || strings.TrimSuffix(value, "\r\n") != f.Raw {
			return fmt.Errorf("field %q at %d is not %q", f.Name, f.Off, text)
		}
		at = f.End
	}
	at = q.Body
	inner := q.Parts
	if q.Message != nil {
		inner = append(inner[:len(inner):len(inner)], q.Message)
	}
	for _, in := range inner {
		if in.Off < at || in.End > q.End {
			return fmt.Errorf("part at %d to %d leaves %d to %d", in.Off, in.End, at, q.End)
		}
		at = in.End
	}
	return nil
}

func readAll(t testing.TB, name string, p *Part, msg []byte) {
	p.Walk(func(q *Part) bool {
		if q.Parts == nil && q.Message == nil {
			if _, err := io.Copy(io.Discard, q.UTF8(bytes.NewReader(msg))); err != nil {
				t.Errorf("%s: content: %v", name, err)
			}
		}
		for _, f := range q.Fields {
			f.Text()
			Mailboxes(f.Raw)
		}
		return true
	})
}

// crlf turns the lines of a test into those of a message.
func crlf(s string) []byte { return withCRLF([]byte(s)) }

const from = "From: a@b.test\n"

func TestStructure(t *testing.T) {
	cases := []struct {
		why, msg, want string
		defects        []Defect
	}{
		{"the empty message", "", "text/plain", []Defect{DefectNoHeaderEnd, DefectNoFrom}},
		{"a header without end", "From: a@b.test\n", "text/plain", []Defect{DefectNoHeaderEnd}},
		{"a body alone", "\nhello\n", "text/plain", []Defect{DefectNoFrom}},
		{"a line that is no field does not end the header", from + "hello there\nSubject: x\n\nbody\n", "text/plain", []Defect{DefectBadField}},
		{"a line of spaces is a continuation", from + " \nContent-Type: text/html\n\nbody\n", "text/html", nil},
		{"a continuation of nothing", " x\n" + from + "\nbody\n", "text/plain", []Defect{DefectBadField}},
		{"white space before the colon", "From : a@b.test\n\n", "text/plain", []Defect{DefectBadField}},
		{"several From", from + from + "\n", "text/plain", []Defect{DefectManyFrom, DefectDuplicateField}},
		{"two subjects", from + "Subject: a\nsubject: b\n\n", "text/plain", []Defect{DefectDuplicateField}},
		{"two parts", from + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: text/html\n\ntwo\n--b--\n",
			"multipart/mixed(text/plain text/html)", nil},
		{"padding behind delimiters", from + "Content-Type: multipart/mixed; boundary=b\n\n--b \t\n\none\n--b-- \n", "multipart/mixed(text/plain)", nil},
		{"no closing delimiter", from + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n", "multipart/mixed(text/plain)", []Defect{DefectUnclosed}},
		{"the last delimiter without line end", from + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--", "multipart/mixed(text/plain)", nil},
		{"no boundary", from + "Content-Type: multipart/mixed\n\n--b\n\none\n--b--\n", "multipart/mixed", []Defect{DefectNoBoundary}},
		{"two boundaries", from + "Content-Type: multipart/mixed; boundary=a; boundary=b\n\n--a\n\none\n--a--\n", "multipart/mixed(text/plain)", []Defect{DefectAmbiguousBoundary}},
		{"a boundary by RFC 2231", from + "Content-Type: multipart/mixed; boundary*0=a; boundary*1=b\n\n--ab\n\none\n--ab--\n", "multipart/mixed(text/plain)", []Defect{DefectAmbiguousBoundary}},
		{"a line that begins like a delimiter", from + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--bc\n--b--\n", "multipart/mixed(text/plain)", []Defect{DefectAmbiguousBoundary}},
		{"an inner boundary that begins with the outer", from + "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=bb\n\n--bb\n\nx\n--bb--\n--b--\n",
			"multipart/mixed(multipart/alternative(text/plain))", []Defect{DefectAmbiguousBoundary}},
		{"an outer delimiter ends the inner multipart", from + "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\nx\n--o\n\ny\n--o--\n",
			"multipart/mixed(multipart/mixed(text/plain) text/plain)", []Defect{DefectUnclosed}},
		{"a delimiter ends a part's header", from + "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n--b\n\ny\n--b--\n",
			"multipart/mixed(text/html text/plain)", []Defect{DefectNoHeaderEnd}},
		{"an empty part right before the outer delimiter", from + "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\n--o--\n",
			"multipart/mixed(multipart/mixed(text/plain))", []Defect{DefectUnclosed}},
		{"a delimiter in the epilogue is text", from + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n--b\n\ntwo\n", "multipart/mixed(text/plain)", nil},
		{"a digest", from + "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: in\nContent-Type: text/html\n\nx\n--b--\n", "multipart/digest(message/rfc822[text/html])", nil},
		{"a message in base64 is not looked into", from + "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nAAAA\n", "message/rfc822", []Defect{DefectBadEncoding}},
		{"a type without subtype", from + "Content-Type: text\n\n", "text/plain", nil},
		{"a type without semicolon", from + "Content-Type: TEXT/HTML charset=utf-8\n\n", "text/html", nil},
		{"two types", from + "Content-Type: text/html\nContent-Type: text/plain\n\n", "text/html", []Defect{DefectDuplicateType}},
		{"an unknown encoding", from + "Content-Transfer-Encoding: rot13\n\n", "text/plain", []Defect{DefectBadEncoding}},
		{"a doubled encoding", from + "Content-Transfer-Encoding: base64 base64\n\n", "text/plain", []Defect{DefectBadEncoding}},
		{"8-bit in the header", from + "Subject: \xc3\xa9\n\n", "text/plain", []Defect{DefectEightBitHeader}},
		{"a NUL", from + "\n\x00\n", "text/plain", []Defect{DefectNUL}},
		{"a bare CR", from + "\nx\ry\n", "text/plain", []Defect{DefectBareCRLF}},
		{"a long line", from + "\n" + strings.Repeat("x", 999) + "\n", "text/plain", []Defect{DefectLongLine}},
		{"a line as long as may be", from + "\n" + strings.Repeat("x", 998) + "\n", "text/plain", nil},
	}
	for _, c := range cases {
		msg := crlf(c.msg)
		p := parseWhole(msg)
		if got := shape(p); got != c.want {
			t.Errorf("%s: got %s, want %s", c.why, got, c.want)
		}
		if err := checkSpans(p, msg); err != nil {
			t.Errorf("%s: %v", c.why, err)
		}
		checkDefects(t, c.why, p, c.defects)
		for size := 1; size < 5; size++ {
			if dump(parsePieces(msg, size)) != dump(p) {
				t.Errorf("%s: differs in pieces of %d", c.why, size)
			}
		}
	}
}

func checkDefects(t *testing.T, why string, p *Part, want []Defect) {
	t.Helper()
	have := map[Defect]bool{}
	p.Walk(func(q *Part) bool {
		for _, d := range q.Defects {
			have[d] = true
		}
		return true
	})
	for _, d := range want {
		if !have[d] || !p.Has(d) {
			t.Errorf("%s: no defect %s", why, d)
		}
		delete(have, d)
	}
	for d := range have {
		t.Errorf("%s: unexpected defect %s", why, d)
	}
}

// TestBareLF: only CRLF is a line end, so a LF cannot end a header.
func TestBareLF(t *testing.T) {
	msg := []byte("From: a@b.test\r\nX: y\n\nSubject: hidden\r\n\r\nbody")
	p := parseWhole(msg)
	if len(p.Fields) != 2 || p.Get("Subject") != "" || string(msg[p.Body:]) != "body" || !p.Has(DefectBareCRLF) {
		t.Errorf("fields %v, body %q, defects %v", p.Fields, msg[p.Body:], p.Defects)
	}
}

func TestBodyOffsets(t *testing.T) {
	msg := crlf(from + "Content-Type: multipart/mixed; boundary=b\n\npre\n--b\n\none\n\n--b\n\ntwo\n--b--\npost\n")
	p := parseWhole(msg)
	var got []string
	for _, q := range p.Parts {
		got = append(got, string(msg[q.Body:q.End]))
	}
	if want := []string{"one\r\n", "two"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
