package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// moody is a next server that answers by a seed: it takes messages, defers and
// refuses them, says 421, drops the connection at the worst moments and dawdles.
// Reports (of the null sender) are never refused for good: nobody would hear of it.
type moody struct {
	addr   string
	honest atomic.Bool // it takes everything from now on

	mu    sync.Mutex
	rand  *rand.Rand
	took  map[string]int // by subject: how often 250 was said to a message
	told  map[string]int // by subject: reports that came about it
	moods map[string]int // how often each was had
}

func newMoody(t *testing.T, seed uint64) *moody {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &moody{addr: ln.Addr().String(), rand: rand.New(rand.NewPCG(seed, 1)), took: map[string]int{}, told: map[string]int{}, moods: map[string]int{}}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go m.talk(conn)
		}
	}()
	return m
}

// The moods, and how many of a hundred messages meet each.
var moods = []struct {
	name  string
	share int
}{{"fine", 62}, {"450 rcpt", 8}, {"550 rcpt", 5}, {"451 data", 4}, {"554 data", 4}, {"421 mail", 3}, {"421 data", 2}, {"drop rcpt", 3}, {"drop data", 3}, {"drop after", 3}, {"late", 3}}

func (m *moody) mood(report bool) string {
	if m.honest.Load() {
		return "fine"
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.rand.IntN(100)
	for _, x := range moods {
		if n -= x.share; n < 0 {
			if report && strings.HasPrefix(x.name, "55") {
				return "fine"
			}
			m.moods[x.name]++
			return x.name
		}
	}
	return "fine"
}

// talk is one connection.
func (m *moody) talk(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	say := func(s string) { fmt.Fprintf(conn, "%s\r\n", s) }
	say("220 moody.test")
	mood := "fine"
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(strings.TrimSpace(line)); {
		case strings.HasPrefix(verb, "EHLO"):
			say("250-moody.test\r\n250-PIPELINING\r\n250 8BITMIME")
		case strings.HasPrefix(verb, "MAIL"):
			mood = m.mood(strings.HasPrefix(verb, "MAIL FROM:<>"))
			if mood == "421 mail" {
				say("421 4.3.2 not now")
				return
			}
			say("250 ok")
		case strings.HasPrefix(verb, "RCPT"):
			switch mood {
			case "drop rcpt":
				return
			case "450 rcpt":
				say("450 4.2.0 later")
			case "550 rcpt":
				say("550 5.1.1 nobody here")
			default:
				say("250 ok")
			}
		case verb == "DATA":
			if strings.HasSuffix(mood, "rcpt") {
				say("503 no recipient")
				continue
			}
			say("354 go on")
			if !m.message(r, say, mood) {
				return
			}
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

var subjectLine = regexp.MustCompile(`(?m)^Subject: (message \d+)\r?$`)

// message reads a message and answers it; false ends the connection.
func (m *moody) message(r *bufio.Reader, say func(string), mood string) bool {
	var text strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		if text.WriteString(line); mood == "drop data" {
			return false
		}
	}
	switch mood {
	case "451 data":
		say("451 4.3.0 later")
		return true
	case "554 data":
		say("554 5.6.0 not this")
		return true
	case "421 data":
		say("421 4.3.2 not now")
		return false
	case "drop after":
		return false // it was all there, and nobody is told
	case "late":
		time.Sleep(200 * time.Millisecond)
	}
	m.note(text.String())
	say("250 2.0.0 taken")
	return true
}

// note keeps what was taken before it is said that it was.
func (m *moody) note(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	into := m.took
	if strings.Contains(text, "multipart/report") {
		into = m.told
	}
	for _, s := range subjectLine.FindAllStringSubmatch(text, -1) {
		into[s[1]]++
	}
}
