package meter

import (
	"net/http/httptest"
	"strings"
	"testing"
)

var counted = Counter("forepost_test_total", "A test.", "what")

func TestHandlerShowsWhatWasCounted(t *testing.T) {
	counted.Reset()
	counted.WithLabelValues("x").Add(3)
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if body := w.Body.String(); !strings.Contains(body, `forepost_test_total{what="x"} 3`) || !strings.Contains(body, "go_goroutines") {
		t.Errorf("metrics are\n%s", body)
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		declare func()
		why     string
	}{
		{func() { Counter("test_total", "x") }, "no forepost_ in front"},
		{func() { Counter("forepost_tests", "x") }, "a counter without _total"},
		{func() { Seconds("forepost_test_duration", "x") }, "a duration without _seconds"},
		{func() { Gauge("forepost_x", "") }, "no help"},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: was taken", c.why)
				}
			}()
			c.declare()
		}()
	}
}
