// Package body tells what a message says: its text and its links.
package body

import (
	"context"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/internal/text"
	"github.com/forepost/forepost/relay/pipeline"
)

// Kind describes the filter.
func Kind() filters.Kind {
	return filters.Kind{
		Name: "body",
		Root: "msg",
		Doc:  "the text of a message and the links in it, decoded",
		From: pipeline.Data,
		Facts: pipeline.Schema{
			{Name: "text", Type: pipeline.String, Doc: "what a reader sees of the plain and HTML parts, decoded; the first 1 MiB"},
			{Name: "urls", Type: pipeline.Strings, Doc: "the links in it, those of HTML too; the first 1,000"},
			{Name: "cut", Type: pipeline.Bool, Doc: "there was more text than is looked at"},
		},
		Scope:   pipeline.PerMessage,
		Offline: true,
		Build:   func(any, filters.Deps) (pipeline.Filter, error) { return filter{}, nil },
	}
}

type filter struct{}

// Inspect takes the text that filters share: it is decoded once a message.
func (filter) Inspect(_ context.Context, tx *pipeline.Transaction) (pipeline.Finding, error) {
	t, err := text.Of(tx.Part, tx.Message)
	if err != nil {
		return pipeline.Finding{}, err
	}
	fd := pipeline.Finding{Facts: pipeline.Facts{"text": t.Body.Raw, "urls": t.Links, "cut": t.Cut}}
	if t.Cut {
		fd.Reason = "there was more text than is looked at"
	}
	return fd, nil
}
