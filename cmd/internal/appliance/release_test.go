package appliance

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/trail"
)

const releaseConfig = `
hostname = "mx.a.test"
domain "a.test" {
  route = route.store
}
domain "b.test" {
  route      = route.next
  recipients = any
}
route "next" {
  to  = ["%s"]
  tls = may
}
account "ann@a.test" {
  password = "secret"
}
listener "edge" {
  address = "127.0.0.1:0"
  tls     = off
  policy  = policy.careful
}
quarantine "forged" {}
policy "careful" {
  data {
    quarantine "all" {
      when = mail.from == "ann@a.test" && contains(rcpt.address, "kept")
    }
  }
}
dns {
  zone = "zone.json"
}
`

// TestReleasedIsNotVouchedFor: threats.md, "Backscatter". That a person lets a message
// out of a quarantine does not speak for its sender, who may be forged: where it then
// fails no report goes there, though one goes for the same message that was never kept.
func TestReleasedIsNotVouchedFor(t *testing.T) {
	srv := smtp.NewServer(&dsnPeer{}) // refuses who begins with no
	srv.Domain = "mx.b.test"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go srv.Serve(l)
	defer srv.Close()
	now, _ := clock()
	a := oneGateway(t, t.TempDir(), fmt.Sprintf(releaseConfig, l.Addr()), now, 25)
	defer func() { stopGateway(t, a) }()
	empty := func() bool { return a.keep.queue.Stats().Entries == 0 }

	dsnTalk(t, addressOf(t, a), "MAIL FROM:<ann@a.test>", "RCPT TO:<no-kept@b.test>")
	until(t, "nothing is kept", func() bool { list, _ := a.QuarantineList("", "", 0); return len(list) == 1 && empty() })
	list, err := a.QuarantineList("", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.QuarantineAct(t.Context(), admin.QuarantineOrder{What: "release", Filter: "id:" + string(list[0].ID)})
	if err != nil || r.Done != 1 {
		t.Fatal(r, err)
	}
	until(t, "the queue does not empty", empty)
	if n := inbox(t, a, "ann@a.test"); n != 0 {
		t.Errorf("%d reports about a released message to a sender for whom nothing speaks", n)
	}
	stories, err := a.keep.trail.Stories(list[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	told := ""
	for _, s := range stories {
		for _, e := range s.Events {
			if _, id, ok := strings.Cut(e.Note, " by a person, as "); ok {
				told = id
			}
		}
	}
	if stories, err = a.keep.trail.Stories(mail.ID(told)); err != nil || !strings.Contains(fmt.Sprint(stories), "no report: nothing speaks for the sender") {
		t.Errorf("the trail of %q says %v %v", told, stories, err)
	}

	dsnTalk(t, addressOf(t, a), "MAIL FROM:<ann@a.test>", "RCPT TO:<no-body@b.test>")
	until(t, "no report of a message that was not kept", func() bool { return inbox(t, a, "ann@a.test") == 1 && empty() })
}

func TestStandingOfReleased(t *testing.T) {
	from, _ := mail.ParseAddress("ann@a.test", false)
	fact := func(filter, result string, domains ...string) *trail.Record {
		return &trail.Record{Facts: []trail.Fact{{Filter: filter, Values: map[string]any{"result": result, "domains": domains}}}}
	}
	for _, c := range []struct {
		why  string
		rec  *trail.Record
		want mail.Standing
	}{
		{"the trail has forgotten", nil, mail.Doubted},
		{"nothing was looked at", &trail.Record{}, mail.Doubted},
		{"a network of ours", &trail.Record{Trusted: true}, mail.Vouched},
		{"who logged in", &trail.Record{Auth: "ann"}, mail.Vouched},
		{"SPF passes", fact("spf", "pass"), mail.Vouched},
		{"SPF fails", fact("spf", "softfail"), mail.Disowned},
		{"SPF cannot tell", fact("spf", "neutral"), mail.Doubted},
		{"signed by its domain", fact("dkim", "pass", "x.test", "A.test"), mail.Vouched},
		{"signed by another", fact("dkim", "pass", "x.test"), mail.Doubted},
	} {
		if got := standingOf(c.rec, from); got != c.want {
			t.Errorf("%s: %d, want %d", c.why, got, c.want)
		}
	}
}
