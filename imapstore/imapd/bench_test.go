package imapd

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"
)

// benchmarkCommand sends one command again and again and reads the answer.
func benchmarkCommand(b *testing.B, messages int, text []byte, command string) {
	h := serve(b, nil)
	for range messages {
		h.put(b, text, `\Seen`)
	}
	w := dialRaw(b, h)
	w.silently(b, "L LOGIN "+testUser+" "+testPassword)
	w.silently(b, "L SELECT INBOX")
	buf := make([]byte, 64<<10)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		io.WriteString(w, "T "+command+"\r\n")
		tail := []byte{}
		for !bytes.Contains(tail, []byte("\r\nT OK")) {
			m, err := w.r.Read(buf)
			if err != nil {
				b.Fatal(err)
			}
			n += m
			tail = append(tail[max(0, len(tail)-20):], buf[:m]...)
		}
	}
	b.SetBytes(int64(n / b.N))
}

func BenchmarkFetchFlags1000(b *testing.B) {
	benchmarkCommand(b, 1000, []byte("Subject: x\r\n\r\nbody\r\n"), "FETCH 1:* FLAGS")
}

func bodyOf(size int) []byte {
	return append([]byte("Subject: x\r\n\r\n"), strings.Repeat("0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab\r\n", size/62)...)
}

func BenchmarkFetchBody10KiB(b *testing.B) {
	benchmarkCommand(b, 1, bodyOf(10<<10), "FETCH 1 BODY.PEEK[]")
}

func BenchmarkFetchStructure(b *testing.B) {
	benchmarkCommand(b, 100, message(b, "mixed"), "FETCH 1:* (ENVELOPE BODYSTRUCTURE)")
}

func BenchmarkSearchBody(b *testing.B) {
	benchmarkCommand(b, 1000, bodyOf(2<<10), "SEARCH BODY nowhere")
}

// heap is what is in use, the stacks of goroutines too.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// BenchmarkIdleSession shows what an idle session costs, as bytes in use (-benchtime 500x;
// the client's end is in it).
func BenchmarkIdleSession(b *testing.B) {
	h := serve(b, func(c *Config) { c.MaxPerClient, c.MaxSessions = 1<<20, 1<<20 })
	before := heap()
	for range b.N {
		w := dialRaw(b, h)
		w.silently(b, "L LOGIN "+testUser+" "+testPassword)
		w.silently(b, "L SELECT INBOX")
		io.WriteString(w, "T IDLE\r\n")
		w.want(b, "+ idling")
		w.r = nil
	}
	b.ReportMetric(float64(heap()-before)/float64(b.N), "B/session")
}
