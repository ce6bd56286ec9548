package outbound

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/route"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// FuzzServer is a server that says whatever it likes, whatever it is asked.
// Every recipient has an answer all the same; delivered is only what a 2yz after
// a 354 said, and refused for good only what a 5yz said.
func FuzzServer(f *testing.F) {
	f.Add("220 hi\r\n250-x\r\n250 PIPELINING\r\n250 ok\r\n250 ok\r\n550 5.1.1 no\r\n354 go\r\n250 done\r\n")
	f.Add("220 hi\r\n500 what\r\n250 hi\r\n250 ok\r\n250 ok\r\n251 ok\r\n354 go\r\n554 spam\r\n221 bye\r\n")
	f.Add("220 hi\r\n250-x\r\n250-STARTTLS\r\n250-DSN\r\n250-SIZE 1\r\n250 LIMITS RCPTMAX=1\r\n220 go\r\n\x16\x03\x01")
	if suites := os.Getenv("FOREPOST_SUITES"); suites != "" {
		paths, _ := filepath.Glob(filepath.Join(suites, "smtp-dialogs-chasquid", "*"))
		for _, path := range paths {
			if text, err := os.ReadFile(path); err == nil {
				f.Add(replies(string(text)))
			}
		}
	}
	f.Fuzz(func(t *testing.T, said string) {
		client, server := net.Pipe()
		defer client.Close()
		done := make(chan struct{})
		go func() {
			defer close(done)
			go io.Copy(io.Discard, server)
			io.WriteString(server, said)
			server.Close()
		}()
		o := Options{Hostname: "gate.test", Finder: finder{{Name: "mx1.test", Addrs: someAddr}}, Dialer: once(client), KeepIdle: -1}
		as := NewSMTP(o).For(&route.Route{}).Deliver(t.Context(), envelope("b@to.test", "c@to.test"), &mail.Message{Blob: mail.Bytes(message)})
		for i, a := range as {
			switch {
			case a.To != i || a.Outcome == 0:
				t.Errorf("recipient %d has no answer: %+v", i, a)
			case a.Outcome == queue.Delivered && (!strings.Contains(said, "354") || !strings.HasPrefix(a.Said, "2")):
				t.Errorf("recipient %d was delivered by %q", i, said)
			case a.Outcome == queue.Hard && a.Reply.Class != mail.Permanent, a.Outcome == queue.Soft && a.Reply.Class != mail.Transient:
				t.Errorf("recipient %d: outcome %d with %v", i, a.Outcome, a.Reply)
			case a.Outcome == queue.Hard && !strings.Contains(said, "5"):
				t.Errorf("recipient %d was refused by %q", i, said)
			}
		}
		client.Close()
		<-done
	})
}

// replies are the lines that a server says in a script: "c <- 250 ok".
func replies(script string) string {
	var b strings.Builder
	for line := range strings.Lines(script) {
		for _, mark := range []string{" <- ", " <~ ", " <... "} {
			if _, say, ok := strings.Cut(line, mark); ok {
				b.WriteString(strings.TrimSpace(say) + "\r\n")
			}
		}
	}
	return b.String()
}
