package outbound

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/route"
)

// write sends text in pieces of n octets, and the rest as the last ones.
func write(text string, n int) string {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	d := &dataWriter{w: w}
	p := []byte(text + strings.Repeat("-", dotLen))[:len(text)]
	for ; len(p) >= n; p = p[n:] {
		d.Write(p[:n])
	}
	d.last(p)
	w.Flush()
	return b.String()
}

// piecemeal reads n octets at once, at most.
type piecemeal struct {
	r io.Reader
	n int
}

func (p piecemeal) Read(b []byte) (int, error) { return p.r.Read(b[:min(p.n, len(b))]) }

// FuzzLineReader looks for line ends that come out as anything but CRLF, and for what
// is changed besides them.
func FuzzLineReader(f *testing.F) {
	f.Add("a\r\nb\r\n", 3)
	f.Add("a\r\r\n\nb\r", 2)
	lines := strings.NewReplacer("\r\n", "\n", "\r", "\n")
	f.Fuzz(func(t *testing.T, text string, n int) {
		l := newLineReader(piecemeal{strings.NewReader(text), 1 + max(n, -n)%1000})
		defer l.giveBack()
		got, err := io.ReadAll(l)
		want := lines.Replace(text)
		if want != "" && !strings.HasSuffix(want, "\n") {
			want += "\n"
		}
		if want = strings.ReplaceAll(want, "\n", "\r\n"); err != nil || string(got) != want {
			t.Errorf("%q came out as %q, %v", text, got, err)
		}
	})
}

func TestDataWriter(t *testing.T) {
	cases := []struct{ why, in, want string }{
		{"as it is", "a\r\nb\r\n", "a\r\nb\r\n.\r\n"},
		{"nothing", "", ".\r\n"},
		{"no end of the last line", "a", "a\r\n.\r\n"},
		{"a CR for the end of the last line", "a\r", "a\r\n.\r\n"},
		{"a dot at the beginning of the message", ".", "..\r\n.\r\n"},
		{"dots within lines", "a.\r\nb.c\r\n", "a.\r\nb.c\r\n.\r\n"},
		{"dots after each sort of line end", "\r\n.\n.\r.", "\r\n..\r\n..\r\n..\r\n.\r\n"},
		{"LF . LF", "a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"},
		{"CR . CR", "a\r.\rb", "a\r\n..\r\nb\r\n.\r\n"},
		{"CR CR LF is two line ends", "a\r\r\n.\r\n", "a\r\n\r\n..\r\n.\r\n"},
		{"empty lines", "\n\n\r\r\r\n", "\r\n\r\n\r\n\r\n\r\n.\r\n"},
		{"NUL is an octet", "a\r\x00\n.\r\n", "a\r\n\x00\r\n..\r\n.\r\n"},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			for n := 1; n <= len(c.in)+1; n++ { // wherever the pieces end
				if got := write(c.in, n); got != c.want {
					t.Errorf("in pieces of %d: got %q, want %q", n, got, c.want)
				}
			}
		})
	}
}

// unstuff reads DATA as a server does that knows CRLF only.
func unstuff(t *testing.T, wire string) string {
	body, ok := strings.CutSuffix(wire, ".\r\n")
	if !ok || body != "" && !strings.HasSuffix(body, "\r\n") {
		t.Fatalf("no end: %q", wire)
	}
	var out strings.Builder
	for line := range strings.Lines(body) {
		bare, ok := strings.CutSuffix(line, "\r\n")
		if !ok || strings.Contains(bare, "\r") {
			t.Fatalf("a bare CR or LF went out: %q", wire)
		}
		if bare == "." {
			t.Fatalf("an end before the end: %q", wire)
		}
		out.WriteString(strings.TrimPrefix(bare, ".") + "\r\n")
	}
	return out.String()
}

// FuzzDataWriter looks for a message that ends before its end (SMTP smuggling)
// or comes out changed in anything but its line ends.
func FuzzDataWriter(f *testing.F) {
	f.Add("a\r\n.\r\nb", 2)
	f.Add("\r\r\n.\n\r.", 1)
	if suites := os.Getenv("FOREPOST_SUITES"); suites != "" {
		filepath.WalkDir(filepath.Join(suites, "smtp-smuggling"), func(path string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				if text, err := os.ReadFile(path); err == nil {
					f.Add(string(text), 7)
				}
			}
			return nil
		})
	}
	lines := strings.NewReplacer("\r\n", "\n", "\r", "\n")
	f.Fuzz(func(t *testing.T, text string, n int) {
		if n < 1 || n > 1<<20 {
			n = 1
		}
		got := lines.Replace(unstuff(t, write(text, n)))
		want := lines.Replace(text)
		if want != "" && !strings.HasSuffix(want, "\n") {
			want += "\n"
		}
		if got != want {
			t.Errorf("%q came out as %q", text, got)
		}
	})
}

// FuzzResponse looks for a server that stops us, and for codes out of range.
func FuzzResponse(f *testing.F) {
	f.Add([]byte("250-a\r\n250 2.0.0 b\r\n"))
	f.Add([]byte("550 5.1.1\r\n"))
	f.Add([]byte("421\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := readResponse(bufio.NewReaderSize(bytes.NewReader(data), maxReplyLine))
		if err != nil {
			return
		}
		if r.code < 200 || r.code > 599 || strings.ContainsAny(r.text, "\r\x00\x1b") || strings.ContainsAny(r.said(), "\r\n") {
			t.Errorf("%q was read as %+v", data, r)
		}
		if c := r.class(); c == 4 || c == 5 {
			if re := r.reply(); re.Code() != r.code || int(re.Class) != c || re.Subject[0] > 999 || re.Subject[1] > 999 {
				t.Errorf("%q was read as %v", data, re)
			}
		}
		extensions(r.text)
	})
}

func TestResponses(t *testing.T) {
	cases := []struct{ why, in, reply string }{
		{"codes", "550 5.7.1 no\r\n", "550 5.7.1 no"},
		{"lines, each with its code", "550-5.7.1 no\r\n550-5.7.1 not\r\n550 5.7.1 you\r\n", "550 5.7.1 no not you"},
		{"an enhanced code only", "450 4.2.1\r\n", "450 4.2.1 "},
		{"no text", "550\r\n", "550 5.2.0 "},
		{"the class of the basic code counts", "450 5.1.1 later\r\n", "450 4.1.1 later"},
		{"a version is no code", "550 5.1.2.3 no\r\n", "550 5.2.0 5.1.2.3 no"},
		{"nor is this", "550 5.1.9999 no\r\n", "550 5.2.0 5.1.9999 no"},
		{"nor this", "550 3.1.1 no\r\n", "550 5.2.0 3.1.1 no"},
		{"octets that are no text", "550 a\x07\xff\u0085b\r\n", "550 5.2.0 a???b"},
		{"UTF-8 is text, RFC 6531 3.7.4", "550 5.1.1 \u00e9\r\n", "550 5.1.1 \u00e9"},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			r, err := readResponse(bufio.NewReaderSize(strings.NewReader(c.in), maxReplyLine))
			if err != nil || r.reply().String() != c.reply {
				t.Errorf("got %q, %v, want %q", r.reply(), err, c.reply)
			}
		})
	}
}

// brokenBlob cannot be read to its end.
type brokenBlob struct{ mail.Bytes }

func (b brokenBlob) Open() (mail.BlobReader, error) {
	r, _ := b.Bytes.Open()
	return brokenReader{r}, nil
}

type brokenReader struct{ mail.BlobReader }

func (r brokenReader) Read(p []byte) (int, error) {
	n, err := r.BlobReader.Read(p[:min(len(p), 5)])
	if err != nil {
		err = errors.New("disk trouble")
	}
	return n, err
}

// A message that our disk does not give to its end must not arrive as a
// shorter one.
func TestUnreadableMessage(t *testing.T) {
	script := plain + `
		C: MAIL FROM:<a@from.test>
		C: RCPT TO:<b@to.test>
		C: DATA
		S: 250 ok
		S: 250 ok
		S: 354 go on
		eof`
	c := NewSMTP(options(t, hosts(fake(t, script))))
	as := c.For(&route.Route{}).Deliver(t.Context(), envelope("b@to.test"), &mail.Message{Blob: brokenBlob{mail.Bytes("Subject: x\r\n\r\n")}})
	check(t, show(as), "soft 451 4.3.0 The message cannot be read here: disk trouble")
	env := envelope("b@to.test")
	env.SMTPUTF8 = true
	as = c.For(&route.Route{}).Deliver(t.Context(), env, &mail.Message{Blob: brokenBlob{mail.Bytes("Subject: x\r\n")}})
	check(t, show(as), "soft 451 4.3.0 The message cannot be read here: disk trouble")
}
