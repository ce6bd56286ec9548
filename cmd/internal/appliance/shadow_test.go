package appliance

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/policies/replay"
	"github.com/forepost/forepost/relay/meter"
)

// TestShadow: a policy on trial counts, touches nothing, and outlives a reload and
// a restart.
func TestShadow(t *testing.T) {
	a, file := replayAppliance(t)
	if _, err := a.ShadowReport(t.Context()); err == nil {
		t.Error("a report of no trial")
	}
	b := *a.Running()
	b.Files = map[string][]byte{}
	for name, text := range a.Running().Files {
		b.Files[name] = text
	}
	b.Files[b.Main] = []byte(strings.Replace(replayConfig, `mail.domain == "refused.test"`, `mail.domain == "sender.test"`, 1))
	if ans, err := a.ShadowStart(t.Context(), &b); err != nil || ans.Started.IsZero() {
		t.Fatal(err, ans.Diagnostics)
	}
	if r := a.Reload(t.Context(), admin.ReloadOptions{}); !r.OK {
		t.Fatal(r.Error)
	}
	before := droppedByTrial(t)
	a.shadow.lost.Add(3)
	c := dialDoor(t, a, "mail.sender.test")
	if code := c.send("a@sender.test", []string{"ann@local.test"}, []byte("Subject: x\r\nMessage-ID: <1@x>\r\n\r\nx\r\n")); code != 250 {
		t.Errorf("the policy in force takes it, and the answer is %d", code)
	}
	var rep *replay.Report
	for range 1000 { // the trial has its own pace
		ans, err := a.ShadowReport(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if rep = ans.Report; rep.Messages > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	until(t, "the metric does not have the three that were dropped", func() bool { return droppedByTrial(t) == before+3 })
	if len(rep.Changes) != 1 || rep.Changes[0].From != "accept" || rep.Changes[0].To != "reject" {
		t.Errorf("%+v", rep)
	}
	if err := a.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	again := startAt(t, file)
	if ans, err := again.ShadowReport(t.Context()); err != nil || ans.Report.Messages != 0 {
		t.Errorf("after a restart: %+v, %v", ans, err)
	}
	if err := again.ShadowStop(t.Context()); err != nil {
		t.Error(err)
	}
	if err := again.ShadowStop(t.Context()); err == nil {
		t.Error("a trial that has ended ends again")
	}
}

// droppedByTrial reads the metric.
func droppedByTrial(t *testing.T) (n int) {
	t.Helper()
	w := httptest.NewRecorder()
	meter.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		fmt.Sscanf(line, `forepost_shadow_messages_total{result="dropped"} %d`, &n)
	}
	return n
}
