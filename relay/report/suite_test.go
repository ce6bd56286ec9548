package report

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// suite calls f with every report of others that lies in FOREPOST_SUITES.
func suite(t testing.TB, f func(name string, data []byte)) (n int) {
	t.Helper()
	root := os.Getenv("FOREPOST_SUITES")
	if root == "" {
		return 0
	}
	root = filepath.Join(root, "reports")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		own := strings.HasPrefix(path, filepath.Join(root, "mail-auth")) && strings.HasSuffix(path, ".json") && !strings.HasSuffix(path, "rpt03.json")
		if err != nil || d.IsDir() || own {
			return err // the .json beside mail-auth's reports are what it makes of them
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		n++
		f(filepath.ToSlash(name), data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Those in which there is none, with the reason; all others are read.
var noReport = map[string]string{
	"parsedmarc/empty.xml": "it is empty",
	"parsedmarc/failure/exim_plain_text_only_no_arf_part.eml": "a failure told in plain text only",
}

// What some hold, as their files say: kind, who, about whom, records, messages, those that pass.
var hold = map[string]string{
	"parsedmarc/extract_report/nice-input.xml.zip":                                   "dmarc google.com example.com 20 3047 3047",
	"parsedmarc/extract_report/nice-input.xml.gz":                                    "dmarc google.com example.com 20 3047 3047",
	"parsedmarc/aggregate/!large-example.com!1711897200!1711983600.xml":              "dmarc administrator@accurateplastics.com example.com 2286 2286 0",
	"parsedmarc/aggregate/invalid_xml.xml":                                           "dmarc veeam.com example.com 1 1 0",
	"parsedmarc/aggregate/ikea.com!example.de!1538690400!1538776800.xml":             "dmarc ikea.com example.de 1 1 0",
	"parsedmarc/aggregate/rfc9990-example.net!example.com!1700000000!1700086399.xml": "dmarc example.net example.com 2 7 5",
	"parsedmarc/aggregate/mimecast-weird-gzip.eml":                                   "dmarc Mimecast ab.id.au 1 1 1",
	"parsedmarc/aggregate_invalid/report_with_upper_cased_pass.xml":                  "dmarc example.com example.com 1 1 1",
	"mail-auth/dmarc/003.xml":                                                        "dmarc Fastmail Pty Ltd stalw.art 4 9 1",
	"mail-auth/dmarc/103.eml":                                                        "dmarc Outlook.com stalw.art 1 1 0",
	"mail-auth/tlsrpt/rpt01.eml":                                                     "tls Company-X company-y.example 3 5629 5326",
	"mail-auth/tlsrpt/rpt02.eml":                                                     "tls Google Inc. example.com 1 24 23",
	"mail-auth/tlsrpt/rpt03.json":                                                    "tls Google Inc.  0 2 2",
	"parsedmarc/smtp_tls/mail.ru.json":                                               "tls Mail.ru example.com 2 1 0",
	"mail-auth/arf/001.eml":                                                          "feedback abuse",
	"mail-auth/arf/005.eml":                                                          "feedback auth-failure",
	"parsedmarc/failure/dmarc_ruf_report_linkedin.eml":                               "feedback auth-failure",
}

func TestSuite(t *testing.T) {
	if os.Getenv("FOREPOST_SUITES") == "" {
		t.Skip("FOREPOST_SUITES is not set")
	}
	held, none := 0, 0
	n := suite(t, func(name string, data []byte) {
		r, err := Read(data)
		if why, ok := noReport[name]; ok {
			if none++; !errors.Is(err, ErrNoReport) {
				t.Errorf("%s (%s): %+v, %v", name, why, r, err)
			}
			return
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if want, ok := hold[name]; ok {
			if held++; holds(r) != want {
				t.Errorf("%s holds %q, want %q", name, holds(r), want)
			}
		}
		if strings.Contains(name, "/arf/") || strings.Contains(name, "/failure/") {
			if r.Kind != KindFeedback {
				t.Errorf("%s: %s", name, r.Kind)
			}
		} else if s := Summarise(r); s.Messages == 0 || s.Begin.IsZero() || s.ReportID == "" && s.Org == "" {
			t.Errorf("%s: %+v", name, s)
		}
	})
	if n != 52 || held != len(hold) || none != len(noReport) {
		t.Errorf("%d files, %d with known contents, %d without a report; want 52, %d, %d", n, held, none, len(hold), len(noReport))
	}
}

func holds(r *Report) string {
	if r.Kind == KindFeedback {
		return "feedback " + r.Feedback
	}
	s := Summarise(r)
	rows := len(s.Rows)
	if r.Kind == KindDMARC {
		rows = len(r.DMARC.Records)
	}
	return fmt.Sprintf("%s %s %s %d %d %d", r.Kind, s.Org, s.Domain, rows, s.Messages, s.Pass)
}
