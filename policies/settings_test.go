package policies

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

func company(t testing.TB) *Config {
	t.Helper()
	o := Options{Kinds: newWorld().kinds(), Now: func() time.Time { return noon }, Strict: true, Credentials: []string{"testdata/secrets"}}
	c, ds := Load("testdata/good/company.hcl", o)
	if len(ds) > 0 {
		t.Fatal(ds)
	}
	return c
}

// line is some values with a space between any two.
func line(vs ...any) string { return strings.TrimSpace(fmt.Sprintln(vs...)) }

func TestSettings(t *testing.T) {
	s := company(t).Settings
	edge, sub := s.Listeners[0], s.Listeners[1]
	lab := s.Domains[1]
	for i, c := range []struct{ got, want any }{
		{s.Postmaster.String(), "post@example.net"},
		{s.DataDir, "/var/lib/forepost"},
		{line(edge.Protocol, edge.TLS, edge.MaxSize, edge.RejectEarly, edge.Policy), "smtp auto 31457280 true inbound"},
		{line(edge.XClient, edge.Gate), "[10.0.0.8/32] {1000 50 30 {90 1m0s} {2400 1m0s} 24 56 2s}"},
		{line(sub.Gate), "{1000 50 200 {600 1m0s} {2400 1m0s} 24 64 0s}"},
		{line(sub.Protocol, sub.TLS, sub.MaxSize, sub.Auth), "submission implicit 52428800 accounts"},
		{s.Domains[0].Recipients.Mode, "accounts"},
		{line(s.Domains[0].Aliases["info"], s.Domains[0].Aliases["first.last"]), "[ann@example.net bob@example.net] [ann@example.net]"},
		{strings.HasPrefix(string(s.Domains[0].DKIM[0].Key), "-----BEGIN"), true},
		{lab.Recipients.List(mail.MustParseAddress("Eve@lab.example.net")), true},
		{lab.Recipients.List(mail.MustParseAddress("x@lab.example.net")), false},
		{line(s.Routes[0].Kind, s.Routes[0].To, s.Routes[0].Retry.Expire, s.Routes[0].Retry.Jitter, s.Routes[0].Strategy, s.Routes[0].Concurrency), "lmtp [mail.lab.example.net:24] 96h0m0s 0.2 balance 8"},
		{string(s.Routes[1].Password), "s3cret"},
		{line(s.Routes[1].Sources), "[192.0.2.7 2001:db8::7]"},
		{line(s.DNS.Resolvers), "[127.0.0.1:53 [::1]:53]"},
		{line(s.State.Backend, s.State.OnAway, s.Redis[0].Prefix), "shared closed forepost:"},
		{line(s.Control.On, s.Web.Address, s.Log.Format, s.Log.Level), "true 127.0.0.1:8025 json warn"},
		{line(s.POP3[0].Delete, s.POP3[0].LoginDelay, s.IMAP[0].TLS), "keep 30s implicit"},
		{line(s.Quarantines[0].Keep, s.Quarantines[0].Release), "336h0m0s recipient"},
		{s.Accounts[0].Quota, int64(2 << 30)},
		{line(s.Callout), "{{0 0s} {600 1m0s} 10}"},
		{line(s.SRS.On, s.SRS.Secret, s.Bounces.To), "true (secret) verified"},
		{line(s.Reports.DMARC, s.Reports.TLS, s.Reports.From, s.Reports.Org, s.Reports.Domains, s.Reports.Read), "true true dmarc@example.net Example Ltd [example.net] [ann@example.net]"},
	} {
		if c.got != c.want {
			t.Errorf("%d: got %v, want %v", i, c.got, c.want)
		}
	}
}

// TestSecretsAreNotPrinted: neither by fmt nor by encoding/json.
func TestSecretsAreNotPrinted(t *testing.T) {
	s := company(t).Settings
	j, err := json.Marshal(s.Routes)
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{fmt.Sprintf("%v %+v %#v %s", s.Routes, s.Routes, s.Routes, s.Domains[0].DKIM[0].Key), string(j)} {
		if strings.Contains(out, "s3cret") || strings.Contains(out, "BEGIN") || !strings.Contains(out, "(secret)") {
			t.Errorf("a secret is printed: %s", out)
		}
	}
}

func TestDefaults(t *testing.T) {
	c := newWorld().load(t, "hostname = \"MX.example.org\"\ndomain \"b\u00fccher.test\" {\n  route = route.out\n}\nroute \"out\" {\n  to = \"10.0.0.5\"\n}\nlistener \"a\" {\n  address = \":25\"\n}\n")
	s := c.Settings
	if got := line(s.Hostname, s.Postmaster, s.Domains[0].Recipients.Mode, s.Routes[0].To, s.Listeners[0].Policy, s.State.Backend, s.Control.On); got !=
		"mx.example.org postmaster@xn--bcher-kva.test callout [10.0.0.5:25] recommended embedded false" {
		t.Errorf("got %s", got)
	}
}

func TestVariables(t *testing.T) {
	text := "hostname = var.host\nvariable \"host\" {}\nvariable \"n\" {\n  type    = number\n  default = 3\n}\npolicy \"p\" {\n  thresholds = { reject = var.n }\n}\n"
	files := map[string]string{"/etc/main.hcl": text, "/etc/forepost.vars.hcl": "host = \"written.test\"\n"}
	o := newWorld().memory(files)
	host := func() string {
		c, ds := Load("/etc/main.hcl", o)
		if ds.HasErrors() {
			t.Fatal(ds)
		}
		return c.Settings.Hostname
	}
	if got := host(); got != "written.test" {
		t.Errorf("from the file: %s", got)
	}
	o.Env = func(n string) (string, bool) { return "env.test", n == "FOREPOST_VAR_host" }
	if got := host(); got != "env.test" {
		t.Errorf("from the environment: %s", got)
	}
	o.Vars = map[string]string{"host": "flag.test", "n": "many"}
	_, ds := Load("/etc/main.hcl", o)
	if len(ds) != 1 || ds[0].Code != "FP0204" {
		t.Errorf("a number that is none: %v", ds)
	}
}

func TestStrict(t *testing.T) {
	o := newWorld().memory(map[string]string{"/etc/main.hcl": "hostname = \"a.test\"\nlist \"l\" {\n  type = word\n  file = \"none\"\n}\npolicy \"p\" {\n  rcpt {\n    accept \"a\" {\n      when = listed(rcpt.local, list.l)\n    }\n  }\n}\n"})
	if c, ds := Load("/etc/main.hcl", o); c == nil || len(ds) != 1 || ds[0].Severity != SeverityWarning {
		t.Errorf("check: %v", ds)
	}
	o.Strict = true
	if c, ds := Load("/etc/main.hcl", o); c != nil || len(ds) != 1 || ds[0].Severity != SeverityError {
		t.Errorf("serve: %v", ds)
	}
}

func TestIncludes(t *testing.T) {
	o := newWorld().memory(map[string]string{
		"/etc/main.hcl": "hostname = \"a.test\"\ninclude  = [\"d/*.hcl\", \"one.hcl\"]\n",
		"/etc/d/x.hcl":  "hostname = \"b.test\"\n", "/etc/one.hcl": "include = [\"x\"]\n"})
	_, ds := Load("/etc/main.hcl", o)
	if len(ds) != 2 || ds[0].File != "/etc/d/x.hcl" || ds[0].Code != "FP0109" || ds[1].File != "/etc/one.hcl" || ds[1].Code != "FP0102" {
		t.Errorf("got %v", ds)
	}
}

func TestFilterSettings(t *testing.T) {
	w := newWorld()
	var got *contentSettings
	kinds := w.kinds()
	for i := range kinds {
		if kinds[i].Name == "content" {
			kinds[i].Build = func(s any, d filters.Deps) (pipeline.Filter, error) {
				got = s.(*contentSettings)
				if d.Name != "content.c" || d.Hostname != "mx.test" {
					t.Errorf("deps: %+v", d)
				}
				return fake{w: w, name: d.Name}, nil
			}
		}
	}
	o := w.memory(map[string]string{"/etc/main.hcl": "hostname = \"mx.test\"\nlist \"w\" {\n  type  = word\n  items = [\"a\", \"b\"]\n}\nfilter \"content\" \"c\" {\n  in    = [subject, html]\n  words = list.w\n  max   = \"2MB\"\n  score = 1.5\n  deep  = true\n}\n"})
	o.Kinds = kinds
	c, ds := Load("/etc/main.hcl", o)
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	if _, err := c.Build(filters.Deps{}); err != nil {
		t.Fatal(err)
	}
	if s := line(*got); s != "{[subject html] [a b] 2097152 1.5 true []}" {
		t.Errorf("got %s", s)
	}
}

func TestBuildSaysWhere(t *testing.T) {
	w := newWorld()
	o := w.memory(map[string]string{"/etc/main.hcl": "hostname = \"mx.test\"\n\nfilter \"content\" \"c\" {}\n"})
	for i := range o.Kinds {
		o.Kinds[i].Build = func(any, filters.Deps) (pipeline.Filter, error) { return nil, fmt.Errorf("nothing to look for") }
	}
	c, ds := Load("/etc/main.hcl", o)
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	if _, err := c.Build(filters.Deps{}); err == nil || err.Error() != "/etc/main.hcl:3: content.c: nothing to look for" {
		t.Errorf("got %v", err)
	}
}

// TestTimeOfDay: in the zone of the clock, also over a change of it.
func TestTimeOfDay(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	for now, want := range map[time.Time]string{
		time.Date(2026, 11, 24, 7, 29, 59, 0, zone): "2026-11-23T07:30:00+01:00",
		time.Date(2026, 11, 24, 7, 30, 0, 0, zone):  "2026-11-24T07:30:00+01:00",
		time.Date(2026, 3, 1, 0, 0, 0, 0, zone):     "2026-02-28T07:30:00+01:00",
		time.Date(2026, 3, 29, 7, 0, 0, 0, zone):    "2026-03-28T07:30:00+01:00",
		time.Date(2026, 3, 29, 8, 0, 0, 0, zone):    "2026-03-29T07:30:00+02:00",
	} {
		if got := (TimeOfDay{7, 30}).Last(now).Format(time.RFC3339); got != want {
			t.Errorf("at %v: %s, want %s", now, got, want)
		}
	}
}

// TestACMESettings: which challenges are answered, and where.
func TestACMESettings(t *testing.T) {
	for acme, want := range map[string]string{
		"":                             ":80 :443 {   }",
		"challenge = http":             ":80  {   }",
		"challenge = [http, tls_alpn]": ":80 :443 {   }",
		"challenge = tls_alpn\ntls_alpn = \":8443\"":                                                                                          " :8443 {   }",
		"update {\nserver = \"192.0.2.53\"\nkey = \"forepost\"\nsecret = secret(\"tsig\")\n}":                                                 "  {192.0.2.53:53 forepost hmac-sha256 (secret)}",
		"challenge = dns\nupdate {\nserver = \"[2001:db8::53]:5353\"\nkey = \"forepost.\"\nsecret = \"YWJj\"\nalgorithm = \"hmac-sha512\"\n}": "  {[2001:db8::53]:5353 forepost. hmac-sha512 (secret)}",
	} {
		text := "hostname = \"mx.test\"\nlistener \"in\" {\n  address = \":25\"\n}\ntls \"a\" {\n  acme {\n    email = \"p@mx.test\"\n    agree = true\n" + acme + "\n  }\n}\n"
		c, ds := Load("/etc/main.hcl", newWorld().memory(map[string]string{"/etc/main.hcl": text, "/secrets/tsig": "YWJj\n"}))
		if len(ds) > 0 {
			t.Errorf("%s:\n%s", acme, ds)
			continue
		}
		a := c.Settings.Certs[0].ACME
		if got := fmt.Sprint(a.HTTP, " ", a.TLSALPN, " ", a.DNS); got != want {
			t.Errorf("%s: %q, want %q", acme, got, want)
		}
		if a.DNS.Server != "" && string(a.DNS.Secret) != "YWJj" {
			t.Errorf("%s: the secret is %q", acme, string(a.DNS.Secret))
		}
	}
}
