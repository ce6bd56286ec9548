package dns

import (
	"testing"
	"time"

	mdns "github.com/miekg/dns"
)

// TestTCPTrickle is threats.md "DNS resolver DoS": an answer that was cut off, and a server that hands the rest out an octet at
// a time: the question ends when its time is up, not when the server likes.
func TestTCPTrickle(t *testing.T) {
	l, pc, err := listenBoth("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop); l.Close(); pc.Close() })
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			q := new(mdns.Msg)
			if q.Unpack(buf[:n]) == nil {
				m := good(q)
				m.Answer, m.Truncated = nil, true
				pc.WriteTo(pack(m), from)
			}
		}
	}()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				conn.Write([]byte{0xff, 0xff}) // 65535 octets are to come
				tick := time.NewTicker(5 * time.Millisecond)
				defer tick.Stop()
				for {
					select {
					case <-stop:
						return
					case <-tick.C:
						if _, err := conn.Write([]byte{0}); err != nil {
							return
						}
					}
				}
			}()
		}
	}()
	cl := NewClient(ClientOptions{Servers: []string{l.Addr().String()}, Timeout: 50 * time.Millisecond})
	start := time.Now()
	if got := outcome(cl.Query(t.Context(), "a.test", mdns.TypeA)); got != "timeout" {
		t.Errorf("got %s", got)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}
