package inbound

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/pipeline"
)

// A duration in the record is a duration to who reads it: 3.6e+12 is nothing.
func TestFactsAreTold(t *testing.T) {
	facts := pipeline.Facts{"over": true, "count": 2.0, "wait": time.Hour}
	b, err := json.Marshal(told(facts))
	if want := `{"count":2,"over":true,"wait":"1h0m0s"}`; err != nil || string(b) != want {
		t.Errorf("%s, %v; want %s", b, err, want)
	}
	if facts["wait"] != time.Hour {
		t.Error("the finding itself was changed")
	}
}
