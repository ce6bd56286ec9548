package reports

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/forepost/forepost/relay/report"
	"github.com/forepost/forepost/relay/sts"
)

// postTime is how long a destination may take for a report.
const postTime = 30 * time.Second

// post sends a packed report over HTTPS, RFC 8460 section 5.4: to addresses of the
// open internet alone, since the URL is a stranger's, without following redirects.
func (s *Service) post(ctx context.Context, url string, packed []byte) error {
	dial := s.o.Dial
	if dial == nil {
		dial = sts.Dialer(s.o.Config().DNS)
	}
	conf := s.o.TLS.Clone()
	if conf == nil {
		conf = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	client := &http.Client{
		Timeout:       postTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DialContext: dial, TLSClientConfig: conf, ForceAttemptHTTP2: true, DisableKeepAlives: true, MaxResponseHeaderBytes: 16 << 10},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(packed))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", report.TLSMedia)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 4<<10)) // what it says does not matter
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s answered %d", url, resp.StatusCode)
	}
	return nil
}
