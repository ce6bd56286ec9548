package policies

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// TestJudgementAllocates: a message whose author and subject are read, and whose
// rules note something, costs at most 32 allocations. For the policy that is
// shown, see TestCompanyAllocates in test.
func TestJudgementAllocates(t *testing.T) {
	ps, err := company(t).Build(filters.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	p, _ := ps.Plan("inbound")
	tx := transaction(t, "ann@example.net")
	n := testing.AllocsPerRun(200, func() {
		tx.Trace = &trail.Record{}
		tx.To[0].Ledger = pipeline.Ledger{}
		p.Run(context.Background(), pipeline.Rcpt, tx)
		p.Run(context.Background(), pipeline.Data, tx)
	})
	if n > 32 {
		t.Errorf("%.0f allocations", n)
	}
}

// TestManyRulesLoad: 10,000 rules are loaded and made into a plan in under 2 s of
// processor time, and ten times as many rules do not take much more than ten times
// as long.
func TestManyRulesLoad(t *testing.T) {
	took := func(n int) time.Duration {
		text := head + manyRules(n)
		best := time.Hour
		for range 2 {
			runtime.GC()
			before := used(t)
			newWorld().plan(t, text)
			best = min(best, used(t)-before)
		}
		return best
	}
	few, many := took(1000), took(10_000)
	t.Logf("1,000 rules %s, 10,000 rules %s", few, many)
	if many > 2*time.Second || many > 25*few {
		t.Errorf("1,000 rules take %s, 10,000 rules %s", few, many)
	}
}

// TestOnlyRulesThatMatterCost: rules of a class that is skipped, that are off, or
// that stand behind the verdict cost nothing like what they would.
func TestOnlyRulesThatMatterCost(t *testing.T) {
	cost := func(policy string) float64 {
		p := newWorld().plan(t, head+policy)
		tx := transaction(t, "bob@example.com")
		return testing.AllocsPerRun(50, func() {
			tx.Trace = &trail.Record{}
			p.Run(context.Background(), pipeline.Data, tx)
		})
	}
	one, many := cost(manyRules(1)), cost(manyRules(5000))
	if many > one+12 {
		t.Errorf("a rule that does not match costs memory: %.0f allocations for one, %.0f for 5,000", one, many)
	}
}

// TestExamplesAreFixedPoints: the formatter leaves what is shown as it is.
func TestExamplesAreFixedPoints(t *testing.T) {
	names, _ := filepath.Glob("testdata/good/*.hcl")
	more, _ := filepath.Glob("../packaging/examples/*.hcl")
	names = append(append(names, more...), "stock/recommended.hcl")
	if suites := os.Getenv("FOREPOST_SUITES"); suites != "" {
		shown, _ := filepath.Glob(filepath.Join(suites, "../design/examples/*.hcl"))
		if len(shown) != 3 {
			t.Errorf("the design shows %d examples", len(shown))
		}
		names = append(names, shown...)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Format(name, text); err != nil || string(got) != string(text) {
			t.Errorf("%s is no fixed point of the formatter, %v", name, err)
		}
	}
}

// used is the processor time of this process.
func used(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
