package dkim

import (
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

// FuzzVerify: no header makes the verification panic, pass without a key's say,
// or write results of its own.
func FuzzVerify(f *testing.F) {
	f.Add("v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.test; s=s; h=from:to; bh=AAAA; b=AAAA", "From: a@example.test\r\n\r\nhi")
	if dir := os.Getenv("FOREPOST_SUITES"); dir != "" {
		files, _ := filepath.Glob(filepath.Join(dir, "dkim", "*", "*.msg"))
		for _, name := range files {
			if b, err := os.ReadFile(name); err == nil && len(b) < 1<<14 {
				f.Add("v=1", wire(string(b)))
			}
		}
	}
	zone := dns.MustZone(dns.Names{"s._domainkey.example.test": {"TXT": []string{rfc8463}}})
	flt, err := Kind().Build(nil, filters.Deps{DNS: zone, Now: time.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, signature, rest string) {
		blob := mail.Bytes("DKIM-Signature: " + signature + "\r\n" + rest)
		tx := pipeline.NewTransaction(&pipeline.Session{})
		tx.Message = &mail.Message{Blob: blob}
		if tx.Part, err = mime.Parse(blob, mime.Limits{}); err != nil {
			t.Fatal(err)
		}
		fd, err := flt.Inspect(t.Context(), tx)
		if res := fd.Facts["result"].(string); !slices.Contains(rank, res) || res == "pass" || (err != nil) != (res == "temperror") {
			t.Errorf("%s, %v", res, err)
		}
		if err != nil && strings.Contains(err.Error(), "panic") {
			t.Error(err)
		}
		for _, a := range fd.Auth {
			for _, p := range a.Props {
				if strings.ContainsAny(p.Value, " ();\"\r\n") {
					t.Errorf("%s=%q", p.Name, p.Value)
				}
			}
		}
	})
}
