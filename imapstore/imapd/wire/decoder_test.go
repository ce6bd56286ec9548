package wire

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func decode(s string) (*Decoder, *int) {
	asked := 0
	d := NewDecoder(strings.NewReader(s), Limits{Line: 200, Literal: 20, Drain: 100})
	d.Continue = func() error { asked++; return nil }
	d.Begin()
	return d, &asked
}

func TestTokens(t *testing.T) {
	for _, c := range []struct {
		why, in, want string
		read          func(d *Decoder) string
	}{
		{"a tag may hold ]", "a]1 ", "a]1", (*Decoder).Tag},
		{"a tag ends at +", "a+ ", "a", (*Decoder).Tag},
		{"an atom ends at a closing bracket", "BODY[] ", "BODY[", (*Decoder).Atom},
		{"a label ends at [", "body.peek[", "BODY.PEEK", (*Decoder).Label},
		{"flags keep their case", `\Seen)`, `\Seen`, (*Decoder).Flag},
		{"quoting", `"a\"b\\c" `, `a"b\c`, (*Decoder).AString},
		{"empty string", `"" `, "", (*Decoder).AString},
		{"8-bit in quotes is UTF-8", "\"\u00fc\" ", "\u00fc", (*Decoder).AString},
		{"literal", "{3}\r\na\r\n ", "a\r\n", (*Decoder).Text},
		{"non-synchronising literal", "{3+}\r\n({} ", "({}", (*Decoder).Text},
		{"patterns have wildcards", "a%/* ", "a%/*", (*Decoder).ListMailbox},
	} {
		d, _ := decode(c.in)
		if got := c.read(d); got != c.want || d.Err() != nil {
			t.Errorf("%s: %q: got %q, %v; want %q", c.why, c.in, got, d.Err(), c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		why, in string
		read    func(d *Decoder)
	}{
		{"NUL in an atom", "a\x00b\r\n", func(d *Decoder) { d.Atom(); d.End() }},
		{"NUL in a literal", "{3+}\r\na\x00b\r\n", func(d *Decoder) { d.Text(); d.End() }},
		{"bare LF is no line end", "a\nb\r\n", func(d *Decoder) { d.Atom(); d.End() }},
		{"bare CR is no line end", "a\rb\r\n", func(d *Decoder) { d.Atom(); d.End() }},
		{"a quoted string stays on its line", "\"a\r\nb\"\r\n", func(d *Decoder) { d.Text() }},
		{"only two characters are quoted", "\"a\\nb\"\r\n", func(d *Decoder) { d.Text() }},
		{"latin1 in quotes", "\"\xfc\"\r\n", func(d *Decoder) { d.Text() }},
		{"a number of 64 bits", "99999999999999999999\r\n", func(d *Decoder) { d.Number64() }},
		{"a number over 32 bits", "4294967296\r\n", func(d *Decoder) { d.Number() }},
		{"message 0", "0:3\r\n", func(d *Decoder) { d.Set() }},
		{"a set ends in a comma", "1,\r\n", func(d *Decoder) { d.Set() }},
		{"a date that is none", "\"45-Foo-2020 00:00:00 +0000\"\r\n", func(d *Decoder) { d.DateTime() }},
	} {
		d, _ := decode(c.in)
		c.read(d)
		var e *Error
		if !errors.As(d.Err(), &e) || e.Status != "BAD" {
			t.Errorf("%s: %q: %v", c.why, c.in, d.Err())
		}
	}
}

// After a refused command the next one is read from where it begins, whatever
// the literals in it.
func TestDrainKeepsStep(t *testing.T) {
	for _, c := range []struct {
		why, in string
		asked   int
	}{
		{"plain", "BAD x y z\r\n", 0},
		{"a literal that is not run", "BAD {9+}\r\nx LOGOUT\n more\r\n", 0},
		{"two literals", "BAD {3+}\r\nabc {3+}\r\nabc\r\n", 0},
		{"the client waits for a literal", "BAD {9}\r\n", 0},
		{"too big and on its way", "OK {30+}\r\nz NOOP\r\nz NOOP\r\nz NOOP\r\nxxxxxx\r\n", 0},
		{"too big and waiting", "OK {30}\r\n", 0},
		{"a brace that announces nothing", "BAD {x+}\r\n", 0},
		{"a lone brace", "BAD }\r\n", 0},
		{"taken", "OK {3}\r\nabc tail\r\n", 1},
	} {
		d, asked := decode(c.in + "next\r\n")
		if d.Word() == "OK" {
			d.SP()
			d.Text()
		} else {
			d.Bad("refused")
		}
		if err := d.Drain(); err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		d.Begin()
		if got := d.Atom(); got != "next" || !d.End() {
			t.Errorf("%s: the next command begins with %q", c.why, got)
		}
		if *asked != c.asked {
			t.Errorf("%s: %d continuations", c.why, *asked)
		}
	}
}

func TestFatal(t *testing.T) {
	for _, c := range []struct{ why, in string }{
		{"a line without end", strings.Repeat("a", 1000)},
		{"a literal too long to drain", "{101+}\r\n" + strings.Repeat("a", 200)},
		{"a literal of 2^62", "{4611686018427387904+}\r\n"},
	} {
		d, _ := decode(c.in)
		if c.in[0] == '{' {
			d.Text()
		} else {
			d.Atom()
		}
		var e *Error
		if err := d.Drain(); !errors.As(err, &e) || !e.Fatal {
			t.Errorf("%s: %v", c.why, err)
		}
	}
}

func TestStream(t *testing.T) {
	d, asked := decode("{5}\r\nhello)\r\nnext\r\n")
	s := d.Stream(10, nil)
	b, err := io.ReadAll(s)
	if string(b) != "hello" || err != nil || *asked != 1 {
		t.Fatalf("%q, %v", b, err)
	}
	d.Expect(')')
	if !d.End() {
		t.Fatal(d.Err())
	}
	d.Begin()
	if d.Atom() != "next" {
		t.Error("out of step behind a stream")
	}
}

func TestStreamRefused(t *testing.T) {
	d, asked := decode("{5+}\r\nhello)\r\nnext\r\n")
	if d.Stream(10, func() *Error { return &Error{Status: "NO", Text: "no mailbox"} }) != nil || *asked != 0 {
		t.Fatal("taken")
	}
	if err := d.Drain(); err != nil {
		t.Fatal(err)
	}
	d.Begin()
	if d.Atom() != "next" {
		t.Error("out of step behind a refused stream")
	}
}

// A big message for a mailbox that is not there is read in vain, so that the
// client hears why.
func TestStreamRefusedBeyondDrain(t *testing.T) {
	d, _ := decode("{150+}\r\n" + strings.Repeat("a", 150) + "\r\nnext\r\n")
	d.Stream(200, func() *Error { return &Error{Status: "NO", Text: "no mailbox"} })
	var e *Error
	if err := d.Drain(); err != nil || !errors.As(d.Err(), &e) || e.Text != "no mailbox" {
		t.Fatal(err, d.Err())
	}
	d.Begin()
	if d.Atom() != "next" {
		t.Error("out of step")
	}
}

func TestStreamCutShort(t *testing.T) {
	d, _ := decode("{5+}\r\nhe")
	if _, err := io.ReadAll(d.Stream(10, nil)); err == nil {
		t.Error("a message that ends early was taken")
	}
	if d.Drain() == nil {
		t.Error("the end of the connection went unseen")
	}
}

func FuzzDecoder(f *testing.F) {
	for _, s := range []string{"a NOOP\r\n", "a {3+}\r\nabc {9}\r\n", `a "q\"" (b c) \Seen 1:*,$ 5`, "a {99999999999+}\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		d, _ := decode(in)
		for range 50 {
			d.Begin()
			d.Tag()
			d.SP()
			d.List(func() { d.AString() })
			d.Set()
			d.Label()
			d.Stream(20, nil)
			d.End()
			if d.Drain() != nil {
				return
			}
		}
	})
}
