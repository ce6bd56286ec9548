package certs

import (
	"crypto/tls"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// clock is a time that the test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newClock() *clock { return &clock{time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)} }

func ownPair(t *testing.T, host, dir string, c *clock) *Pair {
	t.Helper()
	s, err := SelfSigned(host, dir, Options{Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSelfSigned(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	first := ownPair(t, "mx.example.com", dir, c)
	if err := first.loaded.Leaf.VerifyHostname("mx.example.com"); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"selfsigned.key", "selfsigned.crt"} {
		if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, st, err)
		}
	}
	if again := ownPair(t, "mx.example.com", dir, c); !again.loaded.Leaf.Equal(first.loaded.Leaf) {
		t.Error("it was made anew without need")
	}
	if other := ownPair(t, "mx2.example.com", dir, c); other.loaded.Leaf.Equal(first.loaded.Leaf) {
		t.Error("it kept another host's name")
	}
	c.at = c.at.Add(selfSignedLife - renewBefore + time.Hour)
	if late := ownPair(t, "mx2.example.com", dir, c); NotAfter(late).Before(c.at.Add(renewBefore)) {
		t.Error("it was not made anew in its last month")
	}
	if err := os.WriteFile(filepath.Join(dir, "selfsigned.key"), []byte("damage"), 0o600); err != nil {
		t.Fatal(err)
	}
	ownPair(t, "mx2.example.com", dir, c)
}

// TestReload: new files are taken, broken ones are not.
func TestReload(t *testing.T) {
	a, b, c := t.TempDir(), t.TempDir(), newClock()
	ownPair(t, "a.test", a, c)
	ownPair(t, "b.test", b, c)
	cert, key := filepath.Join(a, "selfsigned.crt"), filepath.Join(a, "selfsigned.key")
	s, err := Files(cert, key, Options{Name: "t", Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	name := func() string { return s.Certificates()[0].Leaf.DNSNames[0] }

	move(t, filepath.Join(b, "selfsigned.crt"), cert)
	c.at = c.at.Add(time.Minute)
	if name() != "a.test" {
		t.Error("a certificate was taken without its key")
	}
	move(t, filepath.Join(b, "selfsigned.key"), key)
	if name() != "a.test" {
		t.Error("the files were looked at too soon")
	}
	c.at = c.at.Add(lookAgain)
	if name() != "b.test" {
		t.Error("the new certificate was not taken")
	}
	os.Remove(key)
	c.at = c.at.Add(lookAgain)
	if name() != "b.test" || s.Refresh() == nil {
		t.Error("a missing key: the certificate stays, and Reload tells")
	}
}

func move(t *testing.T, from, to string) {
	t.Helper()
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(from, later, later); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func TestFilesErrors(t *testing.T) {
	if _, err := Files("/nowhere.crt", "/nowhere.key", Options{}); err == nil {
		t.Error("files that are not there were taken")
	}
}

// TestTickets: a session of one service cannot be resumed at another, even one
// with the same certificate; and TLS 1.1 is refused.
func TestTickets(t *testing.T) {
	s := ownPair(t, "mx.example.com", t.TempDir(), &clock{time.Now()})
	sources := func() []Source { return []Source{s} }
	smtp, submission := Config(sources), Config(sources)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		client := &tls.Config{InsecureSkipVerify: true, ServerName: "mx.example.com",
			MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(4)}
		if resumed, err := shake(submission, client); err != nil || resumed {
			t.Fatal(resumed, err)
		}
		if resumed, err := shake(submission, client); err != nil || !resumed {
			t.Fatal("a session was not resumed at its own service", tls.VersionName(version), err)
		}
		if resumed, err := shake(smtp, client); err != nil || resumed {
			t.Error("a session was resumed at another service", tls.VersionName(version), err)
		}
	}
	if _, err := shake(smtp, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 was taken")
	}
}

func shake(server, client *tls.Config) (resumed bool, err error) {
	state, err := meet(server, client)
	return state.DidResume, err
}

// meet is one handshake between two configurations, as the client saw it.
func meet(server, client *tls.Config) (state tls.ConnectionState, err error) {
	ln, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		return state, err
	}
	defer ln.Close()
	done := make(chan struct{})
	defer func() { <-done }()
	go func() {
		defer close(done)
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		c.(*tls.Conn).Handshake() // the client tells how it went
	}()
	c, err := tls.Dial("tcp", ln.Addr().String(), client)
	if err != nil {
		return state, err
	}
	defer c.Close()
	io.ReadAll(c) // a session ticket may follow the handshake
	return c.ConnectionState(), nil
}
