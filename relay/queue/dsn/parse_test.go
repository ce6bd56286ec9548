package dsn

import (
	"bufio"
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"net/textproto"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/mail"
)

// parsed is a report as another program reads it.
type parsed struct {
	header netmail.Header
	types  []string
	bodies [][]byte
	blocks []textproto.MIMEHeader // of the status part
}

// parse reads a report with the parsers of the standard library.
func parse(t *testing.T, raw []byte) (p parsed) {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	p.header = m.Header
	typ, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || typ != "multipart/report" || params["report-type"] != "delivery-status" {
		t.Fatalf("Content-Type %q %v, error %v", typ, params, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		typ, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		p.types, p.bodies = append(p.types, typ), append(p.bodies, body)
	}
	if len(p.bodies) != 3 {
		t.Fatalf("%d parts: %v", len(p.bodies), p.types)
	}
	for block := range bytes.SplitSeq(p.bodies[1], []byte("\r\n\r\n")) {
		h, err := textproto.NewReader(bufio.NewReader(io.MultiReader(bytes.NewReader(block), strings.NewReader("\r\n\r\n")))).ReadMIMEHeader()
		if err != nil {
			t.Fatalf("block %q: %v", block, err)
		}
		p.blocks = append(p.blocks, h)
	}
	return p
}

// Every case is read by another parser as what it was meant to be, and nothing
// that came from outside became a field of its own.
func TestOthersCanRead(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := sample(c.action)
			c.change(r)
			var b bytes.Buffer
			form, err := Write(&b, r)
			if err != nil {
				t.Fatal(err)
			}
			wellFormed(t, b.Bytes(), form)
			p := parse(t, b.Bytes())
			if len(p.blocks) != 1+len(r.Recipients) {
				t.Fatalf("%d blocks for %d recipients:\n%s", len(p.blocks), len(r.Recipients), p.bodies[1])
			}
			for i, h := range p.blocks[1:] {
				checkBlock(t, r, &r.Recipients[i], h)
			}
			if p.header.Get("Auto-Submitted") != "auto-replied" || p.header.Get("To") != r.Envelope.From.Path() {
				t.Errorf("header %v", p.header)
			}
			if !strings.Contains(string(p.bodies[0]), string(r.Envelope.ID)) {
				t.Error("the part for people does not name the ID")
			}
		})
	}
}

func checkBlock(t *testing.T, r *Report, to *Recipient, h textproto.MIMEHeader) {
	t.Helper()
	for _, name := range []string{"Final-Recipient", "Action", "Status"} {
		if n := len(h.Values(name)); n != 1 {
			t.Errorf("%d fields %s: %v", n, name, h)
		}
	}
	if h.Get("Action") != r.Action.String() || !strings.HasSuffix(h.Get("Final-Recipient"), "; "+to.Address.String()) {
		t.Errorf("block %v", h)
	}
	class := map[Action]string{Failed: "45", Delayed: "4", Relayed: "2", Delivered: "2"}[r.Action]
	if !strings.Contains(class, h.Get("Status")[:1]) {
		t.Errorf("action %s with status %s", r.Action, h.Get("Status"))
	}
	for name := range h {
		if !known[name] {
			t.Errorf("a field that nobody asked for: %s", name)
		}
	}
}

var known = map[string]bool{
	"Original-Recipient": true, "Final-Recipient": true, "Action": true, "Status": true, "Remote-Mta": true,
	"Diagnostic-Code": true, "Last-Attempt-Date": true, "Will-Retry-Until": true,
}

// wellFormed: CRLF only, lines within RFC 5322, octets as the form says, and no
// control characters but in what was returned.
func wellFormed(t *testing.T, raw []byte, form Form) {
	t.Helper()
	s := strings.ReplaceAll(string(raw), "\r\n", "")
	if strings.ContainsAny(s, "\r\n\x00\x1b") {
		t.Error("a bare CR or LF, or a control character")
	}
	for line := range strings.SplitSeq(string(raw), "\r\n") {
		if len(line) > 998 {
			t.Errorf("a line of %d octets", len(line))
		}
	}
	if eight := !ascii(raw); eight != form.EightBit {
		t.Errorf("8-bit octets: %v, but the form says %v", eight, form.EightBit)
	}
}

// A report of a plain message is ASCII, whatever a server says.
func TestPlainReportIsASCII(t *testing.T) {
	r := sample(Failed)
	r.Recipients[0].Reply.Text = "\u65e5\u672c \xfe"
	var b bytes.Buffer
	form, err := Write(&b, r)
	if err != nil || form.EightBit || form.SMTPUTF8 {
		t.Fatalf("form %+v, error %v", form, err)
	}
	if d := parse(t, b.Bytes()).blocks[1].Get("Diagnostic-Code"); d != `smtp; 550 5.1.1 \x{65E5}\x{672C} ?` {
		t.Errorf("Diagnostic-Code: %s", d)
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		why, in string
		width   int
		want    string
	}{
		{"nothing", "", 10, ""},
		{"at spaces", "one two three", 8, "one two|three"},
		{"a word longer than the line", "abcdefgh ij", 3, "abc|def|gh|ij"},
		{"not within a character", "aa\u00e9b", 3, "aa|\u00e9b"},
	} {
		if got := strings.Join(wrap(c.in, c.width), "|"); got != c.want {
			t.Errorf("%s: %q, want %q", c.why, got, c.want)
		}
	}
}

// A header without an end, or without a line, is returned as far as it goes.
func TestReadHeader(t *testing.T) {
	for _, c := range []struct{ why, in, want string }{
		{"ordinary", "A: b\r\n\r\nbody\r\n", "A: b\r\n"},
		{"no body", "A: b\r\n", "A: b\r\n"},
		{"no header", "\r\nbody\r\n", ""},
		{"cut in the middle of a line", "A: b\r\nC: d", "A: b\r\n"},
		{"no line end at all", "A", ""},
		{"longer than is kept", "A: b\r\n" + strings.Repeat("C: d\r\n", 20_000), "A: b\r\n" + strings.Repeat("C: d\r\n", (maxHeader-6)/6)},
	} {
		got, err := readHeader(strings.NewReader(c.in))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %d octets %.40q, error %v", c.why, len(got), got, err)
		}
	}
}

// FuzzReport: whatever a server and a client say, the report stays one report.
func FuzzReport(f *testing.F) {
	f.Add("no such user", "ORDER 1", "rfc822;x@y", "X: y\r\n\r\nbody\r\n", true)
	f.Add("\r\n\r\n--=_report_", "\x00\xff", ";", "\r\n", false)
	f.Fuzz(func(t *testing.T, said, envid, orcpt, original string, wide bool) {
		r := sample(Failed)
		r.Envelope.SMTPUTF8, r.Envelope.EnvID, r.Envelope.Ret = wide, envid, "HDRS"
		r.Recipients[0].Reply.Text, r.Recipients[0].Original = said, orcpt
		r.Original = &mail.Message{Blob: mail.Bytes(original)}
		var b bytes.Buffer
		if _, err := Write(&b, r); err != nil {
			t.Fatal(err)
		}
		p := parse(t, b.Bytes())
		if len(p.blocks) != 2 {
			t.Fatalf("%d blocks:\n%s", len(p.blocks), p.bodies[1])
		}
		checkBlock(t, r, &r.Recipients[0], p.blocks[1])
	})
}
