package imapd

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A dialogue is a text file: what it is for in "#" lines, then what goes over
// the wire. "C:" is a line of the client, "S:" one of the server, in which "..."
// stands for anything; "C2:" and "S2:" are a second connection. A line in Go
// quotes is sent as it is, without a line end. Before them stand directives:
//
//	!message NAME FLAG...   puts testdata/messages/NAME.eml into INBOX
//	!login                  logs in on every connection, in silence
//	!select                 and selects INBOX
//	!remote                 clients come from elsewhere, not from the loopback
//	!tls                    there is a certificate
type dialogue struct {
	t     *testing.T
	h     *house
	conns map[string]*wireClient
	login bool
	open  bool
}

type wireClient struct {
	net.Conn
	r *bufio.Reader
}

func TestDialogues(t *testing.T) {
	files, err := filepath.Glob("testdata/dialogues/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no dialogues", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			t.Parallel()
			runDialogue(t, f)
		})
	}
}

func runDialogue(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := &dialogue{t: t, conns: map[string]*wireClient{}}
	d.h = serve(t, func(c *Config) {
		c.AppendLimit = 100_000
		if strings.Contains(string(text), "\n!tls") {
			c.TLS = testCert()
		}
	})
	if !strings.HasPrefix(string(text), "#") {
		t.Fatalf("%s does not say why it exists", file)
	}
	for n, line := range strings.Split(string(text), "\n") {
		if !d.line(line) {
			t.Fatalf("%s:%d: %s", file, n+1, line)
		}
	}
	for _, c := range d.conns {
		c.Close()
	}
}

func (d *dialogue) line(line string) bool {
	switch {
	case line == "" || line[0] == '#':
	case line[0] == '!':
		d.directive(strings.Fields(line[1:]))
	case line[0] == 'C':
		name, text, ok := strings.Cut(line, ":")
		return ok && d.send(name[1:], strings.TrimPrefix(text, " "))
	case line[0] == 'S':
		name, text, ok := strings.Cut(line, ":")
		return ok && d.expect(name[1:], strings.TrimPrefix(text, " "))
	default:
		return false
	}
	return true
}

func (d *dialogue) directive(words []string) {
	switch words[0] {
	case "message":
		d.h.put(d.t, message(d.t, words[1]), words[2:]...)
		d.h.srv.recents.claim(testUser, d.h.inbox(d.t).Snapshot(), true) // somebody has seen it come
	case "login":
		d.login = true
	case "select":
		d.login, d.open = true, true
	case "remote":
		d.h.client.Store(&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1})
	case "tls":
	default:
		d.t.Fatalf("unknown directive %s", words[0])
	}
}

// conn is the connection of that name; it begins when it is first spoken of.
func (d *dialogue) conn(name string) *wireClient {
	if c := d.conns[name]; c != nil {
		return c
	}
	c, err := net.Dial("tcp", d.h.addr)
	if err != nil {
		d.t.Fatal(err)
	}
	w := &wireClient{c, bufio.NewReader(c)}
	d.conns[name] = w
	if d.login {
		w.silently(d.t, "L LOGIN "+testUser+" "+testPassword)
	}
	if d.open {
		w.silently(d.t, "L SELECT INBOX")
	}
	return w
}

func (w *wireClient) silently(t testing.TB, command string) {
	io.WriteString(w, command+"\r\n")
	for {
		line, err := w.line()
		if err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		if strings.HasPrefix(line, "L ") {
			if !strings.HasPrefix(line, "L OK") {
				t.Fatalf("%s: %s", command, line)
			}
			return
		}
	}
}

func (w *wireClient) line() (string, error) {
	w.SetReadDeadline(time.Now().Add(10 * time.Second))
	line, err := w.r.ReadString('\n')
	if err == nil && !strings.HasSuffix(line, "\r\n") {
		return line, errors.New("a line does not end in CRLF")
	}
	return strings.TrimSuffix(line, "\r\n"), err
}

func (d *dialogue) send(conn, text string) bool {
	raw := text + "\r\n"
	if strings.HasPrefix(text, `"`) {
		s, err := strconv.Unquote(text)
		if err != nil {
			d.t.Fatal(text, err)
		}
		raw = s
	}
	_, err := io.WriteString(d.conn(conn), raw)
	return err == nil
}

func (d *dialogue) expect(conn, want string) bool {
	got, err := d.conn(conn).line()
	if want == "(closed)" {
		if err == nil {
			d.t.Errorf("the server should have closed; it said %q", got)
		}
		return err != nil
	}
	if err != nil {
		d.t.Errorf("want %q, got %q, %v", want, got, err)
		return false
	}
	parts := strings.Split(want, "...")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	if !regexp.MustCompile("^" + strings.Join(parts, ".*") + "$").MatchString(got) {
		d.t.Errorf("\nwant %q\ngot  %q", want, got)
		return false
	}
	return true
}
