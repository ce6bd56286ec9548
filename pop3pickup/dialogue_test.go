package pop3pickup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDialogues plays the files in testdata/dialogues:
//
//	# a comment: why the case exists
//	config delete=keep expire=30d   how the server is set up
//	message                         followed by an indented message, for INBOX
//	from 192.0.2.1:9                begins a session (default: from this machine)
//	login                           USER and PASS, and their answers
//	C: line                         the client says it, with CRLF; \xNN, \r, \n as in Go
//	S: line                         the server says it; "..." at the end for anything
//	end                             the server closes the connection
//	drop                            the client closes it
//	left a b                        the first lines of what is in INBOX now
func TestDialogues(t *testing.T) {
	files, err := filepath.Glob("testdata/dialogues/*.txt")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d dialogues, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			play(t, strings.Split(string(text), "\n"))
		})
	}
}

// player is a dialogue being played.
type player struct {
	t *testing.T
	c Config
	h *house
	*client
	msg     []string
	reading bool
}

func play(t *testing.T, lines []string) {
	p := &player{t: t, c: Config{LoginDelay: 0}}
	for _, l := range lines {
		if p.reading && (strings.HasPrefix(l, "\t") || l == "") {
			p.msg = append(p.msg, strings.TrimPrefix(l, "\t"))
			continue
		}
		p.endMessage()
		if l != "" && !strings.HasPrefix(l, "#") {
			p.line(l)
		}
	}
}

func (p *player) house() *house {
	if p.h == nil {
		p.h = build(p.t, p.c)
	}
	return p.h
}

// endMessage puts a message into INBOX; the empty line that parts it from what
// follows in the file is not its own.
func (p *player) endMessage() {
	if p.reading {
		p.house().put(strings.TrimSuffix(strings.Join(p.msg, "\n")+"\n", "\n\n") + "\n")
	}
	p.reading, p.msg = false, nil
}

func (p *player) line(l string) {
	p.t.Helper()
	word, arg, _ := strings.Cut(l, " ")
	switch word {
	case "config":
		p.config(arg)
	case "message":
		p.reading = true
	case "from":
		p.client = p.house().dial(arg)
	case "login":
		p.client = p.house().login()
	case "drop":
		p.conn.Close()
		p.client = nil
		p.h.s.work.Wait()
	case "left":
		p.h.s.work.Wait()
		if got := p.h.left(); got != arg {
			p.t.Fatalf("left is %q, want %q", got, arg)
		}
	case "C:", "S:", "end":
		p.talk(word, arg)
	default:
		p.t.Fatalf("the dialogue has a line %q", l)
	}
}

func (p *player) talk(word, arg string) {
	p.t.Helper()
	if p.client == nil {
		p.client = p.house().dial(local)
	}
	p.client.t = p.t
	switch word {
	case "C:":
		arg = strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\0`, "\x00").Replace(arg)
		p.send(arg)
	case "S:":
		p.expect(arg)
	case "end":
		p.expectEnd()
		p.client = nil
	}
}

func (p *player) config(arg string) {
	p.t.Helper()
	for _, kv := range strings.Fields(arg) {
		k, v, _ := strings.Cut(kv, "=")
		d, _ := time.ParseDuration(v)
		switch k {
		case "delete":
			p.c.Delete = v
		case "cleartext":
			p.c.AllowCleartext = v == "yes"
		case "retention":
			p.c.Retention = d
		case "delay":
			p.c.LoginDelay = d
		case "perclient":
			p.c.MaxPerClient = int(v[0] - '0')
		default:
			p.t.Fatalf("the dialogue sets %q", k)
		}
	}
}
