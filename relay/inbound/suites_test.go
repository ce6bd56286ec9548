package inbound

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/sasl"
)

func suite(t testing.TB, name string) string {
	t.Helper()
	root := os.Getenv("FOREPOST_SUITES")
	if root == "" {
		t.Skip("FOREPOST_SUITES is not set")
	}
	return filepath.Join(root, name)
}

// TestSmuggling sends a message in which what looks like the end of the data to
// some servers is followed by a second one, in one piece and in many: there is
// never a second message, and never a stray CR or LF on the way out.
func TestSmuggling(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(suite(t, "smtp-smuggling"), "sequences.json"))
	if err != nil {
		t.Fatal(err)
	}
	var lists map[string][]string
	if err := json.Unmarshal(b, &lists); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, sequences := range lists {
		for _, seq := range append(sequences, `\r.\r`, `\n\x00.\r\n`, `\r\n.\x00\r\n`, `\r\n.\n`, `\n.\r\r\n`, `\r\n..\n`) {
			for _, size := range []int{1 << 20, 1, 3} {
				for _, repair := range []bool{false, true} {
					tried++
					smuggle(t, octets(seq), size, repair)
					smuggleChunks(t, octets(seq), size, repair)
				}
			}
		}
	}
	if tried < 50 {
		t.Errorf("only %d were tried", tried)
	}
}

func smuggle(t *testing.T, seq string, size int, repair bool) {
	t.Helper()
	s := newSite(func(c *Config) { c.RepairLines = repair }).start(t)
	c := s.dial(t)
	text := "EHLO c\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\nFrom: a@b.test\r\n\r\none" +
		seq + "MAIL FROM:<evil@b.test>\r\nRCPT TO:<carol@example.com>\r\nDATA\r\nFrom: evil@b.test\r\n\r\ntwo\r\n.\r\nQUIT\r\n"
	go func() {
		for i := 0; i < len(text); i += size {
			c.send(text[i:min(i+size, len(text))])
		}
	}()
	for l := ""; l != "EOF" && l != "TIMEOUT"; {
		l = c.line()
	}
	if n := s.spool.count(); n > 1 {
		t.Errorf("%q in pieces of %d: %d messages", seq, size, n)
	}
	if s.spool.count() == 1 {
		rest := strings.ReplaceAll(s.spool.text(t, 0), "\r\n", "")
		if strings.ContainsAny(rest, "\r\n\x00") {
			t.Errorf("%q in pieces of %d: stray octets go on: %q", seq, size, rest)
		}
	}
}

// TestSmugglingStepByStep has the same sequences from a client that waits for each reply
// before it goes on, by DATA and by BDAT: after the message the server waits for a
// command, and nothing hidden in the message was one.
func TestSmugglingStepByStep(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(suite(t, "smtp-smuggling"), "sequences.json"))
	if err != nil {
		t.Fatal(err)
	}
	var lists map[string][]string
	if err := json.Unmarshal(b, &lists); err != nil {
		t.Fatal(err)
	}
	for _, sequences := range lists {
		for _, seq := range sequences {
			for _, repair := range []bool{false, true} {
				for _, chunks := range []bool{false, true} {
					smuggleSlowly(t, octets(seq), repair, chunks)
				}
			}
		}
	}
}

func smuggleSlowly(t *testing.T, seq string, repair, chunks bool) {
	t.Helper()
	s := newSite(func(c *Config) { c.RepairLines = repair }).start(t)
	c := s.dial(t).hello()
	c.say("MAIL FROM:<a@b.test>", "250")
	c.say("RCPT TO:<bob@example.com>", "250")
	body := "From: a@b.test\r\n\r\none" + seq + "MAIL FROM:<evil@b.test>\r\nRCPT TO:<carol@example.com>\r\nDATA\r\nFrom: evil@b.test\r\n\r\ntwo\r\n"
	if chunks {
		c.send("BDAT " + strconv.Itoa(len(body)) + " LAST\r\n" + body)
	} else {
		c.say("DATA", "354")
		c.send(body + ".\r\n")
	}
	said := c.reply()
	if taken := strings.HasPrefix(said, "250 2.0.0 Queued"); taken != (s.spool.count() == 1) || !taken && !strings.HasPrefix(said, "554 5.6.0") {
		t.Errorf("%q, repair %v, BDAT %v: %d messages, and it says %q", seq, repair, chunks, s.spool.count(), said)
	}
	if got := c.say("NOOP", "250"); !strings.HasPrefix(got, "250 2.0.0 OK") || s.spool.count() > 1 {
		t.Errorf("%q, repair %v, BDAT %v: then %q, %d messages", seq, repair, chunks, got, s.spool.count())
	}
}

// smuggleChunks does the same with BDAT: the whole of it is one message's chunk,
// or two that part within the sequence, so nothing in it is ever a command.
func smuggleChunks(t *testing.T, seq string, size int, repair bool) {
	t.Helper()
	body := "From: a@b.test\r\n\r\none" + seq +
		"MAIL FROM:<evil@b.test>\r\nRCPT TO:<carol@example.com>\r\nDATA\r\nFrom: evil@b.test\r\n\r\ntwo\r\n.\r\n"
	cut := strings.Index(body, seq) + len(seq)/2
	bare := strings.ContainsAny(strings.ReplaceAll(body, "\r\n", ""), "\r\n")
	for _, chunks := range [][]string{{body}, {body[:cut], body[cut:]}, {body, ""}} {
		s := newSite(func(c *Config) { c.RepairLines = repair })
		in := "EHLO c\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<bob@example.com>\r\n"
		for i, c := range chunks {
			in += "BDAT " + strconv.Itoa(len(c)) + map[bool]string{true: " LAST"}[i == len(chunks)-1] + "\r\n" + c
		}
		talkIn(&s.cfg, []byte(in+"QUIT\r\n"), size)
		want := 1
		if bare && !repair || strings.Contains(seq, "\x00") {
			want = 0
		}
		if s.spool.count() != want {
			t.Errorf("%q in %d chunks, in pieces of %d, repair %v: %d messages, want %d", seq, len(chunks), size, repair, s.spool.count(), want)
			continue
		}
		if want == 0 {
			continue
		}
		if strings.ContainsAny(strings.ReplaceAll(s.spool.text(t, 0), "\r\n", ""), "\r\n\x00") {
			t.Errorf("%q in %d chunks: stray octets go on: %q", seq, len(chunks), s.spool.text(t, 0))
		}
		if to := s.spool.to(); to != "bob@example.com" {
			t.Errorf("%q in %d chunks: it went to %s", seq, len(chunks), to)
		}
	}
}

// TestChasquid plays the dialogues of chasquid, with a segment for each command and
// with one for each octet: the first digits of replies agree with ours.
func TestChasquid(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(suite(t, "smtp-dialogs-chasquid"), "*.cmy"))
	if len(files) == 0 {
		t.Fatal("no dialogues")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { playChasquid(t, file, 1<<20) })
		t.Run(filepath.Base(file)+" octet by octet", func(t *testing.T) { playChasquid(t, file, 1) })
	}
}

func playChasquid(t *testing.T, file string, piece int) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := &chamuyero{t: t, piece: piece, site: newSite(func(c *Config) {
		c.Directory, c.Logins, c.Auth, c.MaxErrors, c.MaxSize = testserver{}, sasl.Passwords(testserver{}.Authenticate), true, 3, 1<<20
		c.TLS, c.AllowCleartext = testTLS(t), false
	})}
	for n, line := range strings.Split(string(text), "\n") {
		p.at = n + 1
		p.step(line)
	}
}

// differently is what we answer otherwise than chasquid, on purpose.
func differently(want string) string {
	if want == "554 5.6.0 Error parsing message" {
		return "250 2.0.0 Queued" // a line that is no field is a defect, which a policy may refuse
	}
	return "no such answer"
}

// chamuyero plays chasquid's little language.
type chamuyero struct {
	t     *testing.T
	site  *site
	c     *client
	at    int
	piece int // octets of a segment
}

// send is what the client says, in segments; what is long goes in larger ones.
func (p *chamuyero) send(text string) {
	p.t.Helper()
	piece := max(p.piece, len(text)/5000)
	for i := 0; i < len(text); i += piece {
		p.c.send(text[i:min(i+piece, len(text))])
	}
}

func (p *chamuyero) step(line string) {
	p.t.Helper()
	line = strings.TrimPrefix(line, "c ")
	op, rest, _ := strings.Cut(line, " ")
	switch op {
	case "", "#", "close":
	case "tcp_connect", "tls_connect":
		p.connect(op == "tls_connect")
	case "->":
		p.send(rest + "\r\n")
	case "~>":
		p.send(pythonBytes(p.t, rest))
	case "<-", "<~":
		if got := p.c.reply(); got[:1] != rest[:1] && !strings.HasPrefix(got, differently(rest)) {
			p.t.Errorf("line %d: got %q, want %q", p.at, got, rest)
		}
	case "<...":
		if got := p.c.reply(); got[:1] != rest[:1] {
			p.t.Errorf("line %d: got %q, want %q", p.at, got, rest)
		}
	default:
		if !strings.HasPrefix(line, "#") {
			p.t.Fatalf("line %d: what is %q?", p.at, line)
		}
	}
}

func (p *chamuyero) connect(tls bool) {
	cfg := p.site.cfg
	cfg.Implicit = tls
	s := *p.site
	s.cfg = cfg
	s.faraway = true // AUTH without TLS is fine on loopback
	s.start(p.t)
	p.c = s.dial(p.t)
	if tls {
		p.c.startTLS()
	}
}

var pyTerm = regexp.MustCompile(`'((?:[^'\\]|\\.)*)'`)
var pyTimes = regexp.MustCompile(`\* (\d+)`)

// pythonBytes understands 'text', sums and products of them, as the dialogues
// have them: ('a' * 899 + '\r\n') * 1165.
func pythonBytes(t *testing.T, expr string) string {
	unit := func(s string) string {
		var b strings.Builder
		for _, term := range strings.Split(s, " + ") {
			m := pyTerm.FindStringSubmatch(term)
			if m == nil {
				t.Fatalf("cannot read %q", expr)
			}
			n := 1
			if k := pyTimes.FindStringSubmatch(term); k != nil {
				n, _ = strconv.Atoi(k[1])
			}
			b.WriteString(strings.Repeat(octets(m[1]), n))
		}
		return b.String()
	}
	if inner, times, ok := strings.Cut(strings.TrimPrefix(expr, "("), ") * "); ok {
		n, err := strconv.Atoi(strings.TrimSpace(times))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Repeat(unit(inner), n)
	}
	return unit(expr)
}

// TestSessions plays recorded and fuzzed sessions of others against the server:
// it answers or hangs up, and lives.
func TestSessions(t *testing.T) {
	s := newSite(func(c *Config) { c.Idle, c.DataTime = 300*time.Millisecond, 300*time.Millisecond }).start(t)
	for _, dir := range []string{"chasquid-smtpsrv", "profuzzbench-smtp"} {
		files, _ := filepath.Glob(filepath.Join(suite(t, "fuzz-seeds"), dir, "*"))
		if len(files) == 0 {
			t.Error("no seeds in", dir)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				continue // a folder
			}
			talk(&s.srv.cfg, b)
		}
	}
	s.dial(t).hello()
	if len(s.panics) > 0 {
		t.Error("panics:", s.panics)
	}
}
