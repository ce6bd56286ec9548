package policies

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// conditions make rules that are looked up, beside some that are asked.
var conditions = []func(n int) string{
	func(n int) string { return fmt.Sprintf(`client.ip == "192.0.2.%d"`, n) },
	func(n int) string {
		return fmt.Sprintf(`mail.from == "Ann%d@stranger.test" || mail.from == "bob%d@Other.test"`, n, n)
	},
	func(n int) string {
		return fmt.Sprintf(`listed(mail.from, ["ann%d@stranger.test", "@d%d.test"])`, n, n)
	},
	func(n int) string {
		return fmt.Sprintf(`listed(client.ip, ["192.0.2.%d", "2001:db8::%x"]) && !mail.null`, n, n)
	},
	func(n int) string { return fmt.Sprintf(`listed(mail.domain, ["D%d.test", "stranger%d.test"])`, n, n) },
	func(n int) string { return fmt.Sprintf(`mail.domain == "d%d.test" && mail.size > 10`, n) },
	func(n int) string { return fmt.Sprintf(`!(client.ip == "192.0.2.%d") && mail.null`, n) },
	func(n int) string { return fmt.Sprintf(`mail.size > %d && mail.domain == "d%d.test"`, n, n) },
	func(n int) string { return fmt.Sprintf(`within(client.ip, "192.0.2.%d/31")`, n) },
	func(n int) string { return fmt.Sprintf(`mail.from == "" && helo.name == "h%d"`, n) },
}

// manyConditions is a mail phase of rules of all sorts, some on trial, some off,
// some of a class that others skip.
func manyConditions(rnd *rand.Rand, n int, asked bool) string {
	var s strings.Builder
	s.WriteString("policy \"p\" {\n  mail {\n")
	for i := range n {
		cond := conditions[rnd.IntN(len(conditions))](rnd.IntN(8))
		if asked { // the same, in a form that is not looked up
			first, rest, more := strings.Cut(cond, " && ")
			if cond = "!(!(" + first + "))"; more {
				cond += " && " + rest
			}
		}
		extra := []string{"", "", "", "    mode = shadow\n", "    mode = off\n", "    class = \"spam\"\n"}[rnd.IntN(6)]
		switch verb := rnd.IntN(12); {
		case verb == 0:
			fmt.Fprintf(&s, "    reject \"r%d\" {\n%s    when = %s\n    text = \"5.7.1 x\"\n  }\n", i, extra, cond)
		case verb == 1:
			fmt.Fprintf(&s, "    skip \"r%d\" {\n    when = %s\n    classes = [\"spam\"]\n  }\n", i, cond)
		default:
			fmt.Fprintf(&s, "    tag \"r%d\" {\n%s    when = %s\n    add = [\"t%d\"]\n  }\n", i, extra, cond, i%7)
		}
	}
	s.WriteString("  }\n}\n")
	return s.String()
}

// TestLookedUp: rules that are looked up come to what they come to when they are
// asked one by one, and leave the same lines.
func TestLookedUp(t *testing.T) {
	matched := 0
	for seed := range uint64(12) {
		n := 40 + int(seed)*20
		text := func(asked bool) string { return head + manyConditions(rand.New(rand.NewPCG(seed, 1)), n, asked) }
		quick, slow := newWorld().plan(t, text(false)), newWorld().plan(t, text(true))
		rnd := rand.New(rand.NewPCG(seed, 2))
		for range 60 {
			from := []string{"ann%d@stranger.test", "ANN%d@stranger.test", "bob%d@other.test", "x@d%d.test", "x@stranger%d.test"}[rnd.IntN(5)]
			address, _ := mail.ParseAddress(fmt.Sprintf(from, rnd.IntN(8)), true)
			if rnd.IntN(6) == 0 {
				address = mail.Address{}
			}
			ip := netip.AddrFrom4([4]byte{192, 0, 2, byte(rnd.IntN(8))})
			switch rnd.IntN(4) {
			case 0:
				ip = netip.AddrFrom16(ip.As16())
			case 1:
				ip = netip.MustParseAddr(fmt.Sprintf("2001:db8::%x%%eth0", rnd.IntN(8)))
			}
			helo, size := fmt.Sprint("h", rnd.IntN(8)), int64(rnd.IntN(20))
			judge := func(p pipeline.Plan) string {
				tx := pipeline.NewTransaction(&pipeline.Session{Client: ip, Helo: helo})
				tx.From, tx.Declared, tx.Trace = address, size, &trail.Record{}
				vs := p.Run(context.Background(), pipeline.Mail, tx)
				lines := fmt.Sprint(tx.Trace.Rules)
				matched += strings.Count(lines, " yes")
				return fmt.Sprint(vs, tx.Ledger.Tags, tx.Ledger.Skip) + why.ReplaceAllString(lines, "$1)")
			}
			if got, want := judge(quick), judge(slow); got != want {
				t.Fatalf("seed %d, %s from %s:\n%s\nwhen asked one by one:\n%s\n%s", seed, address, ip, got, want, text(false))
			}
		}
	}
	if matched < 1000 {
		t.Errorf("%d rules matched", matched)
	}
}

// why undoes what makes a condition be asked.
var why = regexp.MustCompile(`!\(!\((.*?)\)\)\)`)

// TestManyRulesCostWhatFewDo: rules about the client, the sender and lists of them
// are looked up: 10,000 of them cost a message about what 200 do, which leave as
// many lines in the record.
func TestManyRulesCostWhatFewDo(t *testing.T) {
	cost := func(n int) time.Duration {
		p, tx := newWorld().plan(t, head+clientRules(n)), transaction(t, "bob@example.com")
		best := time.Hour
		for range 7 {
			begin := time.Now()
			for range 50 {
				tx.Trace = &trail.Record{}
				p.Run(context.Background(), pipeline.Mail, tx)
			}
			best = min(best, time.Since(begin)/50)
		}
		if last := tx.Trace.Rules[len(tx.Trace.Rules)-1]; last.Why != fmt.Sprint(n-100, " more rules did not match") {
			t.Errorf("of %d rules the last line is %v", n, last)
		}
		return best
	}
	few, many := cost(200), cost(10_000)
	t.Logf("200 rules cost %s, 10,000 rules %s", few, many)
	if many > 4*few {
		t.Errorf("200 rules cost %s, 10,000 rules %s", few, many)
	}
}

// TestLookedUpForMany: recipients that do not differ are one to rules of the data
// phase, too.
func TestLookedUpForMany(t *testing.T) {
	text := strings.Replace(clientRules(500), "  mail {", "  data {", 1)
	p := newWorld().plan(t, head+text)
	tx := transaction(t, "bob@example.com", "eve@example.com", "joe@example.com")
	tx.From = mail.MustParseAddress("u1@s231.test") // the sender of the 482nd rule
	vs := p.Run(context.Background(), pipeline.Data, tx)
	if len(vs) != 3 || vs[2].Rule != "p.data.reject.r481" || vs[2].To != 2 || vs[0].Rule != vs[2].Rule {
		t.Errorf("%+v", vs)
	}
	if rs := tx.Trace.Rules; len(rs) != 102 || rs[100].Path != "p.data.reject.r481" || rs[101].Why != "381 more rules did not match" {
		t.Errorf("%d lines, %v", len(rs), rs[len(rs)-2:])
	}
	if n := testing.AllocsPerRun(20, func() { tx.Trace = &trail.Record{}; p.Run(context.Background(), pipeline.Data, tx) }); n > 20 {
		t.Errorf("%.0f allocations", n)
	}
}

// clientRules are as many refusals of clients, senders and lists of both.
func clientRules(n int) string {
	forms := []string{`client.ip == "198.51.%d.%d"`, `mail.from == "u%d@s%d.test"`, `listed(mail.from, ["u%d@x%d.test", "@y%[1]d-%[2]d.test"])`, `listed(client.ip, ["192.0.%d.%d"])`}
	var s strings.Builder
	s.WriteString("policy \"p\" {\n  mail {\n")
	for i := range n {
		fmt.Fprintf(&s, "    reject \"r%d\" {\n      when = %s\n      text = \"5.7.1 x\"\n    }\n", i, fmt.Sprintf(forms[i%len(forms)], i/250, i%250))
	}
	s.WriteString("  }\n}\n")
	return s.String()
}

// BenchmarkClientRules compares few rules that are looked up with many.
func BenchmarkClientRules(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p, tx := newWorld().plan(b, head+clientRules(n)), transaction(b, "bob@example.com")
			b.ReportAllocs()
			for b.Loop() {
				tx.Trace = &trail.Record{}
				p.Run(context.Background(), pipeline.Mail, tx)
			}
		})
	}
}
