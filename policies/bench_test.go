package policies

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// BenchmarkRules compares few rules with many: the cost of a rule that does not
// match is that of its first false term.
func BenchmarkRules(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := newWorld().plan(b, head+manyRules(n))
			tx := transaction(b, "bob@example.com")
			b.ReportAllocs()
			for b.Loop() {
				tx.Trace = &trail.Record{}
				p.Run(context.Background(), pipeline.Data, tx)
			}
		})
	}
}

func manyRules(n int) string {
	var s strings.Builder
	s.WriteString("policy \"p\" {\n  data {\n")
	for i := range n {
		fmt.Fprintf(&s, "    reject \"r%d\" {\n      when = mail.domain == \"d%d.test\" && listed(mail.from, list.partners)\n      text = \"5.7.1 x\"\n    }\n", i, i)
	}
	s.WriteString("  }\n}\n")
	return s.String()
}

// TestManyRulesLeaveASmallRecord: the record of a message must not grow with the
// policy.
func TestManyRulesLeaveASmallRecord(t *testing.T) {
	p := newWorld().plan(t, head+manyRules(1000))
	tx := transaction(t, "bob@example.com")
	p.Run(context.Background(), pipeline.Data, tx)
	rs := tx.Trace.Rules
	if len(rs) != 101 || rs[100].Why != "900 more rules did not match" || rs[99].Path != "p.data.reject.r99" {
		t.Errorf("%d lines, the last %+v", len(rs), rs[len(rs)-1])
	}
}

// TestShortCircuit: what a condition need not know is not asked.
func TestShortCircuit(t *testing.T) {
	w := newWorld()
	p := w.plan(t, head+`policy "p" {
  data {
    reject "a" {
      when = mail.null && dmarc.result == "fail"
      text = "5.7.1 x"
    }
    reject "b" {
      when = !mail.null || dkim.result == "fail"
      text = "5.7.1 x"
    }
    reject "c" {
      when = spf.result == "fail"
      text = "5.7.1 x"
    }
  }
}`)
	tx := transaction(t, "bob@example.com", "eve@example.com")
	p.Run(context.Background(), pipeline.Data, tx)
	if len(w.asked) != 0 {
		t.Errorf("asked %q", w.asked)
	}
}
