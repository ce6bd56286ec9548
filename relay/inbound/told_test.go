package inbound

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/pipeline"
)

// What is too large for a record is left out by name; the rest is kept as it is.
func TestFactsAreTold(t *testing.T) {
	facts := pipeline.Facts{"over": true, "count": 2.0, "wait": time.Hour}
	if kept, left := told(facts); !maps.Equal(kept, facts) || left != nil {
		t.Errorf("kept %v, left out %q", kept, left)
	}
	long := strings.Repeat("x", maxFact+1)
	if kept, left := told(pipeline.Facts{"text": long, "urls": []string{long, "y"}, "n": 1.0}); len(kept) != 1 || strings.Join(left, " ") != "text urls" {
		t.Errorf("of what is too large: kept %d, left out %q", len(kept), left)
	}
}
