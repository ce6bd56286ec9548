package policies

import (
	"context"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// noon is the clock of the tests, a Monday.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// world is what the fake filters find: facts by filter, and those that fail.
type world struct {
	facts map[string]pipeline.Facts
	fail  map[string]bool

	mu    sync.Mutex
	asked []string
}

type fake struct {
	w    *world
	name string
	key  filters.Key
}

func (f fake) Inspect(_ context.Context, tx *pipeline.Transaction) (pipeline.Finding, error) {
	name := f.name
	if f.key != nil {
		k, _ := f.key(tx)
		name += " " + k
	}
	f.w.mu.Lock()
	f.w.asked = append(f.w.asked, name)
	f.w.mu.Unlock()
	if f.w.fail[f.name] {
		return pipeline.Finding{Facts: f.w.facts[f.name]}, context.DeadlineExceeded
	}
	return pipeline.Finding{Facts: f.w.facts[f.name]}, nil
}

type limitSettings struct {
	Key   filters.Key `hcl:"key"`
	Rate  []string    `hcl:"rate,required"`
	Burst int64       `hcl:"burst"`
	Count string      `hcl:"count" words:"sessions|messages|recipients|bytes"`
}

type greySettings struct {
	Key   filters.Key   `hcl:"key"`
	Delay time.Duration `hcl:"delay"`
}

type listSettings struct {
	Zone string      `hcl:"zone,required"`
	Key  filters.Key `hcl:"key"`
}

type geoSettings struct {
	ASN     string `hcl:"asn" form:"file"`
	Country string `hcl:"country" form:"file"`
}

type contentSettings struct {
	In       []string `hcl:"in" words:"subject|text|html"`
	Words    []string `hcl:"words"`
	Max      int64    `hcl:"max" unit:"bytes"`
	Score    float64  `hcl:"score"`
	Deep     bool     `hcl:"deep"`
	Patterns []string `hcl:"patterns" form:"pattern"`
}

// kinds are fakes of the filters that the language knows best.
func (w *world) kinds() []filters.Kind {
	make := func(k filters.Kind, key func(any) filters.Key) filters.Kind {
		k.Build = func(s any, d filters.Deps) (pipeline.Filter, error) {
			f := fake{w: w, name: d.Name}
			if key != nil {
				f.key = key(s)
			}
			return f, nil
		}
		return k
	}
	str := func(name string, words ...string) pipeline.Spec {
		return pipeline.Spec{Name: name, Type: pipeline.String, Words: words, Doc: name}
	}
	flag := func(name string) pipeline.Spec { return pipeline.Spec{Name: name, Type: pipeline.Bool, Doc: name} }
	results := []string{"none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"}
	return []filters.Kind{
		make(filters.Kind{Name: "spf", From: pipeline.Mail, Scope: pipeline.PerMessage, Slow: true, Facts: pipeline.Schema{str("result", results...), str("domain")}}, nil),
		make(filters.Kind{Name: "dkim", From: pipeline.Data, Scope: pipeline.PerMessage, Facts: pipeline.Schema{str("result", results...), {Name: "domains", Type: pipeline.Strings}}}, nil),
		make(filters.Kind{Name: "arc", From: pipeline.Data, Scope: pipeline.PerMessage, Slow: true, Facts: pipeline.Schema{str("result", "none", "pass", "fail"), flag("trusted")}}, nil),
		make(filters.Kind{Name: "dmarc", From: pipeline.Data, Scope: pipeline.PerMessage, Needs: []string{"spf", "dkim"}, Facts: pipeline.Schema{str("result", "none", "pass", "fail", "temperror", "permerror"), str("policy", "none", "quarantine", "reject"), str("override", "none", "trusted_arc", "trusted_forwarder", "local_policy")}}, nil),
		make(filters.Kind{Name: "attachment", Root: "msg", From: pipeline.Data, Scope: pipeline.PerMessage, Facts: pipeline.Schema{{Name: "extensions", Type: pipeline.Strings}, flag("has_macros")}}, nil),
		make(filters.Kind{Name: "iprev", Root: "client", From: pipeline.Connect, Scope: pipeline.PerSession, Slow: true, Facts: pipeline.Schema{str("name"), flag("fcrdns")}}, nil),
		make(filters.Kind{Name: "geo", Root: "client", From: pipeline.Connect, Scope: pipeline.PerSession, Settings: func() any { return &geoSettings{} },
			FactNeeds: map[string]string{"asn": `asn = "/var/asn.mmdb"`, "country": `country = "/var/country.mmdb"`},
			Facts:     pipeline.Schema{{Name: "asn", Type: pipeline.Number, Doc: "asn"}, str("country")}}, nil),
		make(filters.Kind{Name: "dnsbl", Named: true, From: pipeline.Connect, Scope: pipeline.PerSession, Slow: true, Settings: func() any { return &listSettings{} },
			Facts: pipeline.Schema{flag("listed"), str("reason")}}, func(s any) filters.Key { return s.(*listSettings).Key }),
		make(filters.Kind{Name: "content", Named: true, From: pipeline.Data, Scope: pipeline.PerMessage, Settings: func() any { return &contentSettings{} },
			Facts: pipeline.Schema{flag("hit"), {Name: "hits", Type: pipeline.Number}}}, nil),
		make(filters.Kind{Name: "ratelimit", Named: true, From: pipeline.Rcpt, Scope: pipeline.PerRecipient, Settings: func() any { return &limitSettings{Count: "recipients"} },
			Facts: pipeline.Schema{flag("over"), {Name: "count", Type: pipeline.Number}, {Name: "limit", Type: pipeline.Number}}}, func(s any) filters.Key { return s.(*limitSettings).Key }),
		make(filters.Kind{Name: "greylist", Named: true, From: pipeline.Rcpt, Scope: pipeline.PerRecipient, Settings: func() any { return &greySettings{Delay: 5 * time.Minute} },
			Facts: pipeline.Schema{flag("early"), {Name: "wait", Type: pipeline.Duration}}}, func(s any) filters.Key { return s.(*greySettings).Key }),
	}
}

func newWorld() *world { return &world{facts: map[string]pipeline.Facts{}, fail: map[string]bool{}} }

// memory are options that read texts instead of files.
func (w *world) memory(files map[string]string) Options {
	return Options{Kinds: w.kinds(), Now: func() time.Time { return noon }, Credentials: []string{"/secrets"},
		ReadFile: func(name string) ([]byte, error) {
			if t, ok := files[name]; ok {
				return []byte(t), nil
			}
			return nil, os.ErrNotExist
		},
		Glob: func(p string) (names []string, err error) {
			for n := range files {
				if n != "/etc/main.hcl" && strings.HasPrefix(n, strings.TrimSuffix(p, "*.hcl")) {
					names = append(names, n)
				}
			}
			return names, nil
		},
		ModTime: func(name string) (time.Time, error) {
			if _, ok := files[name]; !ok {
				return time.Time{}, os.ErrNotExist
			}
			return noon, nil
		},
		Env: func(string) (string, bool) { return "", false },
	}
}

// load reads a configuration and stops the test where it has errors.
func (w *world) load(t testing.TB, text string) *Config {
	t.Helper()
	c, ds := Load("/etc/main.hcl", w.memory(map[string]string{"/etc/main.hcl": text}))
	if ds.HasErrors() {
		t.Fatalf("does not load:\n%s", ds)
	}
	return c
}

// plan builds the plan of policy "p".
func (w *world) plan(t testing.TB, text string) pipeline.Plan {
	t.Helper()
	ps, err := w.load(t, text).Build(filters.Deps{Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	p, ok := ps.Plan("p")
	if !ok {
		t.Fatal("no policy p")
	}
	return p
}

const message = "From: \"Ann B\" <ann@Stranger.test>\r\nTo: bob@example.com\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nX-Mark: one\r\nX-Mark: two\r\n\r\nHello\r\n"

// transaction is a message from ann@stranger.test to some recipients.
func transaction(t testing.TB, to ...string) *pipeline.Transaction {
	t.Helper()
	s := &pipeline.Session{ID: "4bQz7K2MwX", Listener: "edge", Client: netip.MustParseAddr("203.0.113.9"), Helo: "mail.stranger.test"}
	tx := pipeline.NewTransaction(s)
	tx.From = mail.MustParseAddress("ann@stranger.test")
	tx.Trace = &trail.Record{}
	for _, a := range to {
		ad := mail.MustParseAddress(a)
		tx.To = append(tx.To, pipeline.Recipient{Address: ad, Acceptance: mail.Acceptance{Ours: true, Known: true, Domain: ad.Domain}})
	}
	tx.Message = &mail.Message{Blob: mail.Bytes(message)}
	tx.Part = partOf(message)
	return tx
}

// partOf finds the fields of a simple message.
func partOf(text string) *mime.Part {
	p := &mime.Part{Type: "text/plain"}
	head, _, _ := strings.Cut(text, "\r\n\r\n")
	off := int64(0)
	for _, line := range strings.Split(head, "\r\n") {
		name, raw, _ := strings.Cut(line, ":")
		end := off + int64(len(line)) + 2
		p.Fields = append(p.Fields, mime.Field{Name: name, Raw: raw, Off: off, End: end})
		off = end
	}
	p.Body = off + 2
	return p
}
