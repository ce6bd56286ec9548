package inbound

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/pipeline"
)

// A duration in the record is a duration to who reads it: 3.6e+12 is nothing.
func TestFactsAreTold(t *testing.T) {
	facts := pipeline.Facts{"over": true, "count": 2.0, "wait": time.Hour}
	kept, left := told(facts)
	b, err := json.Marshal(kept)
	if want := `{"count":2,"over":true,"wait":"1h0m0s"}`; err != nil || string(b) != want {
		t.Errorf("%s, %v; want %s", b, err, want)
	}
	if left != nil {
		t.Errorf("left out: %q", left)
	}
	long := strings.Repeat("x", maxFact+1)
	if kept, left := told(pipeline.Facts{"text": long, "urls": []string{long, "y"}, "n": 1.0}); len(kept) != 1 || strings.Join(left, " ") != "text urls" {
		t.Errorf("of what is too large: kept %d, left out %q", len(kept), left)
	}
	if facts["wait"] != time.Hour {
		t.Error("the finding itself was changed")
	}
}
