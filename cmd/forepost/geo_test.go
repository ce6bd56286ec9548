package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// geoConfig is mail of which rules ask in which network the client is.
const geoConfig = `
hostname = "gw.test"
listener "edge" {
  address = "127.0.0.1:0"
  tls     = off
  policy  = policy.p
  xclient = ["127.0.0.1/32"]
}
domain "local.test" {
  route = route.store
}
FILTER
policy "p" {
  rcpt {
    reject "network" {
      when = client.asn == 64496
      text = "5.7.1 No mail from AS${client.asn}"
    }
    reject "country" {
      when = listed(client.country, ["DE"])
      text = "5.7.1 No mail from ${client.country}"
    }
  }
}
`

const geoFilter = "filter \"geo\" {\n  asn     = \"networks.mmdb\"\n  country = \"countries.mmdb\"\n}\n"

// putDatabase puts a database of the filter's tests in a place, as geoipupdate
// does; keep is how much of it, 1 for all.
func putDatabase(t *testing.T, name, path string, keep int) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../filters/geo/testdata", name+".mmdb"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", b[:len(b)/keep], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// rcptAs is the reply to RCPT that a client at an address gets.
func rcptAs(t *testing.T, g *gateway, ip string) string {
	t.Helper()
	c := dialSMTP(t, g.address("smtp", "edge"))
	c.say(t, "EHLO front.test", "250")
	c.say(t, "XCLIENT ADDR="+ip, "220")
	c.say(t, "EHLO client.test", "250")
	c.say(t, "MAIL FROM:<ann@stranger.test>", "250")
	reply := c.say(t, "RCPT TO:<bob@local.test>", "")
	c.say(t, "QUIT", "221")
	return reply
}

// TestNetworksOfClients: rules about the network of the client, from databases
// that are replaced while the gateway runs; a damaged one leaves what was in
// force; and what is recorded tells why.
func TestNetworksOfClients(t *testing.T) {
	g := serveGateway(t, strings.Replace(geoConfig[:strings.Index(geoConfig, "  rcpt {")]+"}\n", "FILTER", "", 1))
	g.addUser("bob@local.test", "secret")
	ask := func(want int, args ...string) string {
		t.Helper()
		code, out, errs := forepost(append(args, "--data", g.data())...)
		if code != want {
			t.Errorf("%q ends with %d, want %d:\n%s%s", args, code, want, out, errs)
		}
		return out + errs
	}
	if err := sendOne(g.address("smtp", "edge"), "bob@local.test", "before there was a filter"); err != nil {
		t.Fatal(err)
	}

	g.write(strings.Replace(geoConfig, "FILTER", "", 1))
	says(t, ask(exitFailed, "reload"), `Write asn = "/var/lib/GeoIP/GeoLite2-ASN.mmdb" into the block filter "geo" {}`)
	g.write(strings.Replace(geoConfig, "FILTER", geoFilter, 1))
	networks, countries := filepath.Join(g.dir, "networks.mmdb"), filepath.Join(g.dir, "countries.mmdb")
	putDatabase(t, "country", countries, 1)
	says(t, ask(exitFailed, "reload"), g.config()+":12", networks+": no such file or directory; put the database there")
	putDatabase(t, "asn", networks, 2)
	says(t, ask(exitFailed, "reload"), g.config()+":12", networks+" is damaged")
	putDatabase(t, "asn", networks, 1)
	ask(exitDone, "reload")

	replies := func(network, country, other string) {
		t.Helper()
		for ip, want := range map[string]string{"203.0.113.9": network, "198.51.100.1": country, "127.0.0.1": other, "10.0.0.1": other} {
			if got := rcptAs(t, g, ip); !strings.HasPrefix(got, want) {
				t.Errorf("%s gets %q, want %q", ip, got, want)
			}
		}
	}
	replies("550 5.7.1 No mail from AS64496", "550 5.7.1 No mail from DE", "250")
	says(t, ask(exitDone, "trace", "--json"), `"filter":"geo"`, `"asn":64496`, `"country":"NL"`)
	says(t, ask(exitDone, "policy", "replay", "--policy", g.config()), "cannot tell: 1 that had accept; needs client.asn or client.country")

	putDatabase(t, "asn-newer", networks, 1)
	putDatabase(t, "country", countries, 2)
	ask(exitFailed, "reload")
	replies("550 5.7.1 No mail from AS64496", "550 5.7.1 No mail from DE", "250")
	putDatabase(t, "country", countries, 1)
	ask(exitDone, "reload")
	replies("250", "550 5.7.1 No mail from DE", "250")
}

// TestNetworksInDryRuns: sessions, explanations and the console see what the
// databases have; where they lie elsewhere, only what they would say is unknown.
func TestNetworksInDryRuns(t *testing.T) {
	config := writeFile(t, "forepost.hcl", strings.Replace(geoConfig, "FILTER", geoFilter, 1))
	eml := writeFile(t, "a.eml", "From: ann@stranger.test\nSubject: Hello\n\nHi\n")
	at := []string{"--config", config, "--ip", "203.0.113.9"}
	explain := append([]string{"explain", "--eml", eml, "--from", "ann@stranger.test", "--rcpt", "bob@local.test"}, at...)
	session := append([]string{"policy", "session"}, at...)
	typed := "HELO a.test\nMAIL FROM:<ann@stranger.test>\nRCPT TO:<bob@local.test>\nQUIT\n"
	try := func(typed string, args []string, want ...string) {
		t.Helper()
		code, out, errs := foreposted(typed, args...)
		if code != exitDone {
			t.Errorf("%q ends with %d", args, code)
		}
		says(t, out+errs, want...)
	}
	try("", explain, "ACCEPT  bob@local.test", "networks.mmdb: no such file or directory")
	try(typed, session, "250 2.1.5")

	putDatabase(t, "asn", filepath.Join(filepath.Dir(config), "networks.mmdb"), 1)
	putDatabase(t, "country", filepath.Join(filepath.Dir(config), "countries.mmdb"), 1)
	try("", explain, "REJECT  bob@local.test  by p.rcpt.reject.network", "203.0.113.9 is in AS64496, NL")
	try(typed, session, "550 5.7.1 No mail from AS64496", "rcpt  reject  network  yes")
	console := append([]string{"policy", "console", "--eml", eml, "--rcpt", "bob@local.test"}, at...)
	try("client.asn\nclient.country\n", console, "64496  (number)", `"NL"  (string)`)
}
