// Package clamav asks a ClamAV daemon whether a message has malware in it.
package clamav

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/internal/line"
	"github.com/forepost/forepost/relay/pipeline"
)

// Settings are the filter's own.
type Settings struct {
	Socket  string `hcl:"socket,required"`       // "/run/clamav/clamd.ctl", or "127.0.0.1:3310"
	MaxSize int64  `hcl:"max_size" unit:"bytes"` // larger messages are not tested
}

// defaultMaxSize is what clamd takes unless it is told otherwise: StreamMaxLength
// was 25 MB up to 1.0 and has been 100 MB since.
const defaultMaxSize = 25 << 20

// Kind describes the filter.
func Kind() filters.Kind {
	return filters.Kind{
		Name:  "clamav",
		Doc:   "asks a ClamAV daemon (clamd) for malware",
		From:  pipeline.Data,
		Named: true,
		Facts: pipeline.Schema{
			{Name: "infected", Type: pipeline.Bool, Doc: "malware was found"},
			{Name: "virus", Type: pipeline.String, Doc: "its name, as ClamAV has it"},
			{Name: "tested", Type: pipeline.Bool, Doc: "the message was looked at: it was not too large"},
		},
		Scope:    pipeline.PerMessage,
		Slow:     true,
		Settings: func() any { return &Settings{MaxSize: defaultMaxSize} },
		Build:    build,
	}
}

type filter struct {
	network, address string
	max              int64
}

func build(settings any, _ filters.Deps) (pipeline.Filter, error) {
	s := settings.(*Settings)
	f := &filter{network: "unix", address: s.Socket, max: s.MaxSize}
	if !strings.HasPrefix(s.Socket, "/") {
		f.network = "tcp"
		if _, _, err := net.SplitHostPort(s.Socket); err != nil {
			return nil, fmt.Errorf("socket %q is neither a path (/run/clamav/clamd.ctl) nor host:port", s.Socket)
		}
	}
	if s.MaxSize <= 0 {
		return nil, fmt.Errorf("max_size is %d; it must be above 0", s.MaxSize)
	}
	return f, nil
}

// Inspect sends the message as it was received, below our own fields.
func (f *filter) Inspect(ctx context.Context, tx *pipeline.Transaction) (pipeline.Finding, error) {
	if tx.Message == nil {
		return pipeline.Finding{}, errors.New("there is no message yet")
	}
	if size := tx.Message.Size(); size > f.max {
		return notTested(fmt.Sprintf("not tested: %d octets are more than max_size", size)), nil
	}
	r, err := tx.Message.Open()
	if err != nil {
		return pipeline.Finding{}, err
	}
	defer r.Close()
	reply, err := f.ask(ctx, r)
	if err != nil {
		return pipeline.Finding{}, fmt.Errorf("clamd at %s: %w", f.address, err)
	}
	return finding(reply)
}

// finding reads an answer: "stream: OK", "stream: Name FOUND", "... ERROR".
func finding(reply string) (pipeline.Finding, error) {
	answer := strings.TrimPrefix(reply, "stream: ")
	if answer == "OK" {
		return pipeline.Finding{Facts: pipeline.Facts{"infected": false, "virus": "", "tested": true}, Reason: "clean"}, nil
	}
	if name, ok := strings.CutSuffix(answer, " FOUND"); ok {
		name = line.Clean(name)
		return pipeline.Finding{Facts: pipeline.Facts{"infected": true, "virus": name, "tested": true}, Reason: name}, nil
	}
	if strings.HasPrefix(answer, "INSTREAM size limit exceeded") {
		return notTested("not tested: larger than StreamMaxLength of clamd"), nil
	}
	return pipeline.Finding{}, fmt.Errorf("clamd answers %q", line.Clean(reply))
}

func notTested(why string) pipeline.Finding {
	return pipeline.Finding{Facts: pipeline.Facts{"infected": false, "virus": "", "tested": false}, Reason: why}
}
