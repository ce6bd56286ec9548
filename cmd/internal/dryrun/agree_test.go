package dryrun_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/forepost/forepost/cmd/internal/appliance"
	"github.com/forepost/forepost/cmd/internal/authcheck"
	"github.com/forepost/forepost/cmd/internal/dryrun"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/trail"
)

// howMany messages of the suites are compared.
const howMany = 1000

// TestDryRunsAgree: for a thousand messages of others, a dry run says what the
// SMTP port says, reply for reply, and its record is the one that `explain ID`
// reads of the live one: rules, findings, points and outcomes.
func TestDryRunsAgree(t *testing.T) {
	list := suite(t)
	live := start(t)
	d := open(t, appliance.DryOptions{})
	work := make(chan int)
	var all sync.WaitGroup
	actions := make([]string, len(list))
	for range 8 {
		all.Go(func() {
			for i := range work {
				actions[i] = agree(t, live, d, i, list[i])
			}
		})
	}
	for i := range list {
		work <- i
	}
	close(work)
	all.Wait()
	count := map[string]int{}
	for _, a := range actions {
		count[a]++
	}
	t.Logf("%d messages: %v", len(list), count)
	if count["accept"] == 0 || count["reject"] == 0 || count["quarantine"] == 0 {
		t.Error("the messages do not try enough")
	}
}

// suite is the messages, as they are on the wire.
func suite(t *testing.T) (list [][]byte) {
	dir := os.Getenv("FOREPOST_SUITES")
	if dir == "" {
		t.Skip("FOREPOST_SUITES is not set")
	}
	for _, pattern := range []string{"mime-*/*", "mime-*/*/*", "spam/*/*", "spam/*/*/*"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		step := max(1, len(names)/(howMany-len(list)+1)) // of a large folder, some of all parts
		for i := 0; i < len(names) && len(list) < howMany; i += step {
			st, err := os.Stat(names[i])
			if err != nil || st.IsDir() || st.Size() > 4<<20 {
				continue
			}
			text, err := os.ReadFile(names[i])
			if err != nil {
				t.Fatal(err)
			}
			if bytes.HasPrefix(text, []byte("From ")) {
				_, text, _ = bytes.Cut(text, []byte("\n"))
			}
			list = append(list, authcheck.Wire(text))
		}
	}
	if len(list) < howMany {
		t.Fatalf("the suites have only %d messages", len(list))
	}
	return list
}

// live is a gateway on a free port.
type liveGateway struct {
	*appliance.Appliance
	address string
}

func start(t *testing.T) *liveGateway {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile("testdata/site.hcl")
	if err != nil {
		t.Fatal(err)
	}
	full, err := filepath.Abs(zone)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "forepost.hcl")
	if err := os.WriteFile(config, fmt.Appendf(text, "\ndns {\n  zone = %q\n}\n", full), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := appliance.New(t.Context(), appliance.Options{Config: config, Data: filepath.Join(dir, "data"), Log: quiet, Tell: func(s string) { t.Error(s) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	return &liveGateway{a, a.Status().Servers[0].Address}
}

// who is a client of the i-th message: some are on the blocklist, some are
// partners, some say that they are us.
func who(i int) (client, from string, to []string) {
	client = [...]string{"127.0.0.1", "127.0.0.2", "127.0.0.1", "127.0.0.3", "127.0.0.1"}[i%5]
	from = [...]string{"ann@stranger.test", "kim@partner.test", "", "ann@partner.test", "x@nowhere.test", "boss@example.com", "ann@stranger.test"}[i%7]
	to = [...][]string{{"bob@example.com"}, {"bob@example.com", "eve@example.com"}, {"any@lab.example.com"}, {"eve@example.com", "any@lab.example.com", "nobody@example.com"}}[i%4]
	return client, from, to
}

// agree sends a message to both and compares.
func agree(t *testing.T, live *liveGateway, d *appliance.Dry, i int, text []byte) string {
	client, from, to := who(i)
	a, err := dryrun.Play(t.Context(), d, dryrun.Client{IP: netip.MustParseAddr(client), Helo: "mail.stranger.test"}, dryrun.Message{From: from, To: to, Text: text})
	if err != nil || a.Record == nil {
		t.Errorf("message %d: the dry run: %+v, %v", i, a, err)
		return ""
	}
	said, id, err := live.send(a.Said, client, text)
	if err != nil {
		t.Errorf("message %d: %v", i, err)
		return ""
	}
	if want := words(a.Said); said != want {
		t.Errorf("message %d: the port says\n%s\nthe dry run\n%s", i, said, want)
	}
	stories, err := live.Explain(mail.ID(id))
	if err != nil || len(stories) != 1 || stories[0].Record == nil {
		t.Errorf("message %d, %s: %v, %v", i, id, stories, err)
		return ""
	}
	if got, want := record(t, stories[0].Record, a.Record), record(t, a.Record, stories[0].Record); got != want {
		t.Errorf("message %d: the record of the live one\n%s\nof the dry run\n%s", i, got, want)
	}
	return a.Record.Outcomes[0].Action
}

// send says to the port what the dry run said, and gives the replies and the ID
// of the message.
func (g *liveGateway) send(script []dryrun.Said, client string, text []byte) (said, id string, err error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(client)}}
	conn, err := d.Dial("tcp", g.address)
	if err != nil {
		return "", "", err
	}
	defer conn.Close()
	c := textproto.NewConn(conn)
	var all []dryrun.Said
	for _, s := range script {
		switch s.To {
		case "connect":
		case ".":
			w := c.DotWriter()
			if _, err = w.Write(text); err == nil {
				err = w.Close()
			}
		default:
			err = c.PrintfLine("%s", s.To)
		}
		if err != nil {
			return "", "", err
		}
		var lines []string
		for more := true; more; {
			line, err := c.ReadLine()
			if err != nil {
				return "", "", fmt.Errorf("after %q: %w", s.To, err)
			}
			lines, more = append(lines, line), line[3] == '-'
		}
		if strings.HasPrefix(s.To, "MAIL ") {
			id = ids.FindString(lines[0])
		}
		all = append(all, dryrun.Said{To: s.To, Lines: lines})
	}
	if _, err := c.ReadLine(); err != io.EOF { // the record is written before the end
		return "", "", fmt.Errorf("after QUIT: %v", err)
	}
	return words(all), id, nil
}

// words are replies without what differs from run to run.
func words(all []dryrun.Said) string {
	var b strings.Builder
	for _, s := range all {
		b.WriteString(ids.ReplaceAllString(strings.Join(s.Lines, "\n"), "ID") + "\n")
	}
	return b.String()
}

var counted = regexp.MustCompile(`\d+ of 100000`)

// record is what a record says of rules, findings and outcomes, without IDs,
// times and counters. What the network was asked for early and no rule waited for
// may be in one and not yet in the other.
func record(t *testing.T, r, other *trail.Record) string {
	var b strings.Builder
	for _, one := range r.Rules {
		fmt.Fprintf(&b, "%s\n", one)
	}
	for _, f := range r.Facts {
		both := slices.ContainsFunc(other.Facts, func(o trail.Fact) bool { return o.Filter == f.Filter })
		if both && !strings.HasPrefix(f.Filter, "limit:") {
			f.Took = 0
			text, err := json.Marshal(f)
			if err != nil {
				t.Error(err)
			}
			fmt.Fprintf(&b, "%s\n", text)
		}
	}
	fmt.Fprintf(&b, "%s %d %q %q\n", r.Points, r.Size, r.To, r.Subject)
	for _, o := range r.Outcomes {
		fmt.Fprintf(&b, "%+v\n", o)
	}
	return counted.ReplaceAllString(ids.ReplaceAllString(strings.ReplaceAll(b.String(), "null", "[]"), "ID"), "N of 100000")
}

var quiet = slog.New(slog.DiscardHandler)
