// Package attachment tells what is attached to a message: names, types, what
// stands in archives, macros.
package attachment

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/internal/line"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

// Kind describes the filter.
func Kind() filters.Kind {
	return filters.Kind{
		Name: "attachment",
		Root: "msg",
		Doc:  "names, types and macros of what is attached, archives included",
		From: pipeline.Data,
		Facts: pipeline.Schema{
			{Name: "extensions", Type: pipeline.Strings, Doc: "all extensions of file names, lower case, without the dot; those in archives too, and what the first octets say"},
			{Name: "mime_types", Type: pipeline.Strings, Doc: "what the parts say they are, and what their first octets say"},
			{Name: "names", Type: pipeline.Strings, Doc: "file names, those in archives as archive.zip/name"},
			{Name: "has_macros", Type: pipeline.Bool, Doc: "a document has macros (VBA)"},
			{Name: "has_encrypted_archive", Type: pipeline.Bool, Doc: "an archive has encrypted files"},
			{Name: "unscannable", Type: pipeline.Bool, Doc: "something could not be looked into: too large, too deep, broken, or a sort of archive that is not opened"},
		},
		Scope:   pipeline.PerMessage,
		Offline: true,
		Build:   func(any, filters.Deps) (pipeline.Filter, error) { return filter{}, nil },
	}
}

type filter struct{}

// maxNames is how many names, extensions and types are told.
const maxNames = 1000

// report gathers what is seen.
type report struct {
	extensions, types, names list
	macros, encrypted        bool
	unscannable              string // why, "" for all was looked into
}

// Inspect looks into every part that is no container.
func (filter) Inspect(ctx context.Context, tx *pipeline.Transaction) (pipeline.Finding, error) {
	if tx.Part == nil || tx.Message == nil {
		return pipeline.Finding{}, errors.New("there is no message yet")
	}
	r, err := tx.Message.Open()
	if err != nil {
		return pipeline.Finding{}, err
	}
	defer r.Close()
	rep := &report{}
	s := &scan{ctx: ctx, rep: rep, budget: maxInflated, files: maxFiles}
	tx.Part.Walk(func(p *mime.Part) bool {
		s.part(p, r)
		return ctx.Err() == nil && s.err == nil
	})
	if tx.Part.Has(mime.DefectLimit) {
		rep.cannot("the message has more parts than are looked at")
	}
	if err := errors.Join(ctx.Err(), s.err); err != nil {
		return rep.finding(), err
	}
	return rep.finding(), nil
}

// part looks at one part of the message.
func (s *scan) part(p *mime.Part, r io.ReaderAt) {
	if p.Type != "" {
		s.rep.types.add(line.Clean(p.Type))
	}
	for _, n := range p.Names {
		s.rep.name("", n)
	}
	if len(p.Parts) > 0 || p.Message != nil || isPlain(p) {
		return
	}
	b, err := io.ReadAll(io.LimitReader(p.Content(r), maxPart+1))
	switch {
	case err != nil:
		s.err = err
	case len(b) > maxPart:
		s.rep.cannot("a part is too large")
		s.rep.magic(b)
	default:
		name := ""
		if len(p.Names) > 0 {
			name = p.Names[0]
		}
		s.file(name, b, 0)
	}
}

// isPlain tells whether a part is text of the message itself, and nothing that
// claims to be a file.
func isPlain(p *mime.Part) bool {
	return len(p.Names) == 0 && p.Disposition != "attachment" && (p.Type == "text/plain" || p.Type == "text/html")
}

// magic notes what the first octets say, and its extension: a program under the
// name of a picture is a program.
func (rep *report) magic(b []byte) *mimetype.MIME {
	m := mimetype.Detect(b)
	typ, _, _ := strings.Cut(m.String(), ";")
	if typ == "application/octet-stream" || typ == "text/plain" {
		return m
	}
	rep.types.add(typ)
	if ext := m.Extension(); len(ext) > 1 {
		rep.extensions.add(ext[1:])
	}
	return m
}

func (rep *report) cannot(why string) {
	if rep.unscannable == "" {
		rep.unscannable = why
	}
}

func (rep *report) finding() pipeline.Finding {
	reason := "nothing attached"
	if n := len(rep.names); n > 0 {
		reason = strings.Join(rep.names[:min(n, 5)], ", ")
	}
	if rep.unscannable != "" {
		reason += "; " + rep.unscannable
	}
	return pipeline.Finding{
		Facts: pipeline.Facts{
			"extensions":            []string(rep.extensions),
			"mime_types":            []string(rep.types),
			"names":                 []string(rep.names),
			"has_macros":            rep.macros,
			"has_encrypted_archive": rep.encrypted,
			"unscannable":           rep.unscannable != "",
		},
		Reason: line.Clean(reason),
	}
}

// list is a set of strings in the order of finding.
type list []string

func (l *list) add(s string) {
	if len(*l) < maxNames && !slices.Contains(*l, s) {
		*l = append(*l, s)
	}
}
