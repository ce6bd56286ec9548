package policies

import (
	"io"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

const stripping = head + `
policy "p" {
  data {
    strip "programs" {
      extensions   = ["exe", ".JS"]
      replace_with = "Programs may not come by mail.\nAsk ${rcpt.domain}."
    }
    modify "mark" {
      subject_prefix = "[cut]"
      remove_header  = ["Content-Language"]
    }
  }
}
`

// mixed wraps parts into a message.
func mixed(kind string, parts ...string) string {
	return "From: a@b.test\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/" + kind + "; boundary=q\r\n\r\nfront\r\n--q\r\n" +
		strings.Join(parts, "\r\n--q\r\n") + "\r\n--q--\r\nback\r\n"
}

const (
	plain   = "Content-Type: text/plain\r\n\r\nHello  there\r\n"
	program = "Content-Type: application/octet-stream; name=\"invoice.pdf.exe\"\r\nContent-Transfer-Encoding: base64\r\n\r\nTVqQAAMAAAAEAAAA\r\n"
	script  = "Content-Disposition: attachment; filename*=utf-8''%E2%80%AEgnp.Js. \r\n\r\nalert(1)\r\n"
	picture = "Content-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n"
)

// within gives a message another boundary, to stand in another one.
func within(text string) string {
	return strings.NewReplacer("boundary=q", "boundary=i", "--q", "--i").Replace(text)
}

// stripped runs the policy and gives the message as it would go out, without
// what was put on top, and what the trail says of the rule.
func stripped(t *testing.T, policy, text string) (out, told string) {
	t.Helper()
	tx := transaction(t, "bob@example.com")
	tx.Message = &mail.Message{Blob: mail.Bytes(text)}
	part, err := mime.Parse(mail.Bytes(text), mime.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	tx.Part = part
	vs := newWorld().plan(t, policy).Run(t.Context(), pipeline.Data, tx)
	m, err := mail.NewMessage(nil, vs[0].Ledger.Edits, mail.Bytes(text))
	if err != nil {
		t.Fatal(err)
	}
	r, err := m.Open()
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range tx.Trace.Rules {
		if strings.Contains(rule.Path, ".strip.") {
			told = rule.Outcome + " " + rule.Why
		}
	}
	return string(b), told
}

// TestStrip: what goes is replaced by a text that names it, and every other
// octet stays.
func TestStrip(t *testing.T) {
	text := "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
		"Programs may not come by mail.\r\nAsk example.com.\r\n\r\nRemoved: "
	exe := text + "invoice.pdf.exe (application/octet-stream, 18 octets)\r\n"
	inner := within(mixed("mixed", plain, program))
	for why, c := range map[string]struct{ in, want, told string }{
		"one of three":            {mixed("mixed", plain, program, picture), mixed("mixed", plain, exe, picture), "yes removed invoice.pdf.exe"},
		"none":                    {mixed("mixed", plain, picture), mixed("mixed", plain, picture), "no no part has a name that ends so"},
		"a name in disguise":      {mixed("mixed", plain, script), mixed("mixed", plain, text+"gnp.Js (text/plain, 10 octets)\r\n"), "yes removed gnp.Js"},
		"in a message in it":      {mixed("mixed", plain, "Content-Type: message/rfc822\r\n\r\n"+inner), mixed("mixed", plain, "Content-Type: message/rfc822\r\n\r\n"+within(mixed("mixed", plain, exe))), "yes removed invoice.pdf.exe"},
		"a message with the name": {mixed("mixed", plain, "Content-Type: message/rfc822; name=x.exe\r\n\r\n"+inner), "", "yes removed x.exe"},
		"two":                     {mixed("mixed", program, plain, program), mixed("mixed", exe, plain, exe), "yes removed invoice.pdf.exe, invoice.pdf.exe"},
		"no parts at all":         {"Subject: x\r\n\r\nbody\r\n", "Subject: x\r\n\r\nbody\r\n", "no no part has a name that ends so"},
	} {
		out, told := stripped(t, stripping, c.in)
		if told != c.told {
			t.Errorf("%s: told %q", why, told)
		}
		if want := strings.Replace(c.want, "Subject: x", "Subject: [cut] x", 1); c.want != "" && out != want {
			t.Errorf("%s:\n%s\nwant\n%s", why, out, want)
		}
	}
}

// TestStripWholeMessage: where the message itself is the attachment, its header
// stays and says text from now on.
func TestStripWholeMessage(t *testing.T) {
	out, told := stripped(t, stripping, "From: a@b.test\r\nContent-Language: en\r\nSubject: x\r\n"+program)
	want := "From: a@b.test\r\nSubject: [cut] x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
		"Programs may not come by mail.\r\nAsk example.com.\r\n\r\nRemoved: invoice.pdf.exe (application/octet-stream, 18 octets)\r\n"
	if out != want || told != "yes removed invoice.pdf.exe" {
		t.Errorf("%s: \n%s\nwant\n%s", told, out, want)
	}
}

// TestStripClosed: what is signed or encrypted, and what readers may take apart in
// another way, is left alone, and the trail says why; force = true does it.
func TestStripClosed(t *testing.T) {
	forced := strings.Replace(stripping, `extensions   =`, "force        = true\n      extensions   =", 1)
	signature := "Content-Type: application/pgp-signature; name=s.asc\r\n\r\nxx\r\n"
	for in, reason := range map[string]string{
		mixed("signed", within(mixed("mixed", plain, program))[len("From: a@b.test\r\nSubject: x\r\nMIME-Version: 1.0\r\n"):], signature): "is signed",
		mixed("encrypted", "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n", program):                                      "is encrypted",
		strings.Replace(mixed("mixed", plain, program), "boundary=q", "boundary=q; boundary=r", 1):                                        "ambiguous-boundary",
	} {
		out, told := stripped(t, stripping, in)
		if want := strings.Replace(in, "Subject: x", "Subject: [cut] x", 1); out != want {
			t.Errorf("%s: it was touched:\n%s", reason, out)
		}
		if !strings.HasPrefix(told, "unknown could not remove invoice.pdf.exe: ") || !strings.Contains(told, reason) {
			t.Errorf("%s: told %q", reason, told)
		}
		out, told = stripped(t, forced, in)
		if strings.Contains(out, "TVqQ") || !strings.HasPrefix(told, "yes ") {
			t.Errorf("%s: force: %q\n%s", reason, told, out)
		}
	}
}

// TestStripPerRecipient: who may have it gets it.
func TestStripPerRecipient(t *testing.T) {
	tx := transaction(t, "bob@example.com", "lab@example.com")
	text := mixed("mixed", plain, program)
	tx.Message = &mail.Message{Blob: mail.Bytes(text)}
	tx.Part, _ = mime.Parse(mail.Bytes(text), mime.Limits{})
	policy := strings.Replace(stripping, `extensions   =`, "when         = rcpt.local != \"lab\"\n      extensions   =", 1)
	vs := newWorld().plan(t, policy).Run(t.Context(), pipeline.Data, tx)
	if n, m := len(vs[0].Ledger.Edits), len(vs[1].Ledger.Edits); n != 2 || m != 1 { // the subject's is one
		t.Errorf("edits for bob %d, for the laboratory %d", n, m)
	}
}
