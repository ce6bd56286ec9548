package outbound_test

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/outbound"
	"github.com/forepost/forepost/relay/route"
)

// How the rooms stand together: a resolver, a table, a client.
func Example() {
	resolver := dns.NewCache(dns.MustZone(dns.Names{
		"example.org": {"MX": []string{"0 ."}},
	}), nil, 0)
	table, err := route.NewTable(route.TableOptions{
		Routes:   []*route.Route{{Name: "exchange", Kind: route.Hosts, To: []route.Target{{Host: "10.0.0.5", Port: 25}}}},
		Domains:  map[string]string{"example.com": "exchange"},
		Resolver: resolver,
		Self: route.Self{
			Names: []string{"gate.example.com"},
			Addrs: route.Listening([]netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:25")}, nil),
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client := outbound.NewSMTP(outbound.Options{Hostname: "gate.example.com", Finder: table})
	defer client.Close()

	env := mail.Envelope{To: []mail.Recipient{{Address: mail.MustParseAddress("bob@example.org")}}}
	r, err := table.Find(env.To[0])
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, a := range client.For(r).Deliver(context.Background(), env, &mail.Message{Blob: mail.Bytes("Subject: hi\r\n\r\n")}) {
		fmt.Println(r.Name, a.Reply)
	}
	// Output: mx 556 5.1.10 The domain example.org takes no mail (null MX)
}
