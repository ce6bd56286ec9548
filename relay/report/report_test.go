package report

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/meter/metertest"
)

func some() *Aggregate {
	return &Aggregate{Version: "1.0", Org: "A & <Co>", Email: "dmarc@a.test", Contact: "https://a.test/?x=1&y=2", ID: "86400.b.test@a.test",
		Begin: time.Unix(86400, 0).UTC(), End: time.Unix(172799, 0).UTC(), Errors: []string{"one", "two"}, Generator: "Forepost",
		Policy: Policy{Domain: "b.test", Method: "treewalk", P: "reject", SP: "none", NP: "reject", ADKIM: "s", ASPF: "r", Testing: "n", FO: "1"},
		Records: []Record{
			{IP: "192.0.2.1", Count: 3, Disposition: "reject", DKIM: "fail", SPF: "fail", HeaderFrom: "b.test",
				Reasons: []Reason{{Type: "local_policy", Comment: "a ]]> b"}, {Type: "other"}}},
			{IP: "2001:db8::1", Count: 1, Disposition: "pass", DKIM: "pass", SPF: "pass", HeaderFrom: "sub.b.test", EnvelopeFrom: "b.test", EnvelopeTo: "a.test",
				Auth: []Auth{{Method: "dkim", Domain: "b.test", Selector: "k", Result: "pass"}, {Method: "dkim", Domain: "x.test", Selector: "k2", Result: "fail", Human: "body \"hash\""},
					{Method: "spf", Domain: "b.test", Scope: "mfrom", Result: "pass"}}},
		}}
}

// What we write is what we read: alone, packed and in a message.
func TestWrittenIsRead(t *testing.T) {
	a := some()
	text := a.Message(Mailing{From: addr(t, "dmarc@a.test"), To: addr(t, "rua@b.test"), Submitter: "a.test", Date: time.Unix(172900, 0).UTC()})
	for name, in := range map[string][]byte{"XML": a.XML(), "gzip": a.packed(), "gzip twice": squeeze(t, a.packed()), "message": text,
		"message with the line ends of a file": bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))} {
		r, err := Read(in)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(&Report{Kind: KindDMARC, DMARC: a}, r); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	for _, want := range []string{"Subject: Report Domain: b.test\r\n Submitter: a.test\r\n Report-ID: <86400.b.test@a.test>\r\n",
		"filename=\"a.test!b.test!86400!172799.xml.gz\"", "Content-Type: application/gzip;", "Auto-Submitted: auto-generated\r\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, line := range strings.Split(string(text), "\r\n") {
		if len(line) > 998 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("a line of %d octets", len(line))
		}
	}
}

func addr(t *testing.T, s string) mail.Address {
	t.Helper()
	a, err := mail.ParseAddress(s, false)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func squeeze(t testing.TB, in []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(in); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A strict parser of somebody else's finds it well-formed, in its namespace.
func TestWellFormed(t *testing.T) {
	d := xml.NewDecoder(bytes.NewReader(some().XML()))
	n := 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			if n++; e.Name.Space != namespace {
				t.Errorf("%v is in another namespace", e.Name)
			}
		}
	}
	if n != 66 {
		t.Errorf("%d elements", n)
	}
}

// zipped is an archive of one report.
func zipped(t *testing.T, in []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("r.xml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(in); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// lying writes a size of 100 octets into the directory of an archive, where it
// stands 24 octets in (APPNOTE 4.3.12).
func lying(archive []byte) []byte {
	at := bytes.LastIndex(archive, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(archive[at+24:], 100)
	return archive
}

// RFC 9990 section 8: what comes in may be made to exhaust its reader.
func TestAttacks(t *testing.T) {
	const head, tail = "<feedback><policy_published><domain>b.test</domain></policy_published>", "</feedback>"
	zeros := squeeze(t, make([]byte, 200<<20))
	bomb := zipped(t, make([]byte, 200<<20))
	var many bytes.Buffer
	z := zip.NewWriter(&many)
	for i := range maxEntries + 1 {
		w, err := z.Create(fmt.Sprintf("%d.xml", i))
		if err != nil {
			t.Fatal(err)
		}
		body := "nothing"
		if i == maxEntries {
			body = head + tail
		}
		if _, err := w.Write([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		in   []byte
		want error
	}{
		"a zip bomb":                       {bomb, ErrTooLarge},
		"a zip bomb that lies of its size": {lying(bytes.Clone(bomb)), ErrBroken},
		"a gzip bomb":                      {zeros, ErrTooLarge},
		"a bomb in a bomb":                 {squeeze(t, zeros), ErrTooLarge},
		"an archive of many files":         {many.Bytes(), ErrNoReport},
		"elements without end":             {bytes.Repeat([]byte("<a>"), 1<<20), ErrBroken},
		"too many records":                 {[]byte(head + strings.Repeat("<record/>", maxRecords+1) + tail), ErrTooLarge},
		"packed too often":                 {squeeze(t, squeeze(t, squeeze(t, squeeze(t, []byte(head+tail))))), ErrNoReport},
		"too large":                        {make([]byte, MaxMessage+1), ErrTooLarge},
		"JSON nested deep":                 {bytes.Repeat([]byte(`{"policies":`), 1<<20), ErrBroken},
		"a web page":                       {[]byte("<html><body>hello</body></html>"), ErrNoReport},
		"a report on nobody":               {[]byte("<feedback></feedback>"), ErrBroken},
		"cut off within a gzip's header":   {[]byte("\x1f\x8b"), ErrBroken},
		"no archive":                       {[]byte("PK\x03\x04 and nothing"), ErrBroken},
		"a message without a report":       {[]byte("From: a@b.test\r\n\r\nHello.\r\n"), ErrNoReport},
	} {
		took := metertest.CPU(t, func() {
			if r, err := Read(c.in); !errors.Is(err, c.want) && !(c.want == ErrNoReport && errors.Is(err, errNoFile)) {
				t.Errorf("%s: %+v, %v; want %v", name, r, err, c.want)
			}
		})
		if took > 5*time.Second {
			t.Errorf("%s took %s of processor time", name, took)
		}
	}
}

// No entity that a DTD declares means anything, and what is not careful is
// forgiven.
func TestLenient(t *testing.T) {
	const bomb = `<?xml version="1.0"?><!DOCTYPE f [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY x SYSTEM "file:///etc/passwd">]>`
	for in, want := range map[string]string{
		bomb + `<feedback><report_metadata><org_name>&b;&x;</org_name></report_metadata>`:                         "&b;&x;",
		`<feedback><report_metadata><org_name>A &amp; B &#67;&#x44; &amp;lt;</org_name></report_metadata>`:        "A & B CD &lt;",
		`<feedback><report_metadata><org_name><![CDATA[A & <B>]]></org_name></report_metadata>`:                   "A & <B>",
		`<feedback><report_metadata><org_name><oops@b.test></org_name></report_metadata>`:                         "",
		`<n:feedback xmlns:n="x"><n:report_metadata><n:org_name>A</n:org_name></n:report_metadata>`:               "A",
		"<feedback><report_metadata><org_name>\x1b[31mA\xff\r\n</org_name></report_metadata>":                     "[31mA\uFFFD",
		`<feedback><report_metadata><org_name>` + strings.Repeat("x", 9999) + `</org_name></report_metadata>`:     strings.Repeat("x", maxText),
		`<feedback><!-- <org_name>no</org_name> --><report_metadata></p><org_name>A</org_name></report_metadata>`: "A",
	} {
		r, err := Read([]byte(in + `<policy_published><domain>b.test</domain></policy_published></feedback>`))
		if err != nil || r.DMARC.Org != want {
			t.Errorf("%.120q: %+v, %v; want %q", in, r, err, want)
		}
	}
}

// A report that comes twice has one ID, another has another; rows beyond what is
// kept are counted.
func TestSummarise(t *testing.T) {
	a := some()
	for i := range 2 * maxRows {
		a.Records = append(a.Records, Record{IP: fmt.Sprint(i), Count: 1, DKIM: "pass", HeaderFrom: "b.test"})
	}
	one, two := Summarise(&Report{Kind: KindDMARC, DMARC: a}), Summarise(&Report{Kind: KindDMARC, DMARC: a})
	if one.ID != two.ID || one.Messages != 4+2*maxRows || one.Pass != 1+2*maxRows || one.Fail != 3 || len(one.Rows) != maxRows || one.Left != maxRows+2 {
		t.Errorf("%s %s: %d messages, %d pass, %d fail, %d rows, %d left", one.ID, two.ID, one.Messages, one.Pass, one.Fail, len(one.Rows), one.Left)
	}
	if one.Rows[0].IP != "192.0.2.1" || one.Rows[0].Pass {
		t.Errorf("the first row is %+v", one.Rows[0])
	}
	a.ID = "another"
	if three := Summarise(&Report{Kind: KindDMARC, DMARC: a}); three.ID == one.ID {
		t.Error("two reports have one ID")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(some().XML())
	f.Add(some().packed())
	f.Add([]byte("<feedback><![CDATA[<!--</feedback>"))
	suite(f, func(_ string, data []byte) {
		if len(data) < 64<<10 {
			f.Add(data)
		}
	})
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := Read(in)
		if (r == nil) == (err == nil) {
			t.Fatalf("%+v, %v", r, err)
		}
		if err != nil || r.Kind != KindDMARC {
			return
		}
		// What was read can be written, and is read as the same.
		again, err := Read(r.DMARC.XML())
		if err != nil {
			t.Fatalf("written again: %v", err)
		}
		if a, b := Summarise(r), Summarise(again); a.Messages != b.Messages || a.Domain != b.Domain {
			t.Errorf("%+v became %+v", a, b)
		}
	})
}
