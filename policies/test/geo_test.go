package test

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/builtin"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

const geoSite = "testdata/geo/site.hcl"

// TestNetworks: cases state the network of the client as they state its name;
// the database is not asked.
func TestNetworks(t *testing.T) {
	rep := run(t, "testdata/geo/site.test.hcl", options(geoSite))
	var text bytes.Buffer
	if err := rep.Text(&text, true); err != nil || rep.Failed > 0 || rep.Passed != 4 || rep.Matched != rep.Rules {
		t.Errorf("%v, %d of %d rules\n%s", err, rep.Matched, rep.Rules, text.String())
	}
}

func loadGeo(t *testing.T, file string) (*policies.Policies, error) {
	t.Helper()
	now := func() time.Time { return noon }
	c, ds := policies.Load(file, policies.Options{Kinds: builtin.Kinds(), Now: now})
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	ps, err := c.Build(filters.Deps{Now: now})
	if err != nil && len(c.Made(err)) == 1 {
		t.Log(c.Made(err)[0])
	}
	return ps, err
}

// TestNetworksAreAsked: the filter itself, with its database beside the
// configuration, and the rules about what it finds.
func TestNetworksAreAsked(t *testing.T) {
	ps, err := loadGeo(t, geoSite)
	if err != nil {
		t.Fatal(err)
	}
	plan, _ := ps.Plan("inbound")
	for client, want := range map[string]string{"203.0.113.9": "550 5.7.1 No mail from AS64496 in NL", "198.51.100.1": "", "127.0.0.1": "", "2001:db8::1": ""} {
		tx := companyTransaction(t)
		tx.Session.Client = netip.MustParseAddr(client)
		tx.Use(ps.Set)
		got := ""
		for _, v := range plan.Run(t.Context(), pipeline.Rcpt, tx) {
			got = v.Reply.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", client, got, want)
		}
	}
}

// TestDamagedNetworks: the error names the block, the file and what to do.
func TestDamagedNetworks(t *testing.T) {
	text, err := os.ReadFile(geoSite)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile("testdata/geo/networks.mmdb")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file, base := filepath.Join(dir, "site.hcl"), filepath.Join(dir, "networks.mmdb")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = loadGeo(t, file)
	if err == nil || !strings.HasPrefix(err.Error(), file+":17: geo: "+base+": no such file or directory; put the database there") {
		t.Errorf("missing: %v", err)
	}
	if err := os.WriteFile(base, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = loadGeo(t, file)
	if err == nil || !strings.HasPrefix(err.Error(), file+":17: geo: "+base+" is damaged") || !strings.Contains(err.Error(), "fetch it again") {
		t.Errorf("cut off: %v", err)
	}
}

// TestNetworksFromRecord: a case made of a record states them.
func TestNetworksFromRecord(t *testing.T) {
	b, err := os.ReadFile("testdata/records/taken.json")
	if err != nil {
		t.Fatal(err)
	}
	var in struct{ Record trail.Record }
	if err := json.Unmarshal(b, &in); err != nil {
		t.Fatal(err)
	}
	in.Record.Rules = nil // they are another policy's
	in.Record.Facts = append([]trail.Fact{}, trail.Fact{Filter: "geo", Values: map[string]any{"asn": 64499.0, "country": "SE"}})
	one, err := FromRecord(t.Context(), &in.Record, options(geoSite))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"asn = 64499", `country = "SE"`} {
		if !strings.Contains(one.Text, s) {
			t.Errorf("%q does not stand in\n%s", s, one.Text)
		}
	}
}
