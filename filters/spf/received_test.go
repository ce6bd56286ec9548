package spf

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// TestReceivedSPF: the field of RFC 7208 section 9.1, only where it is asked
// for; nothing that a stranger says ends a line or a string of it.
func TestReceivedSPF(t *testing.T) {
	zone := dns.MustZone(dns.Names{
		"example.test": {"TXT": []string{"v=spf1 ip4:192.0.2.0/24 -all"}},
		"broken.test":  {"TXT": []string{"v=spf1 \"; receiver=x"}},
	})
	for _, c := range []struct{ why, helo, from, want string }{
		{"a pass", "mx.example.test", "ann@example.test",
			"pass\r\n\treceiver=gw.test;\r\n\tclient-ip=192.0.2.1;\r\n\tidentity=mailfrom;\r\n\tenvelope-from=\"ann@example.test\";\r\n\thelo=mx.example.test;\r\n\tmechanism=\"ip4:192.0.2.0/24\""},
		{"a bounce", "[192.0.2.1]", "",
			"none\r\n\treceiver=gw.test;\r\n\tclient-ip=192.0.2.1;\r\n\tidentity=helo;\r\n\tenvelope-from=\"\";\r\n\thelo=\"[192.0.2.1]\";\r\n\tmechanism=default"},
		{"a stranger's words", "x\"; receiver=y\r\nX: y", "b@broken.test",
			"permerror\r\n\treceiver=gw.test;\r\n\tclient-ip=192.0.2.1;\r\n\tidentity=mailfrom;\r\n\tenvelope-from=\"b@broken.test\";\r\n\thelo=\"x\\\"; receiver=y  X: y\";\r\n\tmechanism=default;\r\n\tproblem=\"broken.test: \\\"\\\\\\\";\\\": there is no such mechanism\""},
	} {
		for _, on := range []bool{true, false} {
			f, err := Kind().Build(&Settings{ReceivedSPF: on}, filters.Deps{DNS: zone, Hostname: "gw.test"})
			if err != nil {
				t.Fatal(err)
			}
			tx := pipeline.NewTransaction(&pipeline.Session{Client: netip.MustParseAddr("192.0.2.1"), Helo: c.helo})
			if c.from != "" {
				tx.From = mail.MustParseAddress(c.from)
			}
			fd, err := f.Inspect(t.Context(), tx)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, field := range fd.Fields {
				got = append(got, field.Name+": "+field.Value)
			}
			want := ""
			if on {
				want = "Received-SPF: " + c.want
			}
			if s := strings.Join(got, "\n"); s != want {
				t.Errorf("%s:\n%q, want\n%q", c.why, s, want)
			}
		}
	}
}
