package arc

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

// scenario is one document of the suite of ValiMail.
type scenario struct {
	Description string
	Tests       vectors
	Records     map[string]string `yaml:"txt-records"`
	Domain      string
	Selector    string `yaml:"sel"`
	PrivateKey  string
}

// vectors are the tests in their order. Some names stand twice, which a map
// would not take.
type vectors []vector

// UnmarshalYAML reads the pairs of a mapping.
func (vs *vectors) UnmarshalYAML(n *yaml.Node) error {
	for i := 0; i+1 < len(n.Content); i += 2 {
		v := vector{Name: n.Content[i].Value}
		if err := n.Content[i+1].Decode(&v); err != nil {
			return err
		}
		*vs = append(*vs, v)
	}
	return nil
}

type vector struct {
	Name    string `yaml:"-"`
	Message string
	CV      string
	T       int64
	Headers string `yaml:"sig-headers"`
	Server  string `yaml:"srv-id"`
	AS      string `yaml:"AS"`
	AMS     string `yaml:"AMS"`
	AAR     string `yaml:"AAR"`
}

// scenarios reads a file of the suite.
func scenarios(t *testing.T, name string, open func(io.Reader) (io.Reader, error)) (list []scenario) {
	t.Helper()
	dir := os.Getenv("FOREPOST_SUITES")
	if dir == "" {
		t.Skip("FOREPOST_SUITES is not set")
	}
	b, err := os.ReadFile(filepath.Join(dir, "arc", name))
	if err != nil {
		t.Fatal(err)
	}
	r, err := open(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	d := yaml.NewDecoder(r)
	for {
		var s scenario
		if err := d.Decode(&s); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		if s.Tests != nil {
			list = append(list, s)
		}
	}
}

func (s scenario) zone() dns.Resolver {
	names := dns.Names{}
	for name, txt := range s.Records {
		names[name] = map[string]any{"TXT": []string{txt}}
	}
	return dns.MustZone(names)
}

// wire makes all line ends CRLF.
func wire(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

// inspect asks the filter about a message.
func inspect(t testing.TB, zone dns.Resolver, msg string, trusted ...string) (pipeline.Finding, error) {
	t.Helper()
	f, err := Kind().Build(&Settings{Trusted: trusted}, filters.Deps{DNS: zone, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	tx := pipeline.NewTransaction(&pipeline.Session{})
	tx.Message = &mail.Message{Blob: mail.Bytes(msg)}
	if tx.Part, err = mime.Parse(tx.Message, mime.Limits{}); err != nil {
		t.Fatal(err)
	}
	return f.Inspect(t.Context(), tx)
}

// Three cases of the suite state nothing: a chain whose last seal says cv=fail.
// It is broken (RFC 8617 section 5.2 step 2).
var unstated = map[string]string{"cv_fail_i1_as_cv_fail": "fail", "cv_fail_i2_as2_fail": "fail", "cv_fail_i2_as1_fail": "fail"}

// TestValidationSuite: 171 names, of which 168 state a result; 4 of those stand
// twice in the file.
func TestValidationSuite(t *testing.T) {
	stated := map[string]bool{}
	for _, s := range scenarios(t, "arc-draft-validation-tests.yml", func(r io.Reader) (io.Reader, error) { return r, nil }) {
		for _, v := range s.Tests {
			want := strings.ToLower(v.CV)
			if want != "" {
				stated[v.Name] = true
			} else if want = unstated[v.Name]; want == "" {
				t.Errorf("%s states no result, and we have none for it", v.Name)
			}
			fd, err := inspect(t, s.zone(), wire(v.Message))
			if got := fd.Facts["result"]; got != want || err != nil {
				t.Errorf("%s: %s: got %v, %v; want %s: %s", s.Description, v.Name, got, err, want, fd.Reason)
			}
		}
	}
	if len(stated) != 168 {
		t.Errorf("%d cases stated a result, want 168", len(stated))
	}
}
