package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The public keys of RFC 6376 appendix C and RFC 8463 appendix A.2.
const (
	rfc6376Key = "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"
	ed8463Key  = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
	rsa8463Key = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
)

// dkimCases are messages of the suites that are signed with the keys of the
// RFCs, and what each of their signatures comes to.
var dkimCases = []struct {
	file string
	want string
}{
	{"lieser/rfc6376-A.2.eml", "pass"},
	{"lieser/rfc6376-A.2-body_modified.eml", "fail"},
	{"lieser/rfc6376-A.2-header_subject_modified.eml", "fail"},
	{"lieser/rfc6376-A.2-ill_formed-missing_v.eml", "permerror"},
	{"lieser/rfc6376-A.2-ill_formed-list_id.eml", "pass"},
	{"lieser/rfc8463-A.3.eml", "pass pass"},
	{"lieser/rfc8463-A.3-key_algo_mismatch.eml", "permerror permerror"},
	{"lieser/dkim/added_header-date.eml", "policy"},
	{"lieser/dkim/added_header-from.eml", "policy"},
	{"lieser/dkim/added_header-subject.eml", "policy"},
	{"lieser/dkim/added_header-to.eml", "policy"},
	{"lieser/dkim/alignment-from_not_in_auid.eml", "pass"},
	{"lieser/dkim/alignment-from_not_in_sdid.eml", "pass"},
	{"lieser/dkim/alignment-signed_by_parent_domain.eml", "pass"},
	{"lieser/dkim/flags_s-auid_and_sdid_match.eml", "pass"},
	{"lieser/dkim/flags_s-auid_is_subdomain_of_sdid.eml", "permerror"},
	{"lieser/dkim/header_with_non_ascii_char.eml", "pass"},
	{"lieser/dkim/unsigned_header-content-type.eml", "pass"},
	{"dkimpy/rfc6376.signed.msg", "pass pass"},
	{"dkimpy/rfc6376.signed.rsa.msg", "pass"},
	{"dkimpy/test.message.baddomain", "permerror"},
	{"dkimpy/rfc6376.msg", ""}, // not signed
}

// Messages with LF go in as they lie there; the answers name each signature.
func TestAuthBatchOverTheDKIMSuites(t *testing.T) {
	dir := suites(t)
	zone := map[string]map[string]any{
		"brisbane._domainkey.example.com":          {"TXT": []string{rfc6376Key}},
		"s.flags._domainkey.example.com":           {"TXT": []string{rfc6376Key + "; t=s"}},
		"brisbane._domainkey.football.example.com": {"TXT": []string{ed8463Key}},
		"test._domainkey.football.example.com":     {"TXT": []string{rsa8463Key}},
	}
	var batch strings.Builder
	enc := json.NewEncoder(&batch)
	for _, c := range dkimCases {
		if err := enc.Encode(map[string]any{"eml": filepath.Join(dir, "dkim", c.file), "zone": zone}); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "dkim.jsonl")
	if err := os.WriteFile(file, []byte(batch.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, line := range batchLines(t, file, exitDone) {
		a, c := answerOf(t, line), dkimCases[i]
		var got []string
		for _, s := range a.DKIM {
			got = append(got, s.Result)
			if s.Result == "pass" && (s.Reason != "" || s.Domain == "" || s.Selector == "" || s.Algorithm == "") || s.Result != "pass" && s.Reason == "" {
				t.Errorf("%s: %+v", c.file, s)
			}
		}
		if !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s: %v, want %s", c.file, a.DKIM, c.want)
		}
	}
}

// The messages of mail-auth stand below their keys, one file each: zone and
// message are paths here, relative to the batch.
func TestAuthBatchWithPaths(t *testing.T) {
	dir, src := t.TempDir(), filepath.Join(suites(t), "dkim", "mail-auth")
	want := map[string]string{"001": "pass", "002": "pass", "003": "pass", "004": "pass", "005": "permerror", "006": "pass"}
	names := []string{"001", "002", "003", "004", "005", "006"} // 005 has expired
	batch := ""
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(src, name+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		keys, msg, _ := strings.Cut(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n\n")
		zone := map[string]map[string]any{}
		for _, line := range strings.Split(keys, "\n") {
			at, txt, ok := strings.Cut(strings.TrimSpace(line), " ")
			if ok {
				zone[at] = map[string]any{"TXT": []string{strings.TrimSpace(txt)}}
			}
		}
		j, err := json.Marshal(zone)
		if err != nil {
			t.Fatal(err)
		}
		for file, data := range map[string][]byte{name + ".json": j, name + ".eml": []byte(msg)} {
			if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		batch += `{"eml": "` + name + `.eml", "zone": "` + name + `.json"}` + "\n"
	}
	file := filepath.Join(dir, "batch")
	if err := os.WriteFile(file, []byte(batch), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, line := range batchLines(t, file, exitDone) {
		a := answerOf(t, line)
		best := ""
		for _, s := range a.DKIM {
			if best == "" || s.Result == "pass" {
				best = s.Result
			}
		}
		if best != want[names[i]] {
			t.Errorf("%s: %+v, want %s", names[i], a.DKIM, want[names[i]])
		}
	}
}
