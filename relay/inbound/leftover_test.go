package inbound

import (
	"fmt"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// talkedBefore are talks that leave as much behind as a message can: all kinds of
// verdicts, parameters, lists that grew, ends in the middle.
var talkedBefore = map[string]string{
	"held, tagged, changed, copied": "MAIL FROM:<secret@s.test> RET=HDRS ENVID=secret BODY=8BITMIME SIZE=77\r\nRCPT TO:<bob@example.com> NOTIFY=NEVER ORCPT=rfc822;secret@s.test\r\n" + secretData,
	"each another":                  "MAIL FROM:<secret@s.test>\r\nRCPT TO:<bob@example.com>\r\nRCPT TO:<carol@example.com>\r\nRCPT TO:<team@example.com>\r\nRCPT TO:<secret@example.com>\r\n" + secretData,
	"refused at the data":           "MAIL FROM:<secret@s.test>\r\nRCPT TO:<a@any.example>\r\nDATA\r\nSubject: secret\r\n\r\nsecret\nsecret\x00\r\n.\r\n",
	"refused recipients, then RSET": "MAIL FROM:<secret@s.test>\r\nRCPT TO:<secret@nowhere.test>\r\nRCPT TO:<postmaster>\r\nRSET\r\n",
	"chunks that were given up":     "MAIL FROM:<secret@s.test> BODY=BINARYMIME\r\nRCPT TO:<bob@example.com>\r\nBDAT 9\r\nsecret\x00\r\nBDAT 3\r\nsecRSET\r\n",
	"large, so that buffers change": "MAIL FROM:<\"se cret\"@s.test>\r\nRCPT TO:<a@any.example>\r\nDATA\r\nSubject: secret\r\n\r\n" + strings.Repeat("..secret\xe9\r\n", 9000) + ".\r\n",
	"a drop of a line's end":        "NOOP secret" + strings.Repeat("secret", 900) + "\r\nVRFY secret\n",
}

const secretData = "DATA\r\nSubject: secret\r\nFrom: secret@s.test\r\nMessage-ID: <secret@s.test>\r\n\r\nsecret secret secret secret\r\n.\r\n"

// TestNothingIsLeftOver: what buffers and room are used again for, in the same
// session and in others, shows nothing of what they were used for before. The
// message behind any other is the one that a first message would have been.
func TestNothingIsLeftOver(t *testing.T) {
	const plain = "MAIL FROM:<z@z.test>\r\nRCPT TO:<y@any.example>\r\nDATA\r\nSubject: plain\r\n\r\nplain\r\n.\r\n"
	want := lastOf(t, "EHLO x\r\n"+plain, "")
	if !strings.Contains(want, "y any.example") && !strings.Contains(want, "y@any.example") {
		t.Fatal("the test sees no message: ", want)
	}
	for name, talk := range talkedBefore {
		if got := lastOf(t, "EHLO x\r\n"+talk+plain, ""); got != want {
			t.Errorf("behind %s, in the same session\ngot  %s\nwant %s", name, got, want)
		}
		if got := lastOf(t, "EHLO x\r\n"+plain, "EHLO secret\r\n"+talk); got != want {
			t.Errorf("behind %s, in another session\ngot  %s\nwant %s", name, got, want)
		}
	}
}

// lastOf plays sessions, and tells all that became of the last message: what was
// queued, what the trail has, what the client heard.
func lastOf(t *testing.T, in, before string) string {
	s := newSite(nil)
	ledger := pipeline.Ledger{Tags: []string{"secret"}, Route: "secret", Points: 7, Copies: []mail.Address{{Local: "secret", Domain: "example.com"}},
		Fields: []mail.Field{{Name: "X-Secret", Value: "secret"}}, Edits: []mail.Edit{{Off: 0, End: 7, With: []byte("Secret")}}}
	f := &finder{finding: pipeline.Finding{Facts: pipeline.Facts{"name": "secret"}, Fields: ledger.Fields, Reason: "secret"}}
	rules := asking(f, pipeline.PerRecipient, map[string]pipeline.Ledger{"bob": ledger, "carol": {Tags: ledger.Tags}},
		map[string]pipeline.Action{"bob": pipeline.Hold, "carol": pipeline.Quarantine})
	s.plan.run = func(at pipeline.Stage, tx *pipeline.Transaction) []pipeline.Verdict {
		if len(tx.To) > 0 && tx.To[0].Address.Local == "y" {
			return nil
		}
		return rules(at, tx)
	}
	if before != "" {
		talk(&s.cfg, []byte(before))
	}
	said := talk(&s.cfg, []byte(in))
	if s.spool.drafts != 0 || len(s.panics) > 0 || s.spool.count() == 0 {
		t.Fatal(s.spool.drafts, s.panics, said)
	}
	n := s.spool.count() - 1
	sub, rec := s.spool.committed[n], s.trail.all()
	last := rec[len(rec)-1]
	all := fmt.Sprintf("%+v %s %s", sub, *last.From, s.spool.text(t, n))
	last.From = nil
	all += fmt.Sprintf("%+v %s", last, said[strings.LastIndex(strings.TrimSuffix(said, "\r\n"), "\r\n"):])
	return strings.ReplaceAll(all, string(sub.Envelope.ID), "ID")
}
