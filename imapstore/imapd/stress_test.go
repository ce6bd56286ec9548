package imapd

import (
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// tracker keeps a mailbox as a client does, from untagged responses alone, and
// finds any that contradicts what came before.
type tracker struct {
	t    *testing.T
	w    *wireClient
	uids []string // by sequence number; "" where not told yet
	tags int
}

var (
	numbered = regexp.MustCompile(`^\* (\d+) (EXISTS|EXPUNGE|FETCH)(.*)$`)
	uidIn    = regexp.MustCompile(`\bUID (\d+)`)
)

// hear takes one line.
func (c *tracker) hear(command, line string) {
	m := numbered.FindStringSubmatch(line)
	if m == nil {
		return
	}
	n, _ := strconv.Atoi(m[1])
	switch {
	case m[2] == "EXISTS" && n < len(c.uids):
		c.t.Errorf("%s: %s, but there are %d", command, line, len(c.uids))
	case m[2] == "EXISTS":
		c.uids = append(c.uids, make([]string, n-len(c.uids))...)
	case n < 1 || n > len(c.uids):
		c.t.Errorf("%s: %s, but there are %d", command, line, len(c.uids))
	case m[2] == "EXPUNGE":
		if strings.HasPrefix(command, "FETCH") || strings.HasPrefix(command, "STORE") || strings.HasPrefix(command, "SEARCH") {
			c.t.Errorf("%s: %s", command, line)
		}
		c.uids = slices.Delete(c.uids, n-1, n)
	default:
		if u := uidIn.FindStringSubmatch(m[3]); u != nil {
			if old := c.uids[n-1]; old != "" && old != u[1] {
				c.t.Errorf("%s: number %d was UID %s and is %s", command, n, old, u[1])
			}
			c.uids[n-1] = u[1]
		}
	}
}

func (c *tracker) command(command string) {
	c.tags++
	tag := fmt.Sprintf("t%d ", c.tags)
	io.WriteString(c.w, tag+command+"\r\n")
	for {
		line, err := c.w.line()
		if err != nil {
			c.t.Errorf("%s: %v", command, err)
			return
		}
		if rest, ok := strings.CutPrefix(line, tag); ok {
			if strings.HasPrefix(rest, "BAD") {
				c.t.Errorf("%s: %s", command, rest)
			}
			return
		}
		c.hear(command, line)
	}
}

// random is a command that fits what the client knows.
func (c *tracker) random(r *rand.Rand) string {
	if len(c.uids) == 0 || r.IntN(6) == 0 {
		return "APPEND INBOX {6+}\r\na: b\r\n"
	}
	n := 1 + r.IntN(len(c.uids))
	set := fmt.Sprintf("%d:%d", n, 1+r.IntN(len(c.uids)))
	return []string{
		"NOOP", "FETCH 1:* UID", "UID FETCH 1:* FLAGS", "FETCH " + set + " (UID BODY.PEEK[TEXT])", "FETCH " + strconv.Itoa(n) + " (UID BODY[])",
		"STORE " + set + " +FLAGS (\\Deleted)", "STORE " + set + " -FLAGS.SILENT (\\Deleted)", "UID STORE 1:* +FLAGS (\\Flagged)",
		"SEARCH DELETED", "UID SEARCH ALL", "COPY " + strconv.Itoa(n) + " INBOX", "MOVE " + strconv.Itoa(n) + " Trash", "EXPUNGE",
	}[r.IntN(13)]
}

// Several clients change one mailbox at once; none is ever told anything that
// contradicts what it knows, and in the end all know the same.
func TestManySessionsKeepStep(t *testing.T) {
	h := serve(t, nil)
	var clients []*tracker
	for range 4 {
		w := dialRaw(t, h)
		w.silently(t, "L LOGIN "+testUser+" "+testPassword)
		w.silently(t, "L SELECT INBOX")
		clients = append(clients, &tracker{t: t, w: w})
	}
	var wg sync.WaitGroup
	for i, c := range clients {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(7, uint64(i)))
			for range 150 {
				c.command(c.random(r))
			}
		})
	}
	wg.Wait()
	for _, c := range clients {
		c.command("NOOP")
		c.command("FETCH 1:* UID")
	}
	want := []string{}
	for _, e := range h.inbox(t).Snapshot().Messages {
		want = append(want, strconv.Itoa(int(e.UID)))
	}
	for i, c := range clients {
		if !slices.Equal(c.uids, want) {
			t.Errorf("client %d knows %v, the mailbox has %v", i, c.uids, want)
		}
	}
}
