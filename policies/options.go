package policies

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/policies/internal/diag"
)

// Options is what Load needs besides the file. The zero value reads the real
// files and the real environment, and knows no filters.
type Options struct {
	Kinds []filters.Kind    // the filters of this build
	Vars  map[string]string // values of variables, from -var
	// Strict makes errors of missing list files, certificates and secrets, as serve
	// wants it; without it they are warnings, as check does.
	Strict bool
	// Rehearsal is for tests of policies: settings of servers that this version
	// cannot do are warnings (no server is started), and all filters are built,
	// not only those that a rule asks.
	Rehearsal bool
	// Lists are the entries of lists by name, in place of what the configuration
	// says of them.
	Lists map[string][]string

	Now         func() time.Time                       // default time.Now
	ReadFile    func(name string) ([]byte, error)      // default os.ReadFile
	ModTime     func(name string) (time.Time, error)   // when a file was last written; default os.Stat
	Glob        func(pattern string) ([]string, error) // default filepath.Glob
	Env         func(name string) (string, bool)       // default os.LookupEnv
	Credentials []string                               // directories of secrets; default $CREDENTIALS_DIRECTORY and /etc/forepost/secrets
}

// Diagnostic is one mistake in the configuration.
type Diagnostic = diag.Diagnostic

// Diagnostics is all that is to be said of a configuration.
type Diagnostics = diag.Diagnostics

// The severities of a Diagnostic.
const (
	SeverityError   = diag.Error
	SeverityWarning = diag.Warning
)

// Made are the mistakes that only making the parts of a configuration showed (see
// Build): one for each error that err joins. Where a text begins with a place,
// "file:line: what", that is its place.
func (c *Config) Made(err error) Diagnostics {
	var ds Diagnostics
	for _, err := range apart(err) {
		what := err.Error()
		at := hcl.Range{Filename: c.l.files[0]}
		if file, rest, ok := strings.Cut(what, ":"); ok {
			number, text, _ := strings.Cut(rest, ": ")
			if n, err := strconv.Atoi(number); err == nil && n > 0 {
				what, at = text, c.l.bag.Line(file, n)
			}
		}
		ds = append(ds, c.l.bag.Make(diag.Error, diag.CannotMake, at, what, ""))
	}
	return ds
}

// Stale is the advice about a list whose source was last read so long ago.
func (c *Config) Stale(l *List, age time.Duration) Diagnostic {
	return c.l.bag.Make(diag.Warning, diag.StaleList, c.l.bag.Line(l.At.File, l.At.Line),
		fmt.Sprintf("list.%s was last read from its source %s ago, and refresh says %s.", l.Name, age.Round(time.Minute), l.Refresh),
		"See whether the gateway runs and reaches "+l.Source+": its log says what kept it from reading.")
}

// apart are the errors that were joined to one.
func apart(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, apart(e)...)
	}
	return all
}

// Explain gives the headline and the explanation of a code such as "FP0107".
func Explain(code string) (summary, why string, ok bool) {
	p, ok := diag.Explain(diag.Code(code))
	return p.Summary, p.Why, ok
}

// Example gives a mistake of a code, and the same without it; ok is false where
// the code is about something outside the configuration's text.
func Example(code string) (wrong, right string, ok bool) {
	e, ok := diag.ExampleOf(diag.Code(code))
	return e.Wrong, e.Right, ok
}

// Codes are all codes in order.
func Codes() []string {
	var out []string
	for _, c := range diag.Codes() {
		out = append(out, string(c))
	}
	return out
}

// secretsDir is where secrets lie beside systemd's credentials.
const secretsDir = "/etc/forepost/secrets"

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.ReadFile == nil {
		o.ReadFile = os.ReadFile
	}
	if o.ModTime == nil {
		o.ModTime = func(name string) (t time.Time, err error) {
			st, err := os.Stat(name)
			if err == nil {
				t = st.ModTime()
			}
			return t, err
		}
	}
	if o.Glob == nil {
		o.Glob = filepath.Glob
	}
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	if o.Credentials == nil {
		if dir, ok := o.Env("CREDENTIALS_DIRECTORY"); ok && dir != "" {
			o.Credentials = append(o.Credentials, dir)
		}
		o.Credentials = append(o.Credentials, secretsDir)
	}
	return o
}
