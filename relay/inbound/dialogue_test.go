package inbound

import (
	"crypto/tls"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/pipeline"
)

// TestDialogues plays the dialogues of testdata. In a file
//
//	# a line on why it exists
//	site: submission auth     words of siteWords, before anything else
//	rule: rcpt reject bob     a verdict: stage, action, local part (or *)
//	rule: connect@192.0.2.7 drop   the same of one client
//	C: what the client sends, with CRLF behind it; \r \n \0 \xNN are octets
//	C+ the same, without CRLF
//	long: 5000                a line of so many octets
//	S: a whole line of a reply; ID stands for an ID, ... at the end for the rest
//	S closes                  the server closes the connection
//	new                       a new connection
//	queued: 1                 so many entries were queued
//	to: bob@example.com       the recipients of the last entry
//	holds: Subject: x         the last message holds this
//	lacks: Bcc                and not this
//	priority: 3               its MT-PRIORITY
func TestDialogues(t *testing.T) {
	files, err := filepath.Glob("testdata/dialogues/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no dialogues", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) { playDialogue(t, newSite(nil), string(text)) })
		// And with a go-smtp that goes before every line.
		t.Run(name+", with naps", func(t *testing.T) { playDialogue(t, newSite(func(c *Config) { c.restAfter = 1 }), string(text)) })
	}
}

func playDialogue(t *testing.T, s *site, text string) {
	d := &dialogue{t: t, site: s}
	for n, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		d.at = n + 1
		d.step(line)
	}
}

var siteWords = map[string]func(*Config){
	"submission": func(c *Config) { c.Protocol = Submission },
	"lmtp":       func(c *Config) { c.Protocol = LMTP },
	"auth":       func(c *Config) { c.Auth = true },
	"early":      func(c *Config) { c.RejectEarly = true },
	"repair":     func(c *Config) { c.RepairLines = true },
	"relay":      relayFromLoopback,
	"elsewhere":  func(c *Config) { c.RelayFrom = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} },
	"small":      func(c *Config) { c.MaxSize = 1000 },
	"few":        func(c *Config) { c.MaxRecipients = 2 },
	"strict":     func(c *Config) { c.MaxErrors = 3 },
	"xclient":    func(c *Config) { c.XClient = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} },
	"tls":        func(c *Config) { c.TLS = &tls.Config{} }, // offered, not begun
	"hasty":      func(c *Config) { c.DataTime = 200 * time.Millisecond },
	"hops":       func(c *Config) { c.MaxReceived = 2 },
}

type dialogue struct {
	t    *testing.T
	site *site
	c    *client
	at   int
}

func (d *dialogue) step(line string) {
	d.t.Helper()
	word, rest, _ := strings.Cut(line, " ")
	switch {
	case line == "" || word == "#":
	case word == "site:":
		for _, w := range strings.Fields(rest) {
			siteWords[w](&d.site.cfg)
		}
	case word == "rule:":
		d.rule(strings.Fields(rest))
	case word == "C:":
		d.client().send(octets(rest) + "\r\n")
	case word == "C+":
		d.client().send(octets(rest))
	case word == "long:":
		n, _ := strconv.Atoi(rest)
		d.client().send(strings.Repeat("x", n) + "\r\n")
	case line == "S closes":
		d.check(d.client().line(), "EOF")
	case word == "S:":
		said := d.client().line()
		d.check(said, rest)
		if !enhanced(said) {
			d.t.Errorf("line %d: %q has no enhanced code of its class", d.at, said)
		}
	case line == "new":
		d.c = nil
	default:
		d.outcome(word, rest)
	}
}

// plainReplies are those that RFC 2034 section 4 exempts: the greeting, the answers
// to HELO and EHLO, and what is no answer yet.
var plainReplies = regexp.MustCompile(`^(220 mx\.example\.com |250[ -](Hello|mx\.example\.com|PIPELINING|SIZE|8BITMIME|SMTPUTF8|ENHANCEDSTATUSCODES|` +
	`DSN|CHUNKING|BINARYMIME|MT-PRIORITY|LIMITS|STARTTLS|REQUIRETLS|AUTH|XCLIENT)|334 |354 )`)

// enhanced tells whether a line of a reply has a code of RFC 3463, of its own
// class, where it must have one.
func enhanced(line string) bool {
	code, _, _ := strings.Cut(line[min(4, len(line)):], " ")
	return plainReplies.MatchString(line) || isEnhanced(code) && line[0] == code[0]
}

func (d *dialogue) outcome(word, rest string) {
	d.t.Helper()
	last := d.site.spool.count() - 1
	switch word {
	case "queued:":
		d.check(strconv.Itoa(last+1), rest)
	case "to:":
		d.check(d.site.spool.to(), rest)
	case "priority:":
		d.check(strconv.Itoa(int(d.site.spool.committed[last].Envelope.Priority)), rest)
	case "holds:", "lacks:":
		text := d.site.spool.text(d.t, last)
		if strings.Contains(text, octets(rest)) != (word == "holds:") {
			d.t.Errorf("line %d: %s %s, but it is\n%s", d.at, word, rest, text)
		}
	default:
		d.t.Fatalf("line %d: what is %q?", d.at, word)
	}
}

func (d *dialogue) client() *client {
	if d.site.srv == nil {
		d.site.start(d.t)
	}
	if d.c == nil {
		d.c = d.site.dial(d.t)
	}
	return d.c
}

var anID = regexp.MustCompile(`[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{13}`)

func (d *dialogue) check(got, want string) {
	d.t.Helper()
	shown := anID.ReplaceAllString(got, "ID")
	prefix, open := strings.CutSuffix(want, "...")
	if shown == want || open && strings.HasPrefix(shown, prefix) {
		return
	}
	d.t.Fatalf("line %d: got %q, want %q", d.at, got, want)
}

// rule makes the plan give a verdict at a stage, for a recipient or for all.
func (d *dialogue) rule(f []string) {
	before := d.site.plan.run
	stage, client, _ := strings.Cut(f[0], "@")
	d.site.plan.run = func(at pipeline.Stage, tx *pipeline.Transaction) []pipeline.Verdict {
		var vs []pipeline.Verdict
		if before != nil {
			vs = before(at, tx)
		}
		if at.String() != stage || client != "" && tx.Client.String() != client {
			return vs
		}
		v := pipeline.Verdict{To: -1, Action: actionNamed(f[1]), Rule: "test." + stage + "." + f[1], Into: "spam", Partial: pipeline.Quarantine}
		if at < pipeline.Rcpt {
			return []pipeline.Verdict{v}
		}
		if at == pipeline.Rcpt && (f[2] == "*" || tx.To[tx.Current].Address.Local == f[2]) {
			return []pipeline.Verdict{v}
		}
		if at == pipeline.Data && vs == nil {
			vs = make([]pipeline.Verdict, len(tx.To))
		}
		for i := range vs {
			if at == pipeline.Data && (f[2] == "*" || tx.To[i].Address.Local == f[2]) {
				v.To = i
				vs[i] = v
			}
		}
		return vs
	}
}

func actionNamed(name string) pipeline.Action {
	for a := pipeline.None; a <= pipeline.Hold; a++ {
		if a.String() == name {
			return a
		}
	}
	panic(name)
}

// octets undoes the escapes of a dialogue.
func octets(s string) string {
	s = strings.ReplaceAll(s, `\0`, `\x00`)
	u, err := strconv.Unquote(`"` + strings.ReplaceAll(s, `"`, `\"`) + `"`)
	if err != nil {
		panic(s + ": " + err.Error())
	}
	return u
}
