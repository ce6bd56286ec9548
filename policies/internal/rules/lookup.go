package rules

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/relay/pipeline"
)

// lookup finds the rules of a stage that can match at all: of those whose first
// term asks for values of one fact, the few that ask for the value that it has. The
// others are misses, and cost a message nothing, however many they are.
type lookup struct {
	rules  []*Rule
	always []int // rules that are asked every time, by index
	facts  []byFact
	misses []int // by index: how many of the rules before it are looked up
}

// byFact are the rules that ask for values of a fact.
type byFact struct {
	keys    *expr.Keys // of one of them: it knows the fact
	texts   map[string][]int
	domains bool // some texts are @example.com
	ips     map[netip.Addr][]int
}

// fewRules is how many rules are asked one by one with less ado.
const fewRules = 16

// newLookup makes one, nil where it is not worth it.
func newLookup(rules []*Rule) *lookup {
	l := &lookup{rules: rules, misses: make([]int, len(rules)+1)}
	at := map[*expr.Fact]int{}
	looked := 0
	for i, r := range rules {
		l.misses[i] = looked
		if !r.On() {
			continue
		}
		var keys *expr.Keys
		if len(r.When) > 0 {
			keys = r.When[0].Keys()
		}
		if keys == nil {
			l.always = append(l.always, i)
			continue
		}
		n, ok := at[keys.Fact]
		if !ok {
			n = len(l.facts)
			at[keys.Fact] = n
			l.facts = append(l.facts, byFact{keys: keys, texts: map[string][]int{}, ips: map[netip.Addr][]int{}})
		}
		l.facts[n].add(keys, i)
		looked++
	}
	l.misses[len(rules)] = looked
	if looked < fewRules {
		return nil
	}
	return l
}

func (f *byFact) add(keys *expr.Keys, rule int) {
	for _, t := range keys.Texts {
		f.texts[t] = append(f.texts[t], rule)
		f.domains = f.domains || strings.HasPrefix(t, "@")
	}
	for _, ip := range keys.IPs {
		f.ips[ip] = append(f.ips[ip], rule)
	}
}

// find adds the rules that a message can match.
func (f *byFact) find(r *expr.Run, to []int) []int {
	if len(f.ips) > 0 {
		to = append(to, f.ips[f.keys.IP(r)]...)
	}
	if len(f.texts) == 0 {
		return to
	}
	s := f.keys.Text(r)
	to = append(to, f.texts[s]...)
	if !f.domains {
		return to
	}
	if i := strings.LastIndexByte(s, '@'); i > 0 {
		return append(to, f.texts[s[i:]]...)
	} else if i < 0 {
		return append(to, f.texts["@"+s]...)
	}
	return to
}

// mayLookUp tells whether a walk may pass over rules: not where what a record lacks
// must be noted, where rules are skipped by their class, or where they are written
// down once for several recipients.
func (w *walker) mayLookUp() bool { return w.tx.Past == nil && !w.skips && w.trace.seen == nil }

// lookUp is walk that asks no more than what can match.
func (w *walker) lookUp(l *lookup, to int, v *pipeline.Verdict) (ended bool) {
	w.can = w.can[:0]
	for i := range l.facts {
		w.can = l.facts[i].find(w.r, w.can)
	}
	slices.Sort(w.can)
	can, always, next := slices.Compact(w.can), l.always, 0
	for len(can)+len(always) > 0 {
		i := 0
		if len(always) == 0 || len(can) > 0 && can[0] < always[0] {
			i, can = can[0], can[1:]
		} else {
			i, always = always[0], always[1:]
		}
		w.pass(l, next, i, to)
		if next = i + 1; w.each(l.rules[i:next], to, v) {
			return true
		}
		if w.skips { // from now on classes count
			return w.each(l.rules[next:], to, v)
		}
	}
	w.pass(l, next, len(l.rules), to)
	return false
}

// pass notes that the rules from one to another did not match.
func (w *walker) pass(l *lookup, from, end, to int) {
	n := l.misses[end] - l.misses[from]
	if w.trace.to == nil {
		return
	}
	for i := from; i < end && n > 0 && w.trace.misses < maxMisses; i++ {
		if rule := l.rules[i]; rule.On() {
			w.trace.miss(w, rule, rule.lines.misses[0][0], to)
			n--
		}
	}
	w.trace.misses += n
}
