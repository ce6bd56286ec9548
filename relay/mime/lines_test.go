package mime

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/forepost/forepost/relay/mail"
)

func asLines(t *testing.T, msg string) (string, mail.Blob) {
	t.Helper()
	b, err := AsLines(mail.Bytes(msg))
	if err != nil {
		t.Fatal(err)
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
	return string(out), b
}

// TestAsLines: binary parts become base64, those around them 8bit, all else
// stays, and what a reader finds is the same octets.
func TestAsLines(t *testing.T) {
	octets := make([]byte, 100_000)
	for i := range octets {
		octets[i] = byte(rand.Uint32())
	}
	for _, size := range []int{0, 1, 56, 57, 58, 114, 1000, len(octets)} {
		content := string(octets[:size])
		head := "Subject: x\r\nContent-Transfer-Encoding: binary\r\nContent-Type: multipart/mixed; boundary=\"--=_b\"\r\n\r\npreamble\r\n----=_b\r\n"
		text := "Content-Type: text/plain\r\n\r\n\xc3\xa9 as it is\r\n----=_b\r\n"
		bin := "Content-Type: x/y\r\nContent-Transfer-Encoding: BINARY\r\ncontent-transfer-encoding: 7bit\r\n\r\n"
		tail := "\r\n----=_b--\r\nepilogue"
		out, b := asLines(t, head+text+bin+content+tail)
		want := strings.Replace(head, "Encoding: binary", "Encoding: 8bit", 1) + text
		if !strings.HasPrefix(out, want) || !strings.HasSuffix(out, tail) {
			t.Fatalf("%d: %.400q", size, out)
		}
		if strings.ContainsAny(strings.ReplaceAll(out, "\r\n", ""), "\r\n\x00") {
			t.Fatalf("%d: stray octets", size)
		}
		p := parseWhole([]byte(out))
		part := p.Parts[1]
		got, err := io.ReadAll(part.Content(strings.NewReader(out)))
		if err != nil || string(got) != content || part.Encoding != "base64" || len(part.All("Content-Transfer-Encoding")) != 1 {
			t.Errorf("%d: %d octets came back, %v, %+v", size, len(got), err, part.Fields)
		}
		r, err := b.Open()
		if err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(r, []byte(out)); err != nil {
			t.Errorf("%d: %v", size, err)
		}
	}
}

// TestAsLinesWhole: a message that is binary itself, and one inside of another.
func TestAsLinesWhole(t *testing.T) {
	out, _ := asLines(t, "Content-Transfer-Encoding: binary\r\n\r\n\r\x00\n")
	if want := "Content-Transfer-Encoding: base64\r\n\r\nDQAK\r\n"; out != want {
		t.Errorf("%q, want %q", out, want)
	}
	out, _ = asLines(t, "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n\r\nContent-Transfer-Encoding: binary\r\n\r\n\n")
	if want := "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nContent-Transfer-Encoding: base64\r\n\r\nCg==\r\n"; out != want {
		t.Errorf("%q, want %q", out, want)
	}
	plain := "Subject: x\r\n\r\nno binary part\r\n"
	if out, _ = asLines(t, plain); out != plain {
		t.Errorf("%q", out)
	}
}

// TestAsLinesSigned: what is signed is not touched.
func TestAsLinesSigned(t *testing.T) {
	msg := "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: binary\r\n\r\n\n\r\n--b--\r\n"
	if _, err := AsLines(mail.Bytes(msg)); !errors.Is(err, ErrSigned) {
		t.Error(err)
	}
	short := &lined{blob: mail.Bytes("abc"), size: 10, runs: []run{{len: 10, size: 10}}}
	r, _ := short.Open()
	if _, err := io.Copy(&bytes.Buffer{}, r); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("an original that is too short:", err)
	}
}
