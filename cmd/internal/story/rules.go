package story

import (
	"io"
	"time"

	"github.com/forepost/forepost/relay/trail"
)

// Rules writes the rules that ran as a table, as a story has it.
func Rules(w io.Writer, rules []*trail.Rule) error {
	p := &printer{w: w, loc: time.UTC, bare: true}
	p.rules(rules)
	return p.err
}
