package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
)

// dmarcCase is one line of mailauth-recorded.jsonl: what was asked, what the DNS
// said, and what came of it.
type dmarcCase struct {
	Test  string
	Input struct {
		HeaderFrom  any
		DKIMDomains []any `json:"dkimDomains"`
		SPFDomains  []any `json:"spfDomains"`
	}
	Queries [][]any
	Output  json.RawMessage
}

// dmarcOtherwise are the evaluations that a whole message cannot have the
// recorded answer to, by the end of their names.
var dmarcOtherwise = map[string][2]string{
	// RFC 5322 section 3.6.2: what has no @ is no mailbox, and the message has no author
	"Should handle headerFrom without @ symbol": {"permerror", "none"},
	// the recorded code has no answer (false); RFC 9989 section 5.3.1 leaves such a message to the receiver
	"Should return false for headerFrom array with multiple elements": {"permerror", "none"},
}

// The recorded evaluations go through --batch as whole messages: each domain that
// passed DKIM signs, the one that passed SPF is that of MAIL FROM.
func TestAuthBatchOverTheDMARCSuite(t *testing.T) {
	f, err := os.Open(filepath.Join(suites(t), "dmarc", "mailauth-recorded.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dir := t.TempDir()
	var batch strings.Builder
	var cases []dmarcCase
	for s := bufio.NewScanner(f); s.Scan(); {
		var c dmarcCase
		if err := json.Unmarshal(s.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		eml := fmt.Sprintf("%d.eml", len(cases))
		line, text := c.request(t)
		line["eml"] = eml
		if err := os.WriteFile(filepath.Join(dir, eml), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := json.NewEncoder(&batch).Encode(line); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	file := filepath.Join(dir, "dmarc.jsonl")
	if err := os.WriteFile(file, []byte(batch.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	got := batchLines(t, file, exitDone)
	if len(got) != 53 || len(cases) != 53 {
		t.Fatalf("%d answers to %d cases, want 53", len(got), len(cases))
	}
	otherwise := 0
	for i, line := range got {
		want, named := cases[i].want(t)
		if named {
			otherwise++
		}
		a := answerOf(t, line)
		if answer := [2]string{a.DMARC.Result, a.DMARC.Policy}; answer != want {
			t.Errorf("%s: %v, want %v", cases[i].Test, answer, want)
		}
	}
	if otherwise != len(dmarcOtherwise) {
		t.Errorf("%d cases have an answer of their own, %d are named", otherwise, len(dmarcOtherwise))
	}
}

// want is the result and the policy, and whether they are not the recorded ones.
func (c dmarcCase) want(t *testing.T) (want [2]string, named bool) {
	for name, w := range dmarcOtherwise {
		if strings.HasSuffix(c.Test, name) {
			return w, true
		}
	}
	var out struct {
		Status struct{ Result string }
		Policy string
	}
	if err := json.Unmarshal(c.Output, &out); err != nil {
		t.Fatalf("%s: %v", c.Test, err)
	}
	if out.Policy == "" {
		out.Policy = "none"
	}
	return [2]string{out.Status.Result, out.Policy}, false
}

// request makes the line of the batch and the message that it is about.
func (c dmarcCase) request(t *testing.T) (line map[string]any, text []byte) {
	froms, ok := c.Input.HeaderFrom.([]any)
	if !ok {
		froms = []any{c.Input.HeaderFrom}
	}
	from := strings.Trim(fmt.Sprint(froms), "[]")
	text = []byte("From: " + strings.ReplaceAll(from, " ", ", ") + "\r\nSubject: recorded\r\n\r\nbody\r\n")
	zone := map[string]map[string]any{}
	for _, f := range froms {
		_, host, _ := strings.Cut("@"+fmt.Sprint(f), "@")
		zone[host[strings.LastIndexByte(host, '@')+1:]] = map[string]any{"A": []string{"192.0.2.9"}}
	}
	line = map[string]any{"ip": "192.0.2.1", "zone": zone}
	for _, v := range c.Input.SPFDomains {
		d := recordedDomain(v)
		zone[d] = map[string]any{"TXT": []string{"v=spf1 ip4:192.0.2.1 -all"}}
		line["mail_from"] = "bounce@" + d
	}
	for _, v := range c.Input.DKIMDomains {
		var record string
		text, record = signedBy(t, recordedDomain(v), text)
		zone["k._domainkey."+recordedDomain(v)] = map[string]any{"TXT": []string{record}}
	}
	for _, q := range c.Queries {
		zone[q[0].(string)] = recordedAnswer(q[2])
	}
	return line, text
}

// recordedDomain: some inputs have a string where others have an object.
func recordedDomain(v any) string {
	if m, ok := v.(map[string]any); ok {
		v = m["domain"]
	}
	return v.(string)
}

func recordedAnswer(v any) map[string]any {
	if records, ok := v.([]any); ok {
		return map[string]any{"TXT": records}
	}
	if v.(map[string]any)["error"] == "ENOTFOUND" {
		return nil
	}
	return map[string]any{"error": "timeout"}
}

// signedBy signs a message with a new key of a domain and gives its record.
func signedBy(t *testing.T, domain string, text []byte) (signed []byte, record string) {
	pub, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := dkim.Sign(&out, bytes.NewReader(text), &dkim.SignOptions{Domain: domain, Selector: "k", Signer: key}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(pub)
}
