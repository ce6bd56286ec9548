package rspamd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/forepost/forepost/filters/internal/line"
	"github.com/forepost/forepost/relay/pipeline"
)

// maxAnswer bounds what is read of an answer: some hundred symbols have some
// ten thousand octets.
const maxAnswer = 4 << 20

// answer is what /checkv2 says, as far as it is used.
type answer struct {
	Skipped bool              `json:"is_skipped"`
	Score   *float64          `json:"score"`
	Action  string            `json:"action"`
	Symbols map[string]symbol `json:"symbols"`
	Error   string            `json:"error"`
}

type symbol struct {
	Name  string  `json:"-"`
	Score float64 `json:"score"`
}

// newClient asks the server that is configured and no other: no proxies, no
// redirects.
func newClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// check is one message.
func (f *filter) check(ctx context.Context, tx *pipeline.Transaction) (*answer, error) {
	body, err := tx.Message.Open()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url, io.NopCloser(body))
	if err != nil {
		return nil, err
	}
	req.ContentLength = tx.Message.Size()
	f.headers(req.Header, tx)
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	return read(resp.StatusCode, b)
}

// headers tell who sent the message to whom. Values with a line end would be
// headers of their own: addresses have none, and names from outside are cleaned.
func (f *filter) headers(h http.Header, tx *pipeline.Transaction) {
	set := func(name, value string) {
		if value = line.Clean(value); value != "" {
			h.Add(name, value)
		}
	}
	if tx.Client.IsValid() {
		set("IP", tx.Client.Unmap().String())
	}
	set("Helo", tx.Helo)
	set("From", tx.From.String())
	for _, r := range tx.To {
		set("Rcpt", r.Address.String())
	}
	set("User", tx.Auth.User)
	set("Queue-Id", string(tx.ID))
	set("Password", f.password)
}

// read makes sense of an answer. One without a score is none.
func read(status int, b []byte) (*answer, error) {
	a := &answer{}
	err := json.Unmarshal(b, a)
	switch {
	case status != http.StatusOK && a.Error != "":
		return nil, fmt.Errorf("it answers %d: %s", status, line.Clean(a.Error))
	case status != http.StatusOK:
		return nil, fmt.Errorf("it answers %d %s", status, http.StatusText(status))
	case err != nil:
		return nil, fmt.Errorf("its answer is no JSON: %w", err)
	case a.Error != "":
		return nil, errors.New("it says " + line.Clean(a.Error))
	case a.Score == nil && !a.Skipped:
		return nil, errors.New("its answer has no score: " + line.Clean(strings.ToValidUTF8(string(b[:min(len(b), 100)]), "?")))
	}
	return a, nil
}
