package dkim

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
)

// Others' verifiers and signers, as Debian 12 has them, over the messages of the
// suites. packaging/check.sh installs them. FOREPOST_INTEROP=all takes every
// message, otherwise some of them are.
var others = map[string][]string{
	"python3-dkim":      {"/usr/bin/python3", "testdata/interop/dkimpy.py", "-c", "import dkim, nacl"},
	"libmail-dkim-perl": {"/usr/bin/perl", "testdata/interop/maildkim.pl", "-MMail::DKIM", "-e1"},
}

// rsaOnly are those that do not know Ed25519 in Debian 12.
var rsaOnly = map[string]bool{"libmail-dkim-perl": true}

// theForms are the four pairs of canonical forms.
var theForms = [][2]dkim.Canonicalization{
	{dkim.CanonicalizationRelaxed, dkim.CanonicalizationRelaxed}, {dkim.CanonicalizationRelaxed, dkim.CanonicalizationSimple},
	{dkim.CanonicalizationSimple, dkim.CanonicalizationRelaxed}, {dkim.CanonicalizationSimple, dkim.CanonicalizationSimple},
}

// other is the interpreter and the script of a package, if it is installed.
func other(t *testing.T, name string) []string {
	t.Helper()
	cmd := others[name]
	if out, err := exec.Command(cmd[0], cmd[2:]...).CombinedOutput(); err != nil {
		t.Skipf("%s is not installed: %s", name, out)
	}
	return cmd[:2]
}

// keyring is keys of ours for tests, and what the others need to know of them.
type keyring struct {
	Records map[string]string   `json:"records"`
	Sign    []map[string]string `json:"sign"`
	signer  *Signer
	zone    dns.Resolver
}

func newKeyring(t *testing.T) *keyring {
	t.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pub, ed, _ := ed25519.GenerateKey(rand.Reader)
	der, _ := x509.MarshalPKIXPublicKey(r.Public())
	k := &keyring{Records: map[string]string{
		"r._domainkey.example.test": "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der),
		"e._domainkey.example.test": "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(pub),
	}}
	names := dns.Names{}
	for name, txt := range k.Records {
		names[name] = map[string]any{"TXT": []string{txt}}
	}
	k.zone = dns.MustZone(names)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(r)}))
	for _, f := range theForms {
		k.Sign = append(k.Sign,
			map[string]string{"selector": "r", "domain": "example.test", "algorithm": "rsa-sha256", "key": text, "header": string(f[0]), "body": string(f[1])},
			map[string]string{"selector": "e", "domain": "example.test", "algorithm": "ed25519-sha256", "key": base64.StdEncoding.EncodeToString(ed.Seed()), "header": string(f[0]), "body": string(f[1])})
	}
	if k.signer, err = NewSigner(map[string][]Key{"example.test": {{Selector: "r", Signer: r}, {Selector: "e", Signer: ed}}}); err != nil {
		t.Fatal(err)
	}
	return k
}

// letters are messages of the MIME suites and of the ham that a signer and all
// verifiers see the same header of.
func letters(t *testing.T) (list []string) {
	t.Helper()
	dir := os.Getenv("FOREPOST_SUITES")
	if dir == "" {
		t.Skip("FOREPOST_SUITES is not set")
	}
	step, ham := 12, 100
	if os.Getenv("FOREPOST_INTEROP") == "all" {
		step, ham = 1, 7
	}
	n := 0
	for _, suite := range []string{"mime-enmime", "mime-ruby-mail", "mime-python-email", "spam"} {
		filepath.WalkDir(filepath.Join(dir, suite), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			every := step
			if suite == "spam" {
				every = ham
			}
			if n++; n%every != 0 {
				return nil
			}
			if b, err := os.ReadFile(path); err == nil {
				if msg := letterOf(string(b)); signable(msg) {
					list = append(list, msg)
				}
			}
			return nil
		})
	}
	return list
}

// letterOf makes all line ends CRLF, the last one too (libmail-dkim-perl does not
// add it to a simple body; over SMTP there always is one), and takes off the line
// of an mbox.
func letterOf(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "").Replace(s)
	if strings.HasPrefix(s, "From ") {
		_, s, _ = strings.Cut(s, "\n")
	}
	return strings.ReplaceAll(strings.TrimSuffix(s, "\n")+"\n", "\n", "\r\n")
}

func signable(msg string) bool {
	p, err := mime.Parse(mail.Bytes(msg), mime.Limits{})
	if err != nil || len(p.All("From")) != 1 || len(p.Fields) > maxFields || len(p.All("DKIM-Signature"))+len(p.All("DomainKey-Signature")) > 0 {
		return false
	}
	return !slices.Contains(p.Defects, mime.DefectBadField) && !slices.Contains(p.Defects, mime.DefectNoHeaderEnd) &&
		!slices.Contains(p.Defects, mime.DefectDuplicateField)
}

// ask runs a script over a folder and returns what it said of each message.
func ask(t *testing.T, cmd []string, what, dir string, k *keyring) map[string]string {
	t.Helper()
	b, err := json.Marshal(k)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "keys.json"), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), cmd[0], append(cmd[1:len(cmd):len(cmd)], what, dir)...)
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, stderr.String())
	}
	said := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		name, rest, _ := strings.Cut(line, " ")
		said[name] = rest
	}
	return said
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestOthersVerifyOurs: both algorithms, all forms.
func TestOthersVerifyOurs(t *testing.T) {
	for name := range others {
		t.Run(name, func(t *testing.T) {
			cmd, k, dir := other(t, name), newKeyring(t), t.TempDir()
			list := letters(t)
			for i, text := range list {
				for j, f := range theForms {
					for n := range k.signer.keys["example.test"] {
						o := &k.signer.keys["example.test"][n]
						o.HeaderCanonicalization, o.BodyCanonicalization = f[0], f[1]
					}
					msg := &mail.Message{Blob: mail.Bytes(text)}
					fields, err := k.signer.Sign(t.Context(), "example.test", msg)
					if err != nil || len(fields) != 2 || !strings.Contains(fields[0].Value, "rsa-sha256") {
						t.Fatal(fields, err)
					}
					signed := fields[0].String() + fields[1].String() + text
					if rsaOnly[name] {
						signed = fields[0].String() + text
					}
					put(t, dir, fmt.Sprintf("%03d-%d.eml", i, j), signed)
				}
			}
			said := ask(t, cmd, "verify", dir, k)
			for file, word := range said {
				if word != "ok" {
					t.Errorf("%s: %s", file, word)
				}
			}
			if len(said) != 4*len(list) || len(list) < 15 {
				t.Errorf("%d of %d messages", len(said), 4*len(list))
			}
			t.Logf("%d messages in 4 forms, RSA and (unless it does not know it) Ed25519", len(list))
		})
	}
}

// TestWeVerifyOthers: what the others signed, in all forms.
func TestWeVerifyOthers(t *testing.T) {
	for name := range others {
		t.Run(name, func(t *testing.T) {
			cmd, k, dir := other(t, name), newKeyring(t), t.TempDir()
			for i, text := range letters(t) {
				put(t, dir, fmt.Sprintf("%03d.eml", i), text)
			}
			for file, word := range ask(t, cmd, "sign", dir, k) {
				if word != "ok" {
					t.Errorf("%s: %s", file, word)
				}
			}
			signed, _ := filepath.Glob(filepath.Join(dir, "*.eml.*"))
			for _, file := range signed {
				b, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if fd, err := inspect(t, k.zone, string(b)); fd.Facts["result"] != "pass" || err != nil {
					t.Errorf("%s: %v, %v: %s", filepath.Base(file), fd.Facts["result"], err, fd.Reason)
				}
			}
			if len(signed) < 60 {
				t.Errorf("only %d signatures", len(signed))
			}
			t.Logf("%d signatures", len(signed))
		})
	}
}
