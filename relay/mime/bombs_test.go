package mime

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/meter/metertest"
)

// bombs are messages that are dear to careless parsers, of a size n.
var bombs = map[string]func(n int) string{
	"nested multiparts": func(n int) string {
		var b strings.Builder
		for i := 0; i < n; i++ {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
		}
		return b.String()
	},
	"nested messages": func(n int) string { return strings.Repeat("Content-Type: message/rfc822\r\n\r\n", n) },
	"empty parts": func(n int) string {
		return "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\n", n)
	},
	"one boundary for all": func(n int) string {
		return strings.Repeat("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", n)
	},
	"To fields":       func(n int) string { return strings.Repeat("To: a@b.test\r\n", n) + "\r\n" },
	"addresses":       func(n int) string { return "To: " + strings.Repeat("a@b.test, ", n) + "\r\n\r\n" },
	"a phrase":        func(n int) string { return "From: " + strings.Repeat("word ", n) + "<a@b.test>\r\n\r\n" },
	"nested comments": func(n int) string { return "From: " + strings.Repeat("(", n) + "\r\n\r\n" },
	"closed comments": func(n int) string { return "From: " + strings.Repeat("(x)", n) + "\r\n\r\n" },
	"broken words":    func(n int) string { return "Subject: " + strings.Repeat("=?utf-8?q?x", n) + "\r\n\r\n" },
	"word beginnings": func(n int) string { return "Subject: " + strings.Repeat("=?", n) + "\r\n\r\n" },
	"many words":      func(n int) string { return "Subject: " + strings.Repeat("=?utf-8?q?x?= ", n) + "\r\n\r\n" },
	"parameters":      func(n int) string { return "Content-Type: a/b" + strings.Repeat("; a=b", n) + "\r\n\r\n" },
	"pieces": func(n int) string {
		var b strings.Builder
		for i := n; i > 0; i-- {
			fmt.Fprintf(&b, "; name*%d=x", i)
		}
		return "Content-Type: a/b" + b.String() + "\r\n\r\n"
	},
	"one name twice":   func(n int) string { return "Content-Type: a/b" + strings.Repeat("; name=x", n) + "\r\n\r\n" },
	"folds":            func(n int) string { return "X: " + strings.Repeat("\r\n y", n) + "\r\n\r\n" },
	"types":            func(n int) string { return strings.Repeat("Content-Type: a/b; name=x\r\n", n) + "\r\n" },
	"no line end":      func(n int) string { return strings.Repeat("x", 10*n) },
	"quotes":           func(n int) string { return "To: " + strings.Repeat(`"a" `, n) + "\r\n\r\n" },
	"domain literals":  func(n int) string { return "To: a@" + strings.Repeat("[", n) + "\r\n\r\n" },
	"angle brackets":   func(n int) string { return "To: " + strings.Repeat("<", n) + "\r\n\r\n" },
	"unclosed bracket": func(n int) string { return "To: " + strings.Repeat("<a@b.test ", n) + "\r\n\r\n" },
}

// TestBombs: eight times as much may take some eight times as long, not sixty.
func TestBombs(t *testing.T) {
	n := 20000
	if testing.Short() {
		n = 4000
	}
	for name, make := range bombs {
		few, many := []byte(make(n)), []byte(make(8*n))
		small := max(metertest.CPU(t, func() { walk(t, name, few) }), time.Millisecond)
		if large := metertest.Least(t, 24*small, 3, func() { walk(t, name, many) }); large > 24*small {
			t.Errorf("%s: %v of processor time grew to %v", name, small, large)
		}
	}
}

func walk(t *testing.T, name string, msg []byte) {
	p := parseWhole(msg)
	readAll(t, name, p, msg)
	if err := checkSpans(p, msg); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// TestLimits: what is kept stays within the limits, and it is told.
func TestLimits(t *testing.T) {
	l := Limits{HeaderBytes: 1000, Fields: 10, Parts: 5, Depth: 4}
	for _, c := range []struct {
		name string
		n    int
	}{{"nested multiparts", 20}, {"nested messages", 20}, {"empty parts", 20}, {"To fields", 20}, {"folds", 1000}, {"addresses", 1000}} {
		parser := NewParser(l)
		parser.Write([]byte(bombs[c.name](c.n)))
		p := parser.Close()
		if !p.Has(DefectLimit) {
			t.Errorf("%s: no defect %s", c.name, DefectLimit)
		}
		parts, kept := 0, 0
		p.Walk(func(q *Part) bool {
			parts++
			for _, f := range q.Fields {
				kept += len(f.Name) + len(f.Raw)
			}
			if len(q.Fields) > l.Fields {
				t.Errorf("%s: %d fields", c.name, len(q.Fields))
			}
			return true
		})
		if parts > l.Parts || kept > l.HeaderBytes || depth(p) > l.Depth {
			t.Errorf("%s: %d parts, %d octets, %d deep", c.name, parts, kept, depth(p))
		}
	}
	if p := parseWhole([]byte(bombs["parameters"](2 * maxParams))); !p.Has(DefectLimit) {
		t.Error("parameters that were not looked at are not told of")
	}
	if list, ok := Mailboxes(strings.Repeat("a@b.test,", 2*maxMailboxes)); len(list) != maxMailboxes || ok {
		t.Errorf("%d mailboxes, %v", len(list), ok)
	}
}

func depth(p *Part) int {
	d := 0
	for _, q := range append(p.Parts[:len(p.Parts):len(p.Parts)], p.Message) {
		if q != nil {
			d = max(d, depth(q))
		}
	}
	return d + 1
}
