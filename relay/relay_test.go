package relay

import (
	"context"
	"errors"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/route"
)

// finder routes by the domain, or by the route that was chosen.
type finder map[string]*route.Route

func (f finder) Find(to mail.Recipient) (*route.Route, error) {
	name := to.Route
	if name == "" {
		name = to.Address.Domain
	}
	if r := f[name]; r != nil {
		return r, nil
	}
	return nil, mail.Refuse(50, 1, 2, "no route")
}

func (finder) Hosts(context.Context, *route.Route, string) ([]route.Host, error) { return nil, nil }

// carrier is a transport with the name of its route.
type carrier string

func (carrier) Deliver(context.Context, mail.Envelope, *mail.Message) []queue.Attempt { return nil }

var table = finder{
	"mx.test":       {Name: "mx", Kind: route.MX},
	"strict.test":   {Name: "strict", Kind: route.MX, TLS: route.TLSVerify},
	"bank.test":     {Name: "mx", Kind: route.MX, TLS: route.TLSVerify, Raised: true},
	"exchange.test": {Name: "exchange", Kind: route.Hosts, To: []route.Target{{Host: "ex1", Port: 25}}},
	"lmtp.test":     {Name: "dovecot", Kind: route.LMTP},
	"here.test":     {Name: "store", Kind: route.Store},
	"archive":       {Name: "archive", Kind: route.Hosts},
}

func transports() Transports {
	return Transports{
		SMTP:  func(r *route.Route) queue.Transport { return carrier("smtp " + r.Name) },
		LMTP:  func(r *route.Route) queue.Transport { return carrier("lmtp " + r.Name) },
		Store: carrier("store"),
	}
}

func TestRouter(t *testing.T) {
	r := NewRouter(table, transports())
	for _, c := range []struct {
		why, domain, chosen string
		hop                 queue.Hop
		by                  carrier
	}{
		{"MX: a line for each domain", "mx.test", "", queue.Hop{Key: "mx:mx.test", Route: "mx"}, "smtp mx"},
		{"MX with another TLS policy must not share that line", "strict.test", "", queue.Hop{Key: "route:strict:strict.test", Route: "strict"}, "smtp strict"},
		{"configured servers: one line, whatever the domain", "exchange.test", "", queue.Hop{Key: "route:exchange", Route: "exchange"}, "smtp exchange"},
		{"LMTP ends in a mailbox", "lmtp.test", "", queue.Hop{Key: "route:dovecot", Route: "dovecot", Final: true}, "lmtp dovecot"},
		{"our store", "here.test", "", queue.Hop{Key: "store", Route: "store", Final: true, Limit: storeLimit}, "store"},
		{"policy asked for better TLS: a line of its own", "bank.test", "", queue.Hop{Key: "mx:bank.test;tls=verify", Route: "mx"}, "smtp mx"},
		{"the route that policy chose", "mx.test", "archive", queue.Hop{Key: "route:archive", Route: "archive"}, "smtp archive"},
	} {
		to := mail.Recipient{Address: mail.Address{Local: "b", Domain: c.domain}, Route: c.chosen}
		hop, by, err := r.Route(context.Background(), to)
		if err != nil || hop != c.hop || by != c.by {
			t.Errorf("%s: %+v by %v, error %v", c.why, hop, by, err)
		}
	}
}

// What cannot be routed is an answer, not a nil transport.
func TestRouterRefusals(t *testing.T) {
	for _, c := range []struct {
		why, domain string
		t           Transports
		class       mail.Class
	}{
		{"the table's own words", "unknown.test", transports(), mail.Permanent},
		{"no store in this configuration: it may come back", "here.test", Transports{}, mail.Transient},
		{"no LMTP", "lmtp.test", Transports{}, mail.Transient},
		{"no SMTP", "mx.test", Transports{}, mail.Transient},
	} {
		_, by, err := NewRouter(table, c.t).Route(context.Background(), mail.Recipient{Address: mail.Address{Local: "b", Domain: c.domain}})
		var r mail.Reply
		if !errors.As(err, &r) || r.Class != c.class || by != nil {
			t.Errorf("%s: by %v, error %v", c.why, by, err)
		}
	}
}

// plan is a Plan that remembers what it was asked.
type plan struct {
	stage pipeline.Stage
	tx    *pipeline.Transaction
	vs    []pipeline.Verdict
}

func (p *plan) Run(_ context.Context, at pipeline.Stage, tx *pipeline.Transaction) []pipeline.Verdict {
	p.stage, p.tx = at, tx
	return p.vs
}

func (*plan) Info() pipeline.PlanInfo { return pipeline.PlanInfo{} }

func TestJudge(t *testing.T) {
	p := &plan{vs: []pipeline.Verdict{{To: 1, Action: pipeline.Defer, Rule: "r"}}}
	asked := ""
	j := NewJudge(func(listener string) pipeline.Plan {
		asked = listener
		return p
	})
	env := mail.Envelope{
		ID: "4bQz7K2MwXc9T", From: mail.MustParseAddress("a@a.test"), Listener: "mx", SMTPUTF8: true,
		To: []mail.Recipient{{Address: mail.MustParseAddress("b@b.test")}, {Address: mail.MustParseAddress("c@c.test"), Tags: []string{"external"}}},
	}
	d := queue.Try{Attempt: 3, Age: time.Hour, LastCode: 451}
	v := j.Judge(context.Background(), env, 1, 4711, d)
	if v.Order != queue.Postpone || v.Rule != "r" || asked != "mx" {
		t.Errorf("verdict %+v of the plan for %q", v, asked)
	}
	tx := p.tx
	if p.stage != pipeline.Deliver || tx.Current != 1 || tx.Delivery != (pipeline.Delivery{Attempt: 3, Age: time.Hour, LastCode: 451}) || tx.Declared != 4711 || tx.From != env.From || tx.ID != env.ID || !tx.SMTPUTF8 {
		t.Errorf("asked at %s with %+v", p.stage, tx)
	}
	if len(tx.To) != 2 || !reflect.DeepEqual(tx.To[1].Ledger.Tags, []string{"external"}) || tx.To[1].Address.Domain != "c.test" {
		t.Errorf("recipients %+v", tx.To)
	}
	if tx.Listener != "mx" || tx.Client != (netip.Addr{}) || tx.Trace == nil {
		t.Errorf("session %+v", tx.Session)
	}
}

// No plan, and a plan that has nothing to say, let the attempt pass.
func TestJudgeSilent(t *testing.T) {
	for why, plans := range map[string]func(string) pipeline.Plan{
		"no plan":               func(string) pipeline.Plan { return nil },
		"no verdict":            func(string) pipeline.Plan { return &plan{} },
		"a verdict for another": func(string) pipeline.Plan { return &plan{vs: []pipeline.Verdict{{To: 5, Action: pipeline.Hold}}} },
	} {
		v := NewJudge(plans).Judge(context.Background(), mail.Envelope{To: make([]mail.Recipient, 1)}, 0, 1, queue.Try{})
		if v.Order != queue.Proceed {
			t.Errorf("%s: %+v", why, v)
		}
	}
}
