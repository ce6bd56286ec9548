package queue

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// Whom policy refused while the message was taken for others is never tried;
// the sender is told, a restart before that or not.
func TestRefusedRecipients(t *testing.T) {
	for _, restart := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			if !restart {
				w.start()
			}
			why := Refusal{Reply: mail.Refuse(50, 7, 1, "Not for carol"), Why: "by policy: in.data.reject.c"}
			id, err := w.trySend(Submission{Envelope: envelope("a@a.test", "bob@b.test", "carol@b.test"), Refused: map[int]Refusal{1: why}})
			if err != nil {
				t.Fatal(err)
			}
			if restart {
				w.restart().start()
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			calls := w.seen()
			if s := short(calls); s != "a@a.test>bob@b.test, >a@a.test, " && s != ">a@a.test, a@a.test>bob@b.test, " {
				t.Fatalf("delivered: %s", s)
			}
			for _, c := range calls {
				if c.env.From.IsNull() && (!strings.Contains(c.text, "carol@b.test") || !strings.Contains(c.text, "550 5.7.1 Not for carol") || strings.Contains(c.text, "Final-Recipient: rfc822; bob@")) {
					t.Errorf("the report says\n%s", c.text)
				}
			}
			if story := strings.Join(w.storyOf(id), "\n"); !strings.Contains(story, "in.data.reject.c") {
				t.Errorf("the story is\n%s", story)
			}
			if !w.empty() {
				t.Error("something is left")
			}
		})
	}
}
