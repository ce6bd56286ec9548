package demo

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// Addresses of the pretend internet: loopback addresses stand for the clients
// and servers that a gateway meets.
const (
	gatewayIP = "127.0.0.1"
	friendIP  = "127.0.0.11"
	shopIP    = "127.0.0.12"
	bankIP    = "127.0.0.13"
	unknownIP = "127.0.0.14"
	forgerIP  = "127.0.0.15"
	spamIP    = "127.0.0.66"
	friendMX  = "127.0.0.50"
)

// Selectors of the DKIM keys.
const (
	ourSelector    = "fp1"
	friendSelector = "f1"
)

// keys are the DKIM keys of the world, made anew for each demo.
type keys struct {
	ours    ed25519.PrivateKey
	friends ed25519.PrivateKey
}

func newKeys() (k keys, err error) {
	if _, k.ours, err = ed25519.GenerateKey(rand.Reader); err != nil {
		return k, err
	}
	_, k.friends, err = ed25519.GenerateKey(rand.Reader)
	return k, err
}

// record is the key as the DNS publishes it, RFC 8463 section 4.
func record(k ed25519.PrivateKey) string {
	return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(k.Public().(ed25519.PublicKey))
}

// writeKey keeps a key as PKCS #8 in PEM.
func writeKey(path string, k ed25519.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return err
	}
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

type recordSet map[string][]string

// zone is the DNS of the pretend internet, in the form of a zone file: real
// records for the real resolver, SPF, DKIM, DMARC and blocklist included.
func (k keys) zone() ([]byte, error) {
	z := map[string]recordSet{
		"example.test":                           {"MX": {"10 mx.example.test."}, "TXT": {"v=spf1 ip4:" + gatewayIP + " -all"}},
		"_dmarc.example.test":                    {"TXT": {"v=DMARC1; p=quarantine"}},
		ourSelector + "._domainkey.example.test": {"TXT": {record(k.ours)}},
		"mx.example.test":                        {"A": {gatewayIP}},

		"friend.test":        {"MX": {"10 mx.friend.test."}, "TXT": {"v=spf1 ip4:" + friendIP + " ip4:" + gatewayIP + " -all"}},
		"_dmarc.friend.test": {"TXT": {"v=DMARC1; p=none"}},
		friendSelector + "._domainkey.friend.test": {"TXT": {record(k.friends)}},
		"mx.friend.test":   {"A": {friendMX}},
		"mail.friend.test": {"A": {friendIP}},

		"shop.test":         {"TXT": {"v=spf1 ip4:" + shopIP + " -all"}},
		"_dmarc.shop.test":  {"TXT": {"v=DMARC1; p=reject"}},
		"news.shop.test":    {"A": {shopIP}},
		"bank.test":         {"TXT": {"v=spf1 ip4:" + bankIP + " -all"}},
		"out.bank.test":     {"A": {bankIP}},
		"unknown.test":      {"A": {unknownIP}},
		"mail.unknown.test": {"A": {unknownIP}},
		"spam.test":         {"TXT": {"v=spf1 +all"}},
		"bot.spam.test":     {"A": {spamIP}},

		reverse(spamIP) + ".bl.test": {"A": {"127.0.0.2"}, "TXT": {"seen sending spam to traps, https://bl.test/" + spamIP}},
	}
	for ip, name := range map[string]string{
		friendIP: "mail.friend.test", shopIP: "news.shop.test", bankIP: "out.bank.test", unknownIP: "mail.unknown.test",
		spamIP: "bot.spam.test", friendMX: "mx.friend.test", gatewayIP: "mx.example.test",
	} {
		z[reverse(ip)+".in-addr.arpa"] = recordSet{"PTR": {name + "."}}
	}
	return json.MarshalIndent(z, "", " ")
}

func reverse(ip string) string {
	p := strings.Split(ip, ".")
	return p[3] + "." + p[2] + "." + p[1] + "." + p[0]
}

// ports are where the demo listens; 0 is any free one.
type ports struct{ smtp, submission, imap, pop3 int }

// usual are the ports of the demo that people look at.
var usual = ports{2525, 2587, 2143, 2110}

// free finds ports that are free now.
func free() (p ports, err error) {
	for _, to := range []*int{&p.smtp, &p.submission, &p.imap, &p.pop3} {
		l, err := net.Listen("tcp", gatewayIP+":0")
		if err != nil {
			return p, err
		}
		defer l.Close() // all are held until all are found: they differ
		*to = l.Addr().(*net.TCPAddr).Port
	}
	return p, nil
}

// policyFile is the configuration that the demo writes for people to play with.
const policyFile = "policy.hcl"

// writeWorld fills the demo's directory: configuration and keys.
func writeWorld(dir string, p ports, k keys, dns string) error {
	if err := writeKey(filepath.Join(dir, "dkim-"+ourSelector+".pem"), k.ours); err != nil {
		return err
	}
	text := fmt.Sprintf(config, dns, p.smtp, p.submission, p.imap, p.pop3)
	return os.WriteFile(filepath.Join(dir, policyFile), []byte(text), 0o600)
}
