package imapd

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/mail"
)

// ImapTest's scripted groups, where FOREPOST_SUITES has them. This runner knows
// as much of their language as the groups use that need what is advertised;
// the judge is the real ImapTest.
func TestImapTestScripts(t *testing.T) {
	suites := os.Getenv("FOREPOST_SUITES")
	if suites == "" {
		t.Skip("FOREPOST_SUITES is not set")
	}
	dir := filepath.Join(suites, "imaptest-scripts")
	rows, err := os.ReadFile(filepath.Join(dir, "caps.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, row := range strings.Split(strings.TrimSpace(string(rows)), "\n") {
		name, rest, _ := strings.Cut(row, "\t")
		if !advertised(rest) || unfit[name] != "" {
			continue
		}
		ran++
		t.Run(name, func(t *testing.T) { newScript(t, dir, name).run() })
	}
	if ran < 30 {
		t.Errorf("only %d groups ran", ran)
	}
}

// unfit are groups that this runner passes over, and why.
var unfit = map[string]string{
	"pipeline":      "it is one raw write; dialogues/pipeline.txt has it",
	"append-binary": "a NUL is refused with UNKNOWN-CTE, as RFC 3516 section 4.4 allows",
}

func advertised(row string) bool {
	caps, _, _ := strings.Cut(strings.TrimPrefix(row, "caps="), "\t")
	have := strings.Fields(strings.ToUpper(capsBefore + capsAfter))
	for _, c := range strings.Fields(strings.ToUpper(caps)) {
		found := false
		for _, h := range have {
			found = found || h == c
		}
		if !found {
			return false
		}
	}
	return true
}

// script is one group.
type script struct {
	t     *testing.T
	h     *house
	state string
	conns int
	count string
	mbox  [][]byte
	dates []time.Time
	next  int
	lines []string
	vars  map[string]string
	wires []*wireClient
}

func newScript(t *testing.T, dir, name string) *script {
	s := &script{t: t, state: "selected", conns: 1, vars: map[string]string{"mailbox": "imaptest", "user": testUser}}
	s.h = serve(t, nil)
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	s.lines = strings.Split(string(text), "\n")
	for len(s.lines) > 0 && s.lines[0] != "" {
		key, value, _ := strings.Cut(s.lines[0], ": ")
		switch key {
		case "state":
			s.state = value
		case "connections":
			s.conns, _ = strconv.Atoi(value)
		case "messages":
			s.count = value
		}
		s.lines = s.lines[1:]
	}
	mbox, err := os.ReadFile(filepath.Join(dir, name+".mbox"))
	if err != nil {
		if mbox, err = os.ReadFile(filepath.Join(dir, "default.mbox")); err != nil {
			t.Fatal(err)
		}
	}
	s.readMbox(mbox)
	s.prepare()
	return s
}

func (s *script) readMbox(b []byte) {
	for _, part := range strings.Split("\n"+string(b), "\nFrom ")[1:] {
		from, text, _ := strings.Cut(part, "\n")
		f := strings.SplitN(strings.TrimSpace(from), " ", 2)
		when := testDate
		for _, layout := range []string{"Mon Jan _2 15:04:05 2006 -0700", "Mon Jan _2 15:04:05 2006"} {
			if d, err := time.Parse(layout, strings.TrimSpace(f[1])); err == nil {
				when = d
				break
			}
		}
		s.mbox = append(s.mbox, crlf([]byte(text+"\n"))) // the empty line before the next belongs to it
		s.dates = append(s.dates, when)
	}
	last := len(s.mbox) - 1
	s.mbox[last] = bytes.TrimSuffix(s.mbox[last], []byte("\r\n"))
}

func (s *script) prepare() {
	a, err := s.h.store.Account(testUser)
	if err != nil {
		s.t.Fatal(err)
	}
	if s.state == "created" || s.state == "selected" {
		if err := a.CreateMailbox(context.Background(), "imaptest", ""); err != nil {
			s.t.Fatal(err)
		}
		box, _ := a.Mailbox("imaptest")
		n, err := strconv.Atoi(s.count)
		if s.count == "all" {
			n, err = len(s.mbox), nil
		}
		for i := 0; err == nil && i < n; i++ {
			s.append(box)
		}
	}
	for range s.conns {
		w := dialRaw(s.t, s.h)
		w.want(s.t, "* OK")
		if s.state != "nonauth" {
			w.silently(s.t, "L LOGIN "+testUser+" "+testPassword)
		}
		if s.state == "selected" {
			w.silently(s.t, "L SELECT imaptest")
		}
		s.wires = append(s.wires, w)
	}
}

func (s *script) append(box imapstore.Mailbox) {
	i := s.next % len(s.mbox)
	s.next++
	if _, err := box.Append(context.Background(), &mail.Message{Blob: mail.Bytes(s.mbox[i])}, nil, s.dates[i]); err != nil {
		s.t.Fatal(err)
	}
}

func (s *script) run() {
	for i := 0; i < len(s.lines); {
		if l := s.lines[i]; l == "" || l[0] == '#' {
			i++
			continue
		}
		i = s.step(i)
	}
}

// step runs the command at line i, compares what follows it, and returns the
// line behind.
func (s *script) step(i int) int {
	first := i
	command, i := s.joined(i)
	conn, status, command := s.parts(command)
	var expected []string
	for i < len(s.lines) && s.lines[i] != "" && (s.lines[i][0] == '*' || s.lines[i][0] == '!' || s.lines[i][0] == '#') {
		var e string
		if e, i = s.joined(i); e[0] != '#' {
			expected = append(expected, e)
		}
	}
	if i < len(s.lines) && status == "-" {
		status, i = s.lines[i], i+1
	}
	answers, tagged := s.talk(s.wires[conn], command)
	s.vars["tag"] = "T"
	where := fmt.Sprintf("line %d: %s", first, command)
	s.compareStatus(where, status, tagged)
	for _, e := range expected {
		s.compare(where, e, answers)
	}
	return i
}

// joined is line i, with the literals that go on behind it.
func (s *script) joined(i int) (string, int) {
	l := s.lines[i]
	for i++; strings.Count(l, "{{{") > strings.Count(l, "}}}") && i < len(s.lines); i++ {
		l += "\n" + s.lines[i]
	}
	return l, i
}

// parts takes the connection and the status off a command; "-" is a status that
// comes behind.
func (s *script) parts(l string) (conn int, status, command string) {
	if s.conns > 1 {
		n, rest, _ := strings.Cut(l, " ")
		conn, _ = strconv.Atoi(n)
		conn, l = conn-1, rest
	}
	word, rest, _ := strings.Cut(l, " ")
	switch word {
	case "ok", "no", "bad", `""`:
		return conn, word, rest
	}
	return conn, "-", l
}

func (s *script) talk(w *wireClient, command string) (answers []string, tagged string) {
	command = s.expand(command)
	if f := strings.Fields(command); strings.EqualFold(f[0], "append") && !strings.Contains(command, "{{{") {
		if len(f) == 1 {
			command += " imaptest"
		}
		text := s.mbox[s.next%len(s.mbox)]
		s.next++
		command += fmt.Sprintf(" {{{%s}}}", text)
	}
	for {
		before, rest, ok := strings.Cut(command, "{{{")
		if !ok {
			break
		}
		lit, after, _ := strings.Cut(rest, "}}}")
		lit = string(crlf([]byte(strings.TrimPrefix(lit, "\n"))))
		command = fmt.Sprintf("%s{%d+}\r\n%s%s", before, len(lit), lit, after)
	}
	if _, err := w.Write([]byte("T " + command + "\r\n")); err != nil {
		s.t.Fatal(err)
	}
	for {
		line := s.response(w)
		if strings.HasPrefix(line, "T ") {
			return answers, line[2:]
		}
		answers = append(answers, line)
	}
}

// response reads a line with its literals.
func (s *script) response(w *wireClient) string {
	var all strings.Builder
	for {
		line, err := w.line()
		if err != nil {
			s.t.Fatal(all.String(), line, err)
		}
		all.WriteString(line)
		open := strings.LastIndexByte(line, '{')
		if open < 0 || !strings.HasSuffix(line, "}") {
			return all.String()
		}
		n, err := strconv.Atoi(line[open+1 : len(line)-1])
		if err != nil {
			return all.String()
		}
		lit := make([]byte, n)
		if _, err := readFull(w.r, lit); err != nil {
			s.t.Fatal(err)
		}
		all.WriteString("\r\n" + string(lit))
	}
}
