package inbound

import (
	"fmt"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/pipeline"
)

// TestLMTPSpoolError: what cannot be kept is 451 for those who would have had
// it, and those who refuse it keep their own reason.
func TestLMTPSpoolError(t *testing.T) {
	s := newSite(func(c *Config) { c.Protocol = LMTP })
	s.spool.fail = fmt.Errorf("no disk")
	s.plan.run = func(at pipeline.Stage, tx *pipeline.Transaction) []pipeline.Verdict {
		if at != pipeline.Data {
			return nil
		}
		return []pipeline.Verdict{{To: 0, Action: pipeline.Reject}, {To: 1}}
	}
	said := talk(&s.cfg, []byte("LHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<bob@example.com>\r\nRCPT TO:<carol@example.com>\r\nDATA\r\n\r\n.\r\n"))
	if !strings.Contains(said, "\r\n550 5.7.1 <bob@example.com>") || !strings.Contains(said, "\r\n451 4.3.0 <carol@example.com>") || strings.Contains(said, "Queued") {
		t.Error(said)
	}
	if recs := s.trail.all(); len(recs) != 1 || len(recs[0].Outcomes) != 2 || recs[0].Outcomes[1].Rule != "builtin.spool" {
		t.Errorf("%+v", recs)
	}
}
