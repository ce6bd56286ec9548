package mime

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/mail"
)

func asSevenBit(t testing.TB, msg string) (string, error) {
	t.Helper()
	b, err := AsSevenBit(mail.Bytes(msg))
	if err != nil {
		return "", err
	}
	r, err := b.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out, err := io.ReadAll(r)
	if err != nil || int64(len(out)) != b.Size() {
		t.Fatalf("%d octets, Size is %d, %v", len(out), b.Size(), err)
	}
	for i, c := range out {
		if c > 127 {
			t.Fatalf("an octet over 127 at %d of %q", i, out)
		}
	}
	for _, line := range strings.Split(string(out), "\r\n") {
		if len(line) > 998 {
			t.Fatalf("a line of %d octets", len(line))
		}
	}
	return string(out), nil
}

// leaves are the contents of all leaf parts, their encodings undone.
func leaves(msg string) (list []string) {
	var walk func(p *Part)
	walk = func(p *Part) {
		if p.IsLeaf() {
			b, _ := io.ReadAll(p.Content(strings.NewReader(msg)))
			list = append(list, p.Type+": "+string(b))
		}
		for _, in := range p.Parts {
			walk(in)
		}
		if p.Message != nil {
			walk(p.Message)
		}
	}
	walk(parseWhole([]byte(msg)))
	return list
}

const nested = "Subject: x\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\nContent-Type: multipart/mixed; boundary=out\r\n\r\npr\xc3\xa9amble\r\n" +
	"--out\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9fe = \r\nline two\t\r\n" +
	"--out\r\nContent-Type: text/plain\r\n\r\nplain as it is = \r\n" +
	"--out\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: inner\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n" +
	"--in\r\n\r\ninner t\xc3\xa9xt\r\n--in\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xff\xfe\xfd picture\r\n--in--\r\n" +
	"--out--\r\n\xc3\xa9pilogue"

// TestAsSevenBit: parts of nested multiparts and of a message inside are encoded, what
// holds them is labelled, what is in 7 bits stays octet for octet, and readers find the
// same contents.
func TestAsSevenBit(t *testing.T) {
	out, err := asSevenBit(t, nested)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := leaves(out), leaves(nested); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("contents\n%q\nwere\n%q", got, want)
	}
	for _, want := range []string{
		"Content-Transfer-Encoding: 7bit\r\nContent-Type: multipart/mixed", "pr??amble", "Gr=C3=BC=C3=9Fe =3D=20\r\nline two=09\r\n--out",
		"--out\r\nContent-Type: text/plain\r\n\r\nplain as it is = \r\n--out", "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n",
		"Content-Transfer-Encoding: quoted-printable\r\nContent-Type: text/plain; charset=utf-8\r\n\r\ninner t=C3=A9xt\r\n--in",
		"Content-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n", "??pilogue",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

// TestAsSevenBitRoot: a message of one part, with and without the fields of MIME, short
// and long, in long lines as well.
func TestAsSevenBitRoot(t *testing.T) {
	for _, c := range []struct{ head, want string }{
		{"Subject: x\r\n", "Content-Transfer-Encoding: quoted-printable\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nSubject: x\r\n\r\n"},
		{"MIME-Version: 1.0\r\nContent-Type: text/html; charset=latin1\r\nContent-Transfer-Encoding: 8BIT\r\nX: y\r\n", "MIME-Version: 1.0\r\nContent-Type: text/html; charset=latin1\r\nContent-Transfer-Encoding: quoted-printable\r\nX: y\r\n\r\n"},
		{"Content-Type: a/b\r\n", "Content-Transfer-Encoding: base64\r\nMIME-Version: 1.0\r\nContent-Type: a/b\r\n\r\n"},
	} {
		for _, n := range []int{1, 3000} {
			in := c.head + "\r\n" + strings.Repeat("\u00e9 and more ", n) + "\r\n"
			out, err := asSevenBit(t, in)
			if err != nil || !strings.HasPrefix(out, c.want) && n == 1 || fmt.Sprint(leaves(out)) != fmt.Sprint(leaves(in)) {
				t.Errorf("%q: %v\n%.300s", c.head, err, out)
			}
		}
	}
	long := "Content-Type: text/plain\r\n\r\n" + strings.Repeat("\u00e9 line\r\n", 20_000)
	out, err := asSevenBit(t, long)
	if err != nil || !strings.Contains(out[:200], "base64") || fmt.Sprint(leaves(out)) != fmt.Sprint(leaves(long)) {
		t.Errorf("a long one: %v\n%.300s", err, out)
	}
	plain := "Subject: x\r\n\r\nplain\r\n"
	if out, err := asSevenBit(t, plain); err != nil || out != plain {
		t.Errorf("one in 7 bits was changed: %q, %v", out, err)
	}
}

// TestAsSevenBitRefuses: what cannot be converted is told, and never changed.
func TestAsSevenBitRefuses(t *testing.T) {
	signed := "Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\n\xc3\xa9\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\nsig\r\n--s--\r\n"
	for in, want := range map[string]error{
		signed: ErrSigned,
		"Content-Type: message/rfc822\r\n\r\n" + signed:                       ErrSigned,
		"Subject: \xc3\xa9\r\n\r\nx\r\n":                                      ErrEightBitHeader,
		"Content-Transfer-Encoding: base64\r\n\r\n\xc3\xa9\r\n":               nil,
		"Content-Type: message/external-body; x=y\r\n\r\nA: \xc3\xa9\r\n\r\n": nil,
	} {
		out, err := asSevenBit(t, in)
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%.60q became %.60q, %v", in, out, err)
		}
	}
}

// FuzzAsSevenBit: whatever it is given, what comes out is in 7 bits, and each part has
// what it had.
func FuzzAsSevenBit(f *testing.F) {
	f.Add([]byte(nested))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\n\xff=\r\n--a\r\n\r\n--a--"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 16<<10 {
			return
		}
		out, err := asSevenBit(t, string(in))
		if err != nil {
			return
		}
		if bytes.Equal(in, []byte(out)) {
			return
		}
		got, want := leaves(out), leaves(string(in))
		if len(got) != len(want) {
			t.Fatalf("%d leaves became %d\n%q\n%q", len(want), len(got), in, out)
		}
	})
}

// TestQuote: quoted-printable of any text is undone to the same, in lines of 76.
func TestQuote(t *testing.T) {
	for range 200 {
		raw := make([]byte, rand.IntN(400))
		for i := range raw {
			raw[i] = " \t=aZ~\xc3\xa9"[rand.IntN(8)]
		}
		text := bytes.ReplaceAll(raw, []byte("Z~"), []byte("\r\n"))
		out := quote(text)
		var dec qpDecoder
		back := dec.finish(dec.decode(nil, out))
		if !bytes.Equal(back, text) {
			t.Fatalf("%q is %q, and undone %q", text, out, back)
		}
		for _, line := range bytes.Split(out, []byte("\r\n")) {
			if len(line) > 76 {
				t.Fatalf("a line of %d: %q", len(line), line)
			}
		}
	}
}
