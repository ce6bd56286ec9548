package inbound

import (
	"testing"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// What is returned names the address that the sender used, not what it stands for,
// keeps what the sender asked of reports, and has the policy's reply.
func TestReturned(t *testing.T) {
	team := mail.MustParseAddress("team@example.com")
	to := pipeline.Recipient{Address: team, Original: "rfc822;team@old.example", Notify: mail.NotifyFailure,
		Acceptance: mail.Acceptance{Final: []mail.Address{mail.MustParseAddress("bob@example.com")}}}
	v := pipeline.Verdict{Reply: mail.Refuse(50, 7, 1, "no programs"),
		Ledger: pipeline.Ledger{Copies: []mail.Address{mail.MustParseAddress("archive@example.com")}, Route: "elsewhere"}}
	b := returned(to, v, 3)
	if len(b.to) != 1 || b.to[0].Address != team || b.to[0].Original != to.Original || b.to[0].Notify != mail.NotifyFailure || b.to[0].Route != "" {
		t.Errorf("returned for %+v", b.to)
	}
	if b.bounce != v.Reply || b.first != 3 {
		t.Errorf("%+v", b)
	}
	if b := returned(to, pipeline.Verdict{}, 0); b.bounce.IsZero() || b.bounce.Class != mail.Permanent {
		t.Errorf("without words of the policy: %+v", b.bounce)
	}
}
