package inbound

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/forepost/forepost/relay/pipeline"
)

// model is the state of a session as RFC 5321 section 4.1.4 has it.
type model struct {
	hello, mail bool
	rcpts       int
	chunks      bool // a message has begun with BDAT
	binary      bool // MAIL said BODY=BINARYMIME
	taken       int  // messages
}

// modelCommands are those that the model knows: what is said, and what the reply must be.
var modelCommands = map[string]func(m *model) (say, want string){
	"EHLO": func(m *model) (string, string) {
		*m = model{hello: true, taken: m.taken}
		return "EHLO x", "250"
	},
	"MAIL": func(m *model) (string, string) {
		if !m.hello || m.mail || m.chunks {
			return "MAIL FROM:<a@b.test>", "503"
		}
		m.mail = true
		return "MAIL FROM:<a@b.test>", "250"
	},
	"MAIL, binary": func(m *model) (string, string) {
		if !m.hello || m.mail || m.chunks {
			return "MAIL FROM:<a@b.test> BODY=BINARYMIME", "503"
		}
		m.mail, m.binary = true, true
		return "MAIL FROM:<a@b.test> BODY=BINARYMIME", "250"
	},
	"MAIL, refused": func(m *model) (string, string) {
		if m.mail || m.chunks {
			return "MAIL FROM:<a@b.test> SIZE=99999999", "503"
		}
		return "MAIL FROM:<a@b.test> SIZE=99999999", "552"
	},
	"RCPT": func(m *model) (string, string) {
		if !m.mail || m.chunks {
			return "RCPT TO:<bob@example.com>", "503"
		}
		m.rcpts++
		return "RCPT TO:<bob@example.com>", "250"
	},
	"RCPT, refused": func(m *model) (string, string) {
		if !m.mail || m.chunks {
			return "RCPT TO:<x@y.test>", "503"
		}
		return "RCPT TO:<x@y.test>", "550"
	},
	"DATA":                    func(m *model) (string, string) { return m.data("A: b\r\n\r\n", "250") },
	"DATA, refused for lines": func(m *model) (string, string) { return m.data("A: b\r\n\r\nx\ny\r\n", "554") },
	"DATA, refused by policy": func(m *model) (string, string) { return m.data("Subject: bad\r\n\r\n", "550") },
	"BDAT":                    func(m *model) (string, string) { return m.bdat("A: b\r\n\r\n", false, "250") },
	"BDAT, nothing":           func(m *model) (string, string) { return m.bdat("", false, "250") },
	"BDAT, last":              func(m *model) (string, string) { return m.bdat("\r\nMAIL FROM:<a@b.test>\r\n", true, "250") },
	"BDAT, refused for size":  func(m *model) (string, string) { return m.bdat(strings.Repeat("QUIT\r\n", 1000), false, "552") },
	"BDAT, refused for lines": func(m *model) (string, string) { return m.bdat("\r\nx\ny\r\n", true, "554") },
	"RSET": func(m *model) (string, string) {
		m.over()
		m.chunks = false
		return "RSET", "250"
	},
	"NOOP": func(*model) (string, string) { return "NOOP", "250" },
	"junk": func(*model) (string, string) { return "JUNK", "500" },
	"VRFY": func(m *model) (string, string) {
		if m.chunks {
			return "VRFY bob", "503"
		}
		return "VRFY bob", "252"
	},
	"ETRN, XCLIENT": func(m *model) (string, string) {
		if m.chunks {
			return "ETRN x\r\nXCLIENT ADDR=192.0.2.1", "503 503"
		}
		return "ETRN x\r\nXCLIENT ADDR=192.0.2.1", "502 550"
	},
}

// over is the end of a transaction.
func (m *model) over() { m.mail, m.rcpts, m.binary = false, 0, false }

func (m *model) data(body, want string) (string, string) {
	if m.rcpts == 0 || m.chunks || m.binary {
		return "DATA", "503"
	}
	m.over()
	if want == "250" {
		m.taken++
	}
	return "DATA\r\n" + body + ".", "354 " + want
}

// bdat is a chunk; it ends in CRLF, which the script adds.
func (m *model) bdat(octets string, last bool, want string) (string, string) {
	say := "BDAT " + strconv.Itoa(len(octets))
	if last {
		say += " LAST"
	}
	if octets != "" {
		say += "\r\n" + strings.TrimSuffix(octets, "\r\n")
	}
	if m.rcpts == 0 {
		return say, "503"
	}
	m.chunks = !last && want == "250"
	if !m.chunks {
		m.over()
	}
	if last && want == "250" {
		m.taken++
	}
	return say, want
}

// TestModel: any sequence of commands is answered as the model says; above all
// nothing is left of a transaction after its end, however it ended (threats, line
// State desync). FOREPOST_MODEL=10000000 tries so many commands more, at random.
func TestModel(t *testing.T) {
	names := slices.Sorted(maps.Keys(modelCommands))
	rapid.Check(t, func(t *rapid.T) {
		if bad := agree(rapid.SliceOfN(rapid.SampledFrom(names), 1, 30).Draw(t, "commands")); bad != "" {
			t.Fatal(bad)
		}
	})
	more, _ := strconv.Atoi(os.Getenv("FOREPOST_MODEL"))
	done := 0
	for seed := uint64(0); done < more; seed++ {
		r := rand.New(rand.NewPCG(seed, 1))
		list := make([]string, 1+r.IntN(60))
		for i := range list {
			list[i] = names[r.IntN(len(names))]
		}
		if bad := agree(list); bad != "" {
			t.Fatalf("seed %d: %s", seed, bad)
		}
		done += len(list)
	}
	if more > 0 {
		t.Logf("%d commands at random", done)
	}
}

// agree plays commands and tells where server and model differ.
func agree(names []string) (bad string) {
	s := newSite(func(c *Config) { c.MaxErrors, c.MaxSize = 1000, 5000 })
	s.plan.run = func(at pipeline.Stage, tx *pipeline.Transaction) (vs []pipeline.Verdict) {
		for i := range tx.To {
			if at == pipeline.Data && tx.Part.Get("Subject") == "bad" {
				vs = append(vs, pipeline.Verdict{To: i, Action: pipeline.Reject})
			}
		}
		return vs
	}
	var m model
	var script strings.Builder
	want := "220"
	for _, name := range names {
		say, reply := modelCommands[name](&m)
		script.WriteString(say + "\r\n")
		want += " " + reply
	}
	conn := &scripted{in: []byte(script.String()), piece: 4096, naps: script.Len()%2 == 0}
	if got := codes(talkTo(&s.cfg, conn)); got != want || s.spool.count() != m.taken {
		return fmt.Sprintf("%d taken, want %d\n%s\ngot  %s\nwant %s", s.spool.count(), m.taken, script.String(), got, want)
	}
	return ""
}

// codes are the codes of the replies, one a reply.
func codes(said string) string {
	var cs []string
	for _, l := range strings.Split(strings.TrimSpace(said), "\r\n") {
		if len(l) > 3 && l[3] == ' ' {
			cs = append(cs, l[:3])
		}
	}
	return strings.Join(cs, " ")
}
