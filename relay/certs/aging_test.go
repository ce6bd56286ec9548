package certs

import (
	"crypto/ecdsa"
	"crypto/x509"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSelfSignedRenewsItself: no certificate of our own lives longer than 398 days, and
// one in use is made anew before it ends, without a restart, with the same key.
func TestSelfSignedRenewsItself(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	p := ownPair(t, "mx.example.com", dir, c)
	first := p.loaded.Leaf
	if life := first.NotAfter.Sub(first.NotBefore); life > 398*24*time.Hour {
		t.Errorf("it lives for %v", life)
	}
	c.at = first.NotAfter.Add(-renewBefore - time.Hour)
	if !p.Certificates()[0].Leaf.Equal(first) {
		t.Error("it was made anew too early")
	}
	c.at = c.at.Add(2 * time.Hour)
	second := p.Certificates()[0].Leaf
	if !second.NotAfter.After(first.NotAfter.Add(200*24*time.Hour)) || second.VerifyHostname("mx.example.com") != nil {
		t.Errorf("in its last two months it was not made anew: it ends %v", second.NotAfter)
	}
	if !second.PublicKey.(*ecdsa.PublicKey).Equal(first.PublicKey) {
		t.Error("the key changed, and with it what others may have pinned")
	}
	if again := ownPair(t, "mx.example.com", dir, c); !again.loaded.Leaf.Equal(second) {
		t.Error("the next start does not find the new one")
	}
}

// TestOldSelfSigned: one that was made for ten years gives way at the start.
func TestOldSelfSigned(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	first := ownPair(t, "mx.example.com", dir, c).loaded.Leaf
	c.at = c.at.Add(-9 * 365 * 24 * time.Hour)
	if now := ownPair(t, "mx.example.com", dir, c).loaded.Leaf; now.Equal(first) || now.NotAfter.After(c.at.Add(398*24*time.Hour)) {
		t.Errorf("it is good until %v", now.NotAfter)
	}
}

// TestSelfSignedUnwritable: where a new one cannot be written the old one serves on, and the
// log says so once.
func TestSelfSignedUnwritable(t *testing.T) {
	dir, c, out := filepath.Join(t.TempDir(), "tls"), newClock(), &syncLog{}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	p, err := SelfSigned("mx.example.com", dir, Options{Now: c.now, Log: slog.New(slog.NewTextHandler(out, nil))})
	if err != nil {
		t.Fatal(err)
	}
	first := p.loaded.Leaf
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		c.at = first.NotAfter.Add(-renewBefore + time.Hour)
		if !p.Certificates()[0].Leaf.Equal(first) || p.Refresh() == nil {
			t.Fatal("it was made anew, or nothing was told")
		}
	}
	if n := strings.Count(out.String(), "self-signed certificate for mx.example.com"); n != 1 {
		t.Errorf("it was told %d times:\n%s", n, out)
	}
}

// TestEndingIsTold: who forgot to renew hears of it two weeks before, once a day, and as
// an error when it is too late.
func TestEndingIsTold(t *testing.T) {
	dir, c, out := t.TempDir(), newClock(), &syncLog{}
	leaf := ownPair(t, "mx.example.com", dir, c).loaded.Leaf
	p, err := Files(filepath.Join(dir, "selfsigned.crt"), filepath.Join(dir, "selfsigned.key"), Options{Name: "main", Now: c.now, Log: slog.New(slog.NewTextHandler(out, nil))})
	if err != nil {
		t.Fatal(err)
	}
	told := func(leaf *x509.Certificate, left time.Duration) (soon, gone int) {
		c.at = leaf.NotAfter.Add(-left)
		p.Refresh()
		return strings.Count(out.String(), "ends soon"), strings.Count(out.String(), "level=ERROR msg=\"a certificate in use has expired")
	}
	for _, step := range []struct {
		left       time.Duration
		soon, gone int
	}{
		{15 * 24 * time.Hour, 0, 0},
		{14 * 24 * time.Hour, 1, 0},
		{13*24*time.Hour + time.Hour, 1, 0},
		{13 * 24 * time.Hour, 2, 0},
		{-time.Hour, 2, 1},
		{-2 * time.Hour, 2, 1},
		{-25 * time.Hour, 2, 2},
	} {
		if soon, gone := told(leaf, step.left); soon != step.soon || gone != step.gone {
			t.Errorf("%v before its end it was told %d and %d times, want %d and %d", step.left, soon, gone, step.soon, step.gone)
		}
	}
	if !strings.Contains(out.String(), filepath.Join(dir, "selfsigned.crt")) {
		t.Errorf("the file is not named:\n%s", out)
	}
}
