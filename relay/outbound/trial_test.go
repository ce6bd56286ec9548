package outbound

import (
	"fmt"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/route"
)

func TestTrial(t *testing.T) {
	cases := []struct {
		why    string
		o      func() Options
		want   []string // how steps begin, and a part of each
		taken  bool
		nobody bool
	}{
		{why: "taken", o: func() Options { return options(t, hosts(fake(t, ask+"S: 250 ok"+bye))) }, taken: true,
			want: []string{"true hosts: mx1.test (127.0.0.1:", "true connect: mx1.test[127.0.0.1]:", "true tls: none", "takes mail for <b@to.test>"}},
		{why: "refused", o: func() Options { return options(t, hosts(fake(t, ask+"S: 550 5.1.1 who?"+bye))) },
			want: []string{"true hosts: ", "true connect: ", "true tls: ", "false recipient: mx1.test[127.0.0.1]:", "550 5.1.1 who?"}},
		{why: "the second takes it", o: func() Options { return options(t, hosts(fake(t, "S: 421 busy\neof"), fake(t, ask+"S: 250 ok"+bye))) }, taken: true,
			want: []string{", then mx2.test (", "false connect: mx1.test", "busy", "true connect: mx2.test", "true recipient: "}},
		{why: "no such domain", o: func() Options { return options(t, finderErr{mail.Refuse(50, 1, 2, "no such domain")}) },
			want: []string{"false hosts: 550 5.1.2 no such domain"}},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			p := NewProber(NewSMTP(c.o()))
			steps, taken := p.Trial(t.Context(), &route.Route{Name: "exchange", Kind: route.Hosts}, mail.MustParseAddress("b@to.test"))
			var lines []string
			for _, s := range steps {
				lines = append(lines, fmt.Sprintf("%v %s: %s", s.OK, s.What, s.Said))
			}
			got := strings.Join(lines, "\n")
			if taken != c.taken {
				t.Errorf("taken: %v", taken)
			}
			rest := got
			for _, part := range c.want {
				var ok bool
				if _, rest, ok = strings.Cut(rest, part); !ok {
					t.Fatalf("no %q in its place in\n%s", part, got)
				}
			}
		})
	}
}
