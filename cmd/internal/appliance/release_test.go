package appliance

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/outbound"
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
	a := releasing(t)
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
	if got := storyOfReleased(t, a, list[0].ID); !strings.Contains(got, "no report: nothing speaks for the sender") {
		t.Errorf("the trail says %s", got)
	}

	dsnTalk(t, addressOf(t, a), "MAIL FROM:<ann@a.test>", "RCPT TO:<no-body@b.test>")
	until(t, "no report of a message that was not kept", func() bool { return inbox(t, a, "ann@a.test") == 1 && empty() })
}

// releasing is a gateway in front of a server that refuses who begins with no.
func releasing(t *testing.T) *Appliance {
	t.Helper()
	srv := smtp.NewServer(&dsnPeer{})
	srv.Domain = "mx.b.test"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	now, _ := clock()
	a := oneGateway(t, t.TempDir(), fmt.Sprintf(releaseConfig, l.Addr()), now, 25)
	t.Cleanup(func() { stopGateway(t, a) })
	return a
}

// storyOfReleased is what the trail has of the message that a released one became.
func storyOfReleased(t *testing.T, a *Appliance, kept mail.ID) string {
	t.Helper()
	stories, err := a.keep.trail.Stories(kept)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stories {
		for _, e := range s.Events {
			if _, id, ok := strings.Cut(e.Note, " by a person, as "); ok {
				if stories, err = a.keep.trail.Stories(mail.ID(id)); err != nil {
					t.Fatal(err)
				}
				return fmt.Sprintf("%+v", stories)
			}
		}
	}
	t.Fatalf("%s was not released: %+v", kept, stories)
	return ""
}

// TestReleasedUnderRequireTLS: what came under REQUIRETLS (RFC 8689) is still under it
// when it leaves a quarantine: a server without TLS does not get it, as it gets other mail.
func TestReleasedUnderRequireTLS(t *testing.T) {
	a := releasing(t)
	for _, require := range []bool{true, false} {
		id := a.ids.Session().Transaction(0)
		for _, err := range a.keep.store.Deliver(t.Context(), outbound.Delivery{
			ID: id, From: mail.MustParseAddress("ann@a.test"), RequireTLS: require, Time: a.o.Now(),
			To:      []mail.Recipient{{Address: imapstore.QuarantineAddress("forged"), Original: "rfc822;bob@b.test"}},
			Message: &mail.Message{Blob: mail.Bytes("Received: from x\r\nSubject: x\r\n\r\nbody\r\n")},
		}) {
			if err != nil {
				t.Fatal(err)
			}
		}
		r, err := a.QuarantineAct(t.Context(), admin.QuarantineOrder{What: "release", Filter: "id:" + string(id)})
		if err != nil || r.Done != 1 {
			t.Fatal(r, err)
		}
		want := "What:delivered"
		if require {
			want = "does not offer STARTTLS, which the sender (REQUIRETLS) demands"
		}
		until(t, fmt.Sprintf("REQUIRETLS %v: not %q", require, want), func() bool { return strings.Contains(storyOfReleased(t, a, id), want) })
	}
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
