// Package rspamd asks an rspamd what it makes of a message: its score, and what
// it would do.
package rspamd

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strings"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/internal/line"
	"github.com/forepost/forepost/relay/pipeline"
)

// Settings are the filter's own.
type Settings struct {
	URL      string `hcl:"url,required"`          // "http://127.0.0.1:11333"
	Password string `hcl:"password"`              // of the worker, where it asks for one
	MaxSize  int64  `hcl:"max_size" unit:"bytes"` // larger messages are not tested
}

// defaultMaxSize is max_message of rspamd.
const defaultMaxSize = 50 << 20

// maxSymbols is how many symbols the fact names.
const maxSymbols = 200

// Kind describes the filter.
func Kind() filters.Kind {
	return filters.Kind{
		Name:  "rspamd",
		Doc:   "asks an rspamd for its score",
		From:  pipeline.Data,
		Named: true,
		Facts: pipeline.Schema{
			{Name: "score", Type: pipeline.Number, Doc: "the points that it gives"},
			{Name: "action", Type: pipeline.String, Doc: "what it would do: \"no action\", \"add header\", \"reject\" and so on"},
			{Name: "symbols", Type: pipeline.Strings, Doc: "names of its rules that matched, those with most points first; the first 200"},
			{Name: "tested", Type: pipeline.Bool, Doc: "the message was looked at: it was not too large, and rspamd did not skip it"},
		},
		Scope:    pipeline.PerMessage,
		Slow:     true,
		Settings: func() any { return &Settings{MaxSize: defaultMaxSize} },
		Build:    build,
	}
}

type filter struct {
	url      string
	password string
	max      int64
	client   *http.Client
}

func build(settings any, _ filters.Deps) (pipeline.Filter, error) {
	s := settings.(*Settings)
	u, err := url.Parse(s.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("url %q is no address of an rspamd; write \"http://127.0.0.1:11333\"", s.URL)
	}
	if s.MaxSize <= 0 {
		return nil, fmt.Errorf("max_size is %d; it must be above 0", s.MaxSize)
	}
	return &filter{u.JoinPath("checkv2").String(), s.Password, s.MaxSize, newClient()}, nil
}

// Inspect sends the message as it was received, with who sent it to whom.
func (f *filter) Inspect(ctx context.Context, tx *pipeline.Transaction) (pipeline.Finding, error) {
	if tx.Message == nil {
		return pipeline.Finding{}, errors.New("there is no message yet")
	}
	if size := tx.Message.Size(); size > f.max {
		return pipeline.Finding{Facts: neutral(), Reason: fmt.Sprintf("not tested: %d octets are more than max_size", size)}, nil
	}
	a, err := f.check(ctx, tx)
	if err != nil {
		return pipeline.Finding{}, fmt.Errorf("rspamd at %s: %w", f.url, err)
	}
	return a.finding(), nil
}

func neutral() pipeline.Facts {
	return pipeline.Facts{"score": 0.0, "action": "", "symbols": []string(nil), "tested": false}
}

// finding is an answer as facts.
func (a *answer) finding() pipeline.Finding {
	if a.Skipped {
		return pipeline.Finding{Facts: neutral(), Reason: "rspamd skipped it"}
	}
	symbols := a.sorted()
	fd := pipeline.Finding{Facts: pipeline.Facts{"score": *a.Score, "action": line.Clean(a.Action), "tested": true}}
	var names, top []string
	for _, s := range symbols[:min(len(symbols), maxSymbols)] {
		names = append(names, line.Clean(s.Name))
		if len(top) < 3 && s.Score > 0 {
			top = append(top, fmt.Sprintf("%s %.1f", s.Name, s.Score))
		}
	}
	fd.Facts["symbols"] = names
	fd.Reason = line.Clean(fmt.Sprintf("%.1f, %s; top: %s", *a.Score, a.Action, strings.Join(top, ", ")))
	return fd
}

// sorted are the symbols, those with most points first.
func (a *answer) sorted() []symbol {
	all := make([]symbol, 0, len(a.Symbols))
	for name, s := range a.Symbols {
		s.Name = name
		all = append(all, s)
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].Score != all[j].Score {
			return all[i].Score > all[j].Score
		}
		return all[i].Name < all[j].Name
	})
	return all
}
