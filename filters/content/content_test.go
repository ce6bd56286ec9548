package content

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

func transaction(t testing.TB, msg string) *pipeline.Transaction {
	t.Helper()
	tx := pipeline.NewTransaction(&pipeline.Session{})
	blob := mail.Bytes(strings.ReplaceAll(msg, "\n", "\r\n"))
	tx.Message = &mail.Message{Blob: blob}
	var err error
	if tx.Part, err = mime.Parse(blob, mime.Limits{}); err != nil {
		t.Fatal(err)
	}
	return tx
}

func TestAutomatonFindsWhatASearchFinds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	letters := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "abc"[r.IntN(3)]
		}
		return string(b)
	}
	for range 200 {
		words := map[string]bool{}
		for range 1 + r.IntN(12) {
			words[letters(1+r.IntN(5))] = true
		}
		list := slices.Sorted(func(yield func(string) bool) {
			for w := range words {
				if !yield(w) {
					return
				}
			}
		})
		a, err := newAutomaton(list, maxTable)
		if err != nil {
			t.Fatal(err)
		}
		s := letters(60)
		got := map[string]bool{}
		a.find(s, func(id int32, from, to int) { got[fmt.Sprint(list[id], from, to)] = true })
		want := map[string]bool{}
		for _, w := range list {
			for i := range s {
				if strings.HasPrefix(s[i:], w) {
					want[fmt.Sprint(w, i, i+len(w))] = true
				}
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("words %q in %q: found %v, want %v", list, s, got, want)
		}
	}
}

// TestRequired: what a literal filter may never do is leave out a text that the
// pattern matches.
func TestRequired(t *testing.T) {
	for pattern, want := range map[string][]string{
		`free money`:           {"free money"},
		`(?i)FREE.*money`:      {"money"},
		`(?i)bitcoin|ethereum`: {"bitcoin", "ethereum"},
		`(?i)kiss`:             nil, // k and s have other forms
		`(?i)risky`:            nil,
		`a|free`:               nil, // a is too short to look for
		`(?:viagra){2,}`:       {"viagra"},
		`(?:viagra)*x`:         nil,
		`[0-9]{16}`:            nil,
		`\bwin(ner)?s\b`:       {"win"},
		`caf\x{e9}teria`:       {"teria"},
		`(`:                    nil,
	} {
		if got := required(pattern); !slices.Equal(got, want) {
			t.Errorf("required(%q) = %q, want %q", pattern, got, want)
		}
	}
}

func TestInstancesShareAPassAndKeepTheirHits(t *testing.T) {
	k := Kind()
	one := buildOf(t, k.Settings().(*Settings), k.Build, []string{"money"}, nil)
	two := buildOf(t, k.Settings().(*Settings), k.Build, []string{"money", "gold"}, []string{`g[o0]ld`})
	tx := transaction(t, "Subject: gold\n\nno more m0ney\n")
	for name, c := range map[string]struct {
		f    pipeline.Filter
		hits float64
	}{"one": {one, 0}, "two": {two, 2}} {
		fd, err := c.f.Inspect(t.Context(), tx)
		if err != nil || fd.Facts["hits"] != c.hits {
			t.Errorf("%s: %v, %v; want %v hits", name, fd.Facts, err, c.hits)
		}
	}
	// an instance that is built while mail flows is known from the next message on
	three := buildOf(t, k.Settings().(*Settings), k.Build, []string{"gold"}, nil)
	if fd, err := three.Inspect(t.Context(), tx); err != nil || fd.Facts["hit"] != true {
		t.Errorf("three: %v, %v", fd.Facts, err)
	}
}

type builder = func(settings any, d filters.Deps) (pipeline.Filter, error)

func buildOf(t testing.TB, s *Settings, build builder, words, patterns []string) pipeline.Filter {
	t.Helper()
	s.Words, s.Patterns = words, patterns
	f, err := build(s, filters.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAReloadLeavesNothingBehind(t *testing.T) {
	p := &pool{limit: maxTable}
	s := &Settings{In: []string{"text"}, Words: []string{"gold"}}
	var last pipeline.Filter
	for range 50 {
		f, err := build(s, p)
		if err != nil {
			t.Fatal(err)
		}
		last = f
	}
	runtime.GC()
	p.current()
	if n := len(p.members); n != 1 {
		t.Errorf("%d instances are kept, want the last", n)
	}
	runtime.KeepAlive(last)
}

func TestBuildSaysWhatIsWrong(t *testing.T) {
	for want, s := range map[string]Settings{
		"neither words nor patterns": {In: []string{"text"}},
		"in is empty":                {Words: []string{"a"}},
		`the word "\u200b" is empty`: {In: []string{"text"}, Words: []string{"\u200b"}},
		`the pattern "("`:            {In: []string{"text"}, Patterns: []string{"("}},
		`too much for one table`:     {In: []string{"text"}, Words: []string{strings.Repeat("abcdefghijklmnop", 1<<17)}},
	} {
		if _, err := build(&s, &pool{limit: maxTable}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
}

// TestTooManyForOneTable: instances that are small enough each and too many
// together find their words all the same.
func TestTooManyForOneTable(t *testing.T) {
	p := &pool{limit: 1 << 14}
	var fs []pipeline.Filter
	for i := range 3 {
		var words []string
		for n := range 20 {
			words = append(words, fmt.Sprintf("w%06dx%dyzabcdefghi", n, i))
		}
		f, err := build(&Settings{In: []string{"text"}, Words: words}, p)
		if err != nil {
			t.Fatal(err)
		}
		fs = append(fs, f)
	}
	if p.current() != tooMany {
		t.Fatal("the words fit into one table; the test needs more")
	}
	tx := transaction(t, "\nw000007x2yzabcdefghi\n")
	for i, f := range fs {
		if fd, err := f.Inspect(t.Context(), tx); err != nil || fd.Facts["hit"] != (i == 2) {
			t.Errorf("instance %d: %v, %v", i, fd.Facts["hit"], err)
		}
	}
}

// BenchmarkWords: a message of 8 KB against 10 and 1,000 rules of one word and
// one pattern each.
func BenchmarkWords(b *testing.B) {
	for _, rules := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(rules), func(b *testing.B) {
			k := Kind()
			var fs []pipeline.Filter
			for i := range rules / 10 {
				var words, patterns []string
				for j := range 10 {
					words = append(words, fmt.Sprintf("word%dof%d", j, i))
					patterns = append(patterns, fmt.Sprintf(`(?i)pattern%dof%d\d+`, j, i))
				}
				fs = append(fs, buildOf(b, k.Settings().(*Settings), k.Build, words[:5], patterns[:5]))
			}
			msg := "Subject: hello\n\n" + strings.Repeat("The quick brown fox jumps over the lazy dog, word by word.\n", 140)
			for b.Loop() {
				tx := transaction(b, msg)
				for _, f := range fs {
					if _, err := f.Inspect(b.Context(), tx); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
