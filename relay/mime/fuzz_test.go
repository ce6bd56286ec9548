package mime

import (
	"os"
	"testing"
)

// FuzzParser: any octets, in any pieces, give the same tree, whose spans nest.
func FuzzParser(f *testing.F) {
	f.Add([]byte("From: a@b.test\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n"), 3)
	f.Add([]byte("Content-Type: message/rfc822; name*0*=utf-8''%41; name*1=b\r\n\r\nA: (b\r\n\r\n"), 1)
	for _, make := range bombs {
		f.Add([]byte(make(50)), 7)
	}
	if os.Getenv("FOREPOST_SUITES") != "" {
		for _, msg := range suiteFiles(f, mimeSuites...) {
			if len(msg) < 10000 {
				f.Add(msg, 11)
			}
		}
	}
	f.Fuzz(func(t *testing.T, msg []byte, size int) {
		if size < 1 || size > len(msg) {
			size = max(1, len(msg)/2)
		}
		p := parseWhole(msg)
		if err := checkSpans(p, msg); err != nil {
			t.Fatal(err)
		}
		if dump(parsePieces(msg, size)) != dump(p) {
			t.Fatalf("differs in pieces of %d", size)
		}
		readAll(t, "fuzz", p, msg)
	})
}

// BenchmarkParser8K is the work for a message of 8 KiB.
func BenchmarkParser8K(b *testing.B) {
	msg := []byte("From: a@b.test\r\nTo: c@d.test\r\nSubject: x\r\nDate: Mon, 23 Nov 2026 07:00:00 +0000\r\nMessage-ID: <x@b.test>\r\n\r\n")
	for len(msg) < 8<<10 {
		msg = append(msg, "The quick brown fox jumps over the lazy dog, and again and again and again.\r\n"...)
	}
	b.SetBytes(int64(len(msg)))
	b.ReportAllocs()
	for b.Loop() {
		p := NewParser(Limits{})
		p.Write(msg)
		p.Close()
	}
}
