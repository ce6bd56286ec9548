package dkim

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

func TestKeyRecordsReadBack(t *testing.T) {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	txt, err := KeyRecord(r.Public())
	if err != nil {
		t.Fatal(err)
	}
	if pub, err := ParseKeyRecord(txt); err != nil || !r.PublicKey.Equal(pub) {
		t.Errorf("RSA: %v, %v", pub, err)
	}
	if txt, err = KeyRecord(e); err != nil {
		t.Fatal(err)
	}
	if pub, err := ParseKeyRecord("k=ed25519;" + txt[strings.Index(txt, " p="):] + " ; n=spaces "); err != nil || !e.Equal(pub) {
		t.Errorf("Ed25519: %v, %v", pub, err)
	}
	bare := "p=" + base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(&r.PublicKey))
	if pub, err := ParseKeyRecord(bare); err != nil || !r.PublicKey.Equal(pub) {
		t.Errorf("a bare RSAPublicKey: %v, %v", pub, err)
	}
	if _, err := KeyRecord("no key"); err == nil {
		t.Error("a string has a record")
	}
}

func TestBadKeyRecords(t *testing.T) {
	for txt, want := range map[string]string{
		"v=DKIM2; p=AAAA":            "unknown version",
		"v=spf1 -all":                "unknown version",
		"v=DKIM1; k=rsa; p=!":        "base64",
		"v=DKIM1; k=rsa; p=AAAA":     "no RSA key",
		"v=DKIM1; k=ed25519; p=AAAA": "32",
		"v=DKIM1; k=dsa; p=AAAA":     "unknown kind",
	} {
		if _, err := ParseKeyRecord(txt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", txt, err, want)
		}
	}
	if _, err := ParseKeyRecord("v=DKIM1; p="); !errors.Is(err, ErrRevoked) {
		t.Errorf("an empty p=: %v", err)
	}
}
