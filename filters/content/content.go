// Package content looks for words and patterns in what a message says.
package content

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/internal/line"
	"github.com/forepost/forepost/filters/internal/text"
	"github.com/forepost/forepost/relay/pipeline"
)

// Settings are the filter's own.
type Settings struct {
	In       []string `hcl:"in" words:"subject|text|html|urls|headers"` // where to look
	Words    []string `hcl:"words"`                                     // whole words and phrases, without case
	Patterns []string `hcl:"patterns" form:"pattern"`                   // regular expressions, RE2 syntax
}

// maxMatched is how many words and patterns the fact matched names.
const maxMatched = 50

// Kind describes the filter. All instances that are built from one Kind share
// one pass over a message.
func Kind() filters.Kind {
	shared := &pool{limit: maxTable}
	return filters.Kind{
		Name:  "content",
		Doc:   "looks for words and patterns in the subject, text, HTML source, URLs or header",
		From:  pipeline.Data,
		Named: true,
		Facts: pipeline.Schema{
			{Name: "hit", Type: pipeline.Bool, Doc: "at least one word or pattern was found"},
			{Name: "hits", Type: pipeline.Number, Doc: "how many different words and patterns were found"},
			{Name: "matched", Type: pipeline.Strings, Doc: "which ones, as the configuration has them; the first 50"},
		},
		Scope:    pipeline.PerMessage,
		Offline:  true,
		Settings: func() any { return &Settings{In: []string{"subject", "text"}} },
		Build: func(settings any, _ filters.Deps) (pipeline.Filter, error) {
			return build(settings.(*Settings), shared)
		},
	}
}

type filter struct {
	in       []string
	words    []word
	patterns []pattern
	pool     *pool
	numbers  atomic.Pointer[numbers] // what the engine in use calls them
}

type word struct{ text, folded string }

type pattern struct {
	re       *regexp.Regexp
	literals []string // one of them stands in every match; none: it is always tried
}

func build(s *Settings, p *pool) (pipeline.Filter, error) {
	f := &filter{in: s.In, pool: p}
	if len(s.Words) == 0 && len(s.Patterns) == 0 {
		return nil, errors.New("there are neither words nor patterns to look for")
	}
	if len(s.In) == 0 {
		return nil, errors.New("in is empty, so there is nowhere to look")
	}
	for _, w := range s.Words {
		folded := text.Fold(w)
		if folded == "" {
			return nil, fmt.Errorf("the word %q is empty", w)
		}
		f.words = append(f.words, word{w, folded})
	}
	for _, text := range s.Patterns {
		re, err := regexp.Compile(text)
		if err != nil {
			return nil, fmt.Errorf("the pattern %q: %w", text, err)
		}
		f.patterns = append(f.patterns, pattern{re, required(text)})
	}
	if _, err := newEngine([]*filter{f}, p.limit); err != nil {
		return nil, err
	}
	p.add(f)
	return f, nil
}

// Inspect looks for all words and patterns.
func (f *filter) Inspect(ctx context.Context, tx *pipeline.Transaction) (pipeline.Finding, error) {
	t, err := text.Of(tx.Part, tx.Message)
	if err != nil {
		return pipeline.Finding{}, err
	}
	n, err := f.numbersNow()
	if err != nil {
		return pipeline.Finding{}, err
	}
	matched := map[int]bool{} // words first, then patterns
	for _, name := range f.in {
		a := area(t, name)
		found := n.engine.scan(t, name, a)
		for i, id := range n.words {
			if found.words[id] {
				matched[i] = true
			}
		}
		if err := f.findPatterns(ctx, n, found, a, matched); err != nil {
			return f.finding(matched, t.Cut), err
		}
	}
	return f.finding(matched, t.Cut), nil
}

func area(t *text.Text, name string) text.Area {
	switch name {
	case "subject":
		return t.Subject
	case "html":
		return t.HTML
	case "urls":
		return t.URLs
	case "headers":
		return t.Headers
	}
	return t.Body
}

// findPatterns matches a pattern only where a literal of it was found. RE2 is
// linear, but each pattern reads the text anew, so the deadline is looked at
// between them.
func (f *filter) findPatterns(ctx context.Context, n *numbers, found found, a text.Area, matched map[int]bool) error {
	for i, p := range f.patterns {
		at := len(f.words) + i
		if matched[at] || !found.may(n.literals[i]) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("there was no time for all patterns: %w", err)
		}
		if p.re.MatchString(a.Raw) {
			matched[at] = true
		}
	}
	return nil
}

func (f *filter) finding(matched map[int]bool, cut bool) pipeline.Finding {
	var names []string
	for i := range len(f.words) + len(f.patterns) {
		if !matched[i] || len(names) == maxMatched {
			continue
		}
		if i < len(f.words) {
			names = append(names, f.words[i].text)
		} else {
			names = append(names, f.patterns[i-len(f.words)].re.String())
		}
	}
	reason := "nothing found"
	if len(names) > 0 {
		reason = "found " + strings.Join(names[:min(len(names), 5)], ", ")
	}
	if cut {
		reason += "; only the first part of the text was read"
	}
	return pipeline.Finding{
		Facts:  pipeline.Facts{"hit": len(matched) > 0, "hits": float64(len(matched)), "matched": names},
		Reason: line.Clean(reason),
	}
}
