package pop3pickup

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestDotWriter(t *testing.T) {
	for in, want := range map[string]string{
		"":                     ".\r\n",
		"a\r\n":                "a\r\n.\r\n",
		"a":                    "a\r\n.\r\n", // the last line gets an end
		"a\r":                  "a\r\n.\r\n",
		".":                    "..\r\n.\r\n",
		".\r\n.\r\n":           "..\r\n..\r\n.\r\n",
		"a\r\n.\r\nDELE 1\r\n": "a\r\n..\r\nDELE 1\r\n.\r\n",
		"a\n.\nb":              "a\r\n..\r\nb\r\n.\r\n", // a bare LF is no way out
		"a\n\n.\n":             "a\r\n\r\n..\r\n.\r\n",
		"\n":                   "\r\n.\r\n",
		"a.\r\n\r\n..b":        "a.\r\n\r\n...b\r\n.\r\n",
		"a\rb\r\n":             "a\rb\r\n.\r\n",
	} {
		for _, size := range []int{1, 2, 100} {
			var out bytes.Buffer
			w := bufio.NewWriter(&out)
			d := newDotWriter(w)
			for p := in; p != ""; p = p[min(size, len(p)):] {
				if _, err := d.Write([]byte(p[:min(size, len(p))])); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			w.Flush()
			if out.String() != want {
				t.Errorf("%q by %d became %q, want %q", in, size, out.String(), want)
			}
		}
	}
}

func TestTopReader(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	for _, c := range []struct {
		in    string
		lines uint64
		want  string
		all   bool
	}{
		{"A: 1\r\n\r\nb\r\nc\r\n", 0, "A: 1\r\n\r\n", false},
		{"A: 1\r\n\r\nb\r\nc\r\n", 1, "A: 1\r\n\r\nb\r\n", false},
		{"A: 1\r\n\r\nb\r\nc\r\n", 2, "A: 1\r\n\r\nb\r\nc\r\n", true},
		{"A: 1\r\n\r\nb\r\nc", 9, "A: 1\r\n\r\nb\r\nc", true},
		{"A: 1\r\n\r\n", 0, "A: 1\r\n\r\n", true},
		{"A: 1\r\n", 0, "A: 1\r\n", true}, // a header only
		{"\r\nbody\r\n", 0, "\r\n", false},
		{"", 3, "", true},
		{"A: " + long + "\r\n\r\n" + long + "\r\nc\r\n", 1, "A: " + long + "\r\n\r\n" + long + "\r\n", false},
		{"A: " + long + "\r\n" + "\r\n\r\n\r\nc", 2, "A: " + long + "\r\n\r\n\r\n\r\n", false}, // empty lines of the body count
	} {
		r := newTopReader(strings.NewReader(c.in), c.lines)
		got, err := io.ReadAll(iotest.OneByteReader(r))
		if err != nil || string(got) != c.want || r.all != c.all {
			t.Errorf("%.30q, %d lines: %.40q of %d octets, all %v, %v", c.in, c.lines, got, len(got), r.all, err)
		}
	}
}

func TestReadLine(t *testing.T) {
	in := "NOOP\r\n" + strings.Repeat("x", 30) + "\r\nbare\nlf\r\na\rb\r\n\r\nnul\x00\r\nend"
	r := bufio.NewReaderSize(strings.NewReader(in), 16)
	for _, want := range []any{"NOOP", errLineLong, errLineEnd, "lf", errLineEnd, "", errLineEnd, io.EOF} {
		got, err := readLine(r, 20)
		if s, ok := want.(string); ok && (err != nil || string(got) != s) {
			t.Errorf("%q, %v; want %q", got, err, s)
		} else if e, ok := want.(error); ok && !errors.Is(err, e) {
			t.Errorf("%q, %v; want %v", got, err, e)
		}
	}
	endless := bufio.NewReader(strings.NewReader(strings.Repeat("x", 1<<20)))
	if _, err := readLine(endless, 255); !errors.Is(err, errLineEndles) {
		t.Errorf("a line without an end: %v", err)
	}
}
