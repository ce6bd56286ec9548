package rspamd_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/rspamd"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

const message = "From: a@b.test\r\nSubject: x\r\n\r\nHello\r\n"

func transaction() *pipeline.Transaction {
	tx := pipeline.NewTransaction(&pipeline.Session{Client: netip.MustParseAddr("::ffff:203.0.113.9"), Helo: "mail.b.test", Auth: mail.Identity{User: "eve"}})
	tx.ID, tx.From = "4bQz7K2MwXc9T", mail.MustParseAddress("a@b.test")
	for _, a := range []string{"bob@example.com", "eve@example.com"} {
		tx.To = append(tx.To, pipeline.Recipient{Address: mail.MustParseAddress(a)})
	}
	tx.Message = &mail.Message{Blob: mail.Bytes(message)}
	return tx
}

func build(t *testing.T, s rspamd.Settings) pipeline.Filter {
	t.Helper()
	settings := rspamd.Kind().Settings().(*rspamd.Settings)
	settings.URL, settings.Password = s.URL, s.Password
	if s.MaxSize > 0 {
		settings.MaxSize = s.MaxSize
	}
	f, err := rspamd.Kind().Build(settings, filters.Deps{Name: "rspamd.main"})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// checked fails with what is not as rspamd's documentation has a request.
func checked(r *http.Request) error {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if r.Method != "POST" || r.URL.Path != "/checkv2" || string(b) != message || r.ContentLength != int64(len(message)) {
		return fmt.Errorf("%s %s with %d octets", r.Method, r.URL.Path, len(b))
	}
	for name, want := range map[string][]string{"IP": {"203.0.113.9"}, "Helo": {"mail.b.test"}, "From": {"a@b.test"},
		"Rcpt": {"bob@example.com", "eve@example.com"}, "User": {"eve"}, "Queue-Id": {"4bQz7K2MwXc9T"}, "Password": {"secret"}} {
		if got := r.Header.Values(name); !slices.Equal(got, want) {
			return fmt.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	return nil
}

// TestAnswers: what the server says, and what becomes of it.
func TestAnswers(t *testing.T) {
	spam := `{"is_skipped":false,"score":7.25,"required_score":15.0,"action":"add header","symbols":{
		"BAYES_SPAM":{"name":"BAYES_SPAM","score":3.5,"metric_score":3.5,"description":"x","options":["99%"]},
		"URI_PHISHED":{"score":4.25},"R_SPF_ALLOW":{"score":-0.5}},"message-id":"x@b.test","time_real":0.01}`
	for _, c := range []struct {
		why    string
		status int
		body   string
		facts  map[string]string
		reason string
		err    string
	}{
		{"spam", 200, spam, map[string]string{"score": "7.25", "action": "add header", "symbols": "[URI_PHISHED BAYES_SPAM R_SPF_ALLOW]", "tested": "true"}, "7.2, add header; top: URI_PHISHED 4.2, BAYES_SPAM 3.5", ""},
		{"ham, without symbols", 200, `{"score":-1,"action":"no action"}`, map[string]string{"score": "-1", "action": "no action", "symbols": "[]", "tested": "true"}, "", ""},
		{"skipped", 200, `{"is_skipped":true}`, map[string]string{"score": "0", "tested": "false"}, "rspamd skipped it", ""},
		{"a refusal is not ham", 403, `{"error":"Unauthorized"}`, nil, "", "403: Unauthorized"},
		{"an error with status 200", 200, `{"error":"cannot parse"}`, nil, "", "cannot parse"},
		{"another server", 200, `<html>`, nil, "", "no JSON"},
		{"JSON of another server", 200, `{"status":"ok"}`, nil, "", "no score"},
		{"a server in trouble", 502, ``, nil, "", "502 Bad Gateway"},
		{"a redirect is not followed", 302, ``, nil, "", "302"},
		{"symbols that are no line", 200, `{"score":1,"action":"a\r\nb","symbols":{"X\nY":{"score":1}}}`, map[string]string{"action": "a  b", "symbols": "[X Y]"}, "", ""},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := checked(r); err != nil {
				t.Errorf("%s: %v", c.why, err)
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		}))
		fd, err := build(t, rspamd.Settings{URL: srv.URL + "/", Password: "secret"}).Inspect(t.Context(), transaction())
		srv.Close()
		if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: error %v", c.why, err)
			continue
		}
		for name, want := range c.facts {
			if got := fmt.Sprint(fd.Facts[name]); got != want {
				t.Errorf("%s: %s is %s, want %s", c.why, name, got, want)
			}
		}
		if c.reason != "" && fd.Reason != c.reason {
			t.Errorf("%s: reason %q", c.why, fd.Reason)
		}
	}
}

// TestTooLarge: nobody is asked.
func TestTooLarge(t *testing.T) {
	fd, err := build(t, rspamd.Settings{URL: "http://127.0.0.1:1", MaxSize: 10}).Inspect(t.Context(), transaction())
	if err != nil || fd.Facts["tested"] != false || fd.Facts["score"] != 0.0 {
		t.Errorf("got %v, %v", fd, err)
	}
}

// TestNobodyThere: a server that is away or silent is an error, within the time
// of the context.
func TestNobodyThere(t *testing.T) {
	if _, err := build(t, rspamd.Settings{URL: "http://127.0.0.1:1"}).Inspect(t.Context(), transaction()); err == nil {
		t.Error("nobody answered")
	}
	done := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-done
	}))
	defer srv.Close()
	defer close(done)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := build(t, rspamd.Settings{URL: srv.URL}).Inspect(ctx, transaction()); err == nil || ctx.Err() == nil {
		t.Errorf("got %v", err)
	}
}

// TestBadSettings are told when the configuration is read.
func TestBadSettings(t *testing.T) {
	for _, s := range []rspamd.Settings{{URL: "127.0.0.1:11333", MaxSize: 1}, {URL: "ftp://x", MaxSize: 1}, {URL: "http://", MaxSize: 1}, {URL: "http://x", MaxSize: 0}} {
		if _, err := rspamd.Kind().Build(&s, filters.Deps{}); err == nil {
			t.Errorf("%+v is taken", s)
		}
	}
	tx := transaction()
	tx.Message = nil
	if _, err := build(t, rspamd.Settings{URL: "http://127.0.0.1:1"}).Inspect(t.Context(), tx); err == nil {
		t.Error("a message that is not there was looked at")
	}
}
