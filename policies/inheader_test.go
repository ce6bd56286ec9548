package policies

import (
	"context"
	"slices"
	"testing"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// TestRcptInHeader is threats.md "DKIM replay": a message that was signed once is
// sent to many who do not stand in it, and a rule can ask which they are.
func TestRcptInHeader(t *testing.T) {
	text := "From: ann@stranger.test\r\nTo: Bob <BOB@Example.COM>, \"Dan D\" <\"dan d\"@example.com>\r\n" +
		"To: eve@bücher.test\r\nCc: team: carol@example.com;, broken@\r\nBcc: mallory@example.com\r\nSubject: none of frank@example.com\r\n\r\nx\r\n"
	tx := transaction(t, "bob@example.com", "carol@example.com", `"dan d"@example.com`, "eve@xn--bcher-kva.test",
		"mallory@example.com", "frank@example.com", "obob@example.com")
	tx.Message, tx.Part = &mail.Message{Blob: mail.Bytes(text)}, partOf(text)
	p := newWorld().plan(t, head+"policy \"p\" {\n data {\n tag \"x\" {\n when = !rcpt.in_header\n add = [\"replayed\"]\n}\n}\n}\n")
	var got []string
	for i, v := range p.Run(context.Background(), pipeline.Data, tx) {
		if slices.Contains(v.Ledger.Tags, "replayed") {
			got = append(got, tx.To[i].Address.Local)
		}
	}
	if !slices.Equal(got, []string{"mallory", "frank", "obob"}) {
		t.Errorf("not in the header: %v, want mallory, frank and obob", got)
	}
}
