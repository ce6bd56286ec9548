package dkim

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

// now is the wall clock, since the library dates signatures by it.
var now = time.Now()

func inspect(t *testing.T, zone dns.Resolver, msg string) (pipeline.Finding, error) {
	t.Helper()
	f, err := Kind().Build(nil, filters.Deps{DNS: zone, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	blob := mail.Bytes(msg)
	tx := pipeline.NewTransaction(&pipeline.Session{})
	tx.Message = &mail.Message{Blob: blob}
	if tx.Part, err = mime.Parse(blob, mime.Limits{}); err != nil {
		t.Fatal(err)
	}
	return f.Inspect(t.Context(), tx)
}

func suite(t *testing.T, path string) string {
	t.Helper()
	dir := os.Getenv("FOREPOST_SUITES")
	if dir == "" {
		t.Skip("FOREPOST_SUITES is not set")
	}
	b, err := os.ReadFile(filepath.Join(dir, "dkim", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// wire makes all line ends CRLF.
func wire(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

// zoneOf reads lines of a name and a TXT record, parted by sep. A backslash at
// the end of a line joins it with the next.
func zoneOf(t *testing.T, text, sep string) dns.Resolver {
	t.Helper()
	names := dns.Names{}
	for _, line := range strings.Split(strings.ReplaceAll(text, "\\\n", ""), "\n") {
		name, txt, ok := strings.Cut(strings.TrimSpace(line), sep)
		if !ok {
			continue
		}
		txt = strings.TrimSpace(txt)
		switch {
		case txt == "TEMPERROR":
			names[name] = map[string]any{"error": "timeout"}
		case txt == "PERMERROR":
			names[name] = map[string]any{"A": []string{"192.0.2.1"}} // no TXT
		case names[name] != nil:
			names[name]["TXT"] = append(names[name]["TXT"].([]string), txt)
		default:
			names[name] = map[string]any{"TXT": []string{txt}}
		}
	}
	return dns.MustZone(names)
}

func results(fd pipeline.Finding) (out []string) {
	for _, a := range fd.Auth {
		out = append(out, a.Result)
	}
	return out
}

// Where we say something else than chasquid does, and why.
var departures = map[string][]string{
	"03-bad_message":   {"none"},                   // no signature of a damaged header is looked at; this one has none
	"09-limited_body":  {"policy", "pass", "pass"}, // l= is never a pass
	"07-algo_mismatch": {"pass", "pass"},
}

var chasquid = []string{
	"01-rfc8463", "02-too_many_headers", "03-bad_message", "04-bad_dkim_signature_header", "05-dns_temp_error",
	"06-dns_perm_error", "07-algo_mismatch", "08-our_signature", "09-limited_body",
	"10-strict_domain_check_pass", "11-strict_domain_check_fail",
}

func TestChasquid(t *testing.T) {
	for _, name := range chasquid {
		t.Run(name, func(t *testing.T) {
			msg := wire(suite(t, "chasquid/"+name+".msg"))
			zone := dns.Resolver(dns.MustZone(dns.Names{}))
			if name != "03-bad_message" && name != "04-bad_dkim_signature_header" { // these have none
				zone = zoneOf(t, suite(t, "chasquid/"+name+".dns"), ":")
			}
			fd, _ := inspect(t, zone, msg)
			want := departures[name]
			if want == nil {
				want = states(t, suite(t, "chasquid/"+name+".result"))
			}
			if got := results(fd); !slices.Equal(got, want) {
				t.Errorf("got %v, want %v: %s", got, want, fd.Reason)
			}
		})
	}
}

// states are the results that chasquid found.
func states(t *testing.T, text string) (out []string) {
	var r struct{ Results []struct{ State string } }
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	words := map[string]string{"SUCCESS": "pass", "PERMFAIL": "permerror", "TEMPFAIL": "temperror"}
	for _, x := range r.Results {
		out = append(out, words[x.State])
	}
	return out
}

var mailAuth = map[string]string{
	"001": "pass", "002": "pass", "003": "pass", "004": "pass", "006": "pass",
	"005": "permerror", // its x= lies in the past
}

func TestMailAuth(t *testing.T) {
	for name, want := range mailAuth {
		t.Run(name, func(t *testing.T) {
			keys, msg, _ := strings.Cut(suite(t, "mail-auth/"+name+".txt"), "\n\n")
			fd, err := inspect(t, zoneOf(t, keys, " "), wire(msg))
			if fd.Facts["result"] != want || err != nil {
				t.Errorf("got %v, %v; want %s: %s", fd.Facts["result"], err, want, fd.Reason)
			}
		})
	}
}

// The public keys of RFC 6376 appendix C and RFC 8463 appendix A.2, of exim's
// message in dkimpy, and the one that gmail.com had in 2013.
const (
	rfc6376   = "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"
	rfc8463   = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
	exim2017  = "v=DKIM1; k=ed25519; p=sPs07Vu29FpHT/80UXUcYHFOHifD4o2ZlP2+XUh9g6E="
	gmail2012 = "k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1Kd87/UeJjenpabgbFwh+eBCsSTrqmwIYYvywlbhbqoo2DymndFkbjOVIPIldNs/m40KF+yzMn1skyoxcTUGCQs8g3FgD2Ap3ZB5DekAo5wMmk4wimDO+U8QzI3SD07y2+07wlNWwIt8svnxgdxGkVbbhzY8i+RQ9DpSVpPbF7ykQxtKXkv/ahW3KjViiAH+ghvvIhkx4xYSIc9oSwVmAl5OctMEeWUwg8Istjqz8BZeTWbf41fbNhte7Y+YqZOwq1Sd0DbvYAD9NOZK9vlfuac0598HY+vtSBczUiKERHv1yRbcaQtZFh5wtiRrN04BLUTD21MycBX5jYchHjPY/wIDAQAB"
	rsa8463   = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
)

var lieserAndDkimpy = map[string][]string{
	"lieser/rfc6376-A.2.eml":                                 {"pass"},
	"lieser/rfc6376-A.2-body_modified.eml":                   {"fail"},
	"lieser/rfc6376-A.2-header_subject_modified.eml":         {"fail"},
	"lieser/rfc6376-A.2-ill_formed-missing_v.eml":            {"permerror"},
	"lieser/rfc6376-A.2-ill_formed-list_id.eml":              {"pass"},
	"lieser/rfc8463-A.3.eml":                                 {"pass", "pass"},
	"lieser/rfc8463-A.3-key_algo_mismatch.eml":               {"permerror", "permerror"},
	"lieser/dkim/added_header-date.eml":                      {"policy"},
	"lieser/dkim/added_header-from.eml":                      {"policy"},
	"lieser/dkim/added_header-subject.eml":                   {"policy"},
	"lieser/dkim/added_header-to.eml":                        {"policy"},
	"lieser/dkim/alignment-from_not_in_auid.eml":             {"pass"},
	"lieser/dkim/alignment-from_not_in_sdid.eml":             {"pass"},
	"lieser/dkim/alignment-signed_by_parent_domain.eml":      {"pass"},
	"lieser/dkim/flags_s-auid_and_sdid_match.eml":            {"pass"},
	"lieser/dkim/flags_s-auid_is_subdomain_of_sdid.eml":      {"permerror"},
	"lieser/dkim/header_with_non_ascii_char.eml":             {"pass"},
	"lieser/dkim/unsigned_header-content-type.eml":           {"pass"},
	"lieser/dkim/unsigned_header-reply_to-invalid.eml":       {"pass"},
	"lieser/dkim/time-received_after_creation.eml":           {"pass"},
	"dkimpy/rfc6376.signed.msg":                              {"pass", "pass"},
	"dkimpy/rfc6376.signed.rsa.msg":                          {"pass"},
	"dkimpy/test.message.baddomain":                          {"permerror"},
	"dkimpy/test2.message":                                   {"pass"},
	"dkimpy/ed25519test2.msg":                                {"pass"},
	"dkimpy/message.mbox":                                    {"permerror"}, // its key is not to be had; its body hash is right (canon)
	"dkimpy/test.message":                                    {"none"},
	"dkimpy/ed25519test.msg":                                 {"none"},
	"dkimpy/rfc6376.msg":                                     {"none"},
	"dkimpy/rfc6376.w1258.msg":                               {"none"},
	"dkimpy/test_extra.message":                              {"none"},
	"dkimpy/test_nofrom.message":                             {"none"},
	"lieser/dkim/time-received_briefly_before_creation.eml":  {"pass"},
	"lieser/dkim/time-received_long_before_creation.eml":     {"pass"}, // lieser warns; a Received field proves nothing
	"lieser/dkim/unsigned_header-reply_to-in_domain.eml":     {"pass"},
	"lieser/dkim/unsigned_header-reply_to-not_in_domain.eml": {"pass"}, // lieser warns; what was never signed is the policy's to judge
}

func TestLieserAndDkimpy(t *testing.T) {
	zone := dns.MustZone(dns.Names{
		"brisbane._domainkey.example.com":          {"TXT": []string{rfc6376}},
		"s.flags._domainkey.example.com":           {"TXT": []string{rfc6376 + "; t=s"}},
		"brisbane._domainkey.football.example.com": {"TXT": []string{rfc8463}},
		"test._domainkey.football.example.com":     {"TXT": []string{rsa8463}},
		"sed._domainkey.test.ex":                   {"TXT": []string{exim2017}},
		"20120113._domainkey.gmail.com":            {"TXT": []string{gmail2012}},
	})
	for name, want := range lieserAndDkimpy {
		t.Run(name, func(t *testing.T) {
			fd, err := inspect(t, zone, wire(suite(t, name)))
			if got := results(fd); !slices.Equal(got, want) || err != nil {
				t.Errorf("got %v, %v; want %v: %s", got, err, want, fd.Reason)
			}
		})
	}
}

// TestNoMessageOfTheSuiteIsForgotten: each is run by one of the tests above.
func TestNoMessageOfTheSuiteIsForgotten(t *testing.T) {
	dir := os.Getenv("FOREPOST_SUITES")
	if dir == "" {
		t.Skip("FOREPOST_SUITES is not set")
	}
	n := 0
	for _, pattern := range []string{"chasquid/*.msg", "mail-auth/*.txt", "lieser/*.eml", "lieser/dkim/*.eml", "dkimpy/*.msg", "dkimpy/*.message*", "dkimpy/*.mbox"} {
		files, err := filepath.Glob(filepath.Join(dir, "dkim", pattern))
		if err != nil || len(files) == 0 {
			t.Errorf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, f := range files {
			n++
			name, _ := filepath.Rel(filepath.Join(dir, "dkim"), f)
			base := strings.TrimSuffix(filepath.Base(f), filepath.Ext(f))
			_, auth := mailAuth[base]
			_, other := lieserAndDkimpy[name]
			if !auth && !other && !slices.Contains(chasquid, base) {
				t.Errorf("%s is not run", name)
			}
		}
	}
	t.Logf("%d messages", n)
}

// TestKeyRecords: the records of dkimpy, some of them odd, under one signature.
func TestKeyRecords(t *testing.T) {
	for name, want := range map[string]string{
		"test.txt":        "pass",
		"badk.txt":        "permerror", // k= is no kind of key
		"badversion.txt":  "permerror", // v= has a colon where a semicolon should be
		"test_tlsrpt.txt": "permerror", // s= says that it is not for mail
		"test_bad.txt":    "permerror", // not in base64 of a key
		"test2.txt":       "pass",
	} {
		msg := wire(suite(t, "dkimpy/rfc6376.signed.rsa.msg"))
		record := strings.TrimSpace(suite(t, "dkimpy/"+name))
		zone := dns.MustZone(dns.Names{"test._domainkey.football.example.com": {"TXT": []string{record}}})
		if fd, err := inspect(t, zone, msg); fd.Facts["result"] != want || err != nil {
			t.Errorf("%s: %v, %v; want %s: %s", name, fd.Facts["result"], err, want, fd.Reason)
		}
	}
}
