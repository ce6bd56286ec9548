package test

import (
	"net/netip"
	"sort"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// scene is what a case states: who sends what to whom, and what filters find.
type scene struct {
	listener *policies.Listener
	session  visitor
	from     mail.Address
	size     int64
	utf8     bool
	to       []mail.Address
	message  mail.Blob
	unknown  []string // recipients of ours that do not exist
	attempt  *pipeline.Delivery

	facts    map[string]any
	failed   map[string]string
	counters map[string]map[string]int64
	waited   []string
	now      time.Time
}

// visitor is who connects.
type visitor struct {
	Client netip.Addr
	Helo   string
	TLS    pipeline.TLS
	Auth   mail.Identity
}

// binder reads the attributes of a case into a scene.
type binder struct {
	*runner
	sc  *scene
	at  hcl.Range
	all map[string]*node
}

// own are the attributes of a case that are not facts of filters alone.
func (b *binder) own() map[string]func(*node) {
	return map[string]func(*node){
		"listener": b.listener, "client": b.client, "helo": b.helo, "tls": b.tls, "auth": b.auth,
		"mail": b.mail, "rcpt": b.rcpt, "message": b.message, "delivery": b.delivery,
		"counters": b.counters, "waited": b.waited, "now": b.now,
		"unknown": func(n *node) { b.sc.unknown = b.addressTexts(n, "unknown") },
	}
}

// scene binds what a case states.
func (r *runner) scene(all map[string]*node, at hcl.Range) *scene {
	b := &binder{runner: r, at: at, all: all, sc: &scene{facts: map[string]any{}, failed: map[string]string{}, counters: map[string]map[string]int64{}}}
	b.sc.session.Client = netip.MustParseAddr("192.0.2.1") // RFC 5737
	names := keys(all)
	sort.Strings(names)
	own := b.own()
	for _, name := range names {
		if bind, ok := own[name]; ok {
			bind(all[name])
			continue
		}
		b.state(name, all[name])
	}
	b.complete()
	return b.sc
}

// complete fills in what a session cannot do without.
func (b *binder) complete() {
	if b.sc.message == nil {
		b.message(&node{at: b.at, obj: map[string]*node{}})
	}
	if _, ok := b.all["listener"]; !ok {
		if ls := b.cfg.Settings.Listeners; len(ls) == 1 {
			b.sc.listener = &ls[0]
		} else {
			b.wrong(diag.MissingAttribute, b.at, "The case does not say where the client connects.", "Write listener = listener.name.")
		}
	}
	if len(b.sc.to) == 0 && b.all["rcpt"] == nil {
		b.wrong(diag.MissingAttribute, b.at, "The case has no recipient.", "Write rcpt = [\"user@example.com\"].")
	}
	if l := b.sc.listener; l != nil && l.Auth == "" && b.sc.session.Auth.User != "" {
		b.wrong(diag.BadValue, b.all["auth"].at, "Nobody can log in at listener."+l.Name+": it has no auth.", "")
	}
}

func (b *binder) wrong(c diag.Code, at hcl.Range, text, fix string) { b.f.bag.Error(c, at, text, fix) }

// state takes a fact of a filter, or an object of facts.
func (b *binder) state(path string, n *node) {
	if fact := b.facts[path]; fact != nil && fact.Slot >= 0 {
		if v, ok := b.typed(fact, n); ok {
			b.sc.facts[path] = v
		}
		return
	}
	if why, ok := n.leaf.(string); ok && strings.HasSuffix(path, ".error") && b.isFilter(strings.TrimSuffix(path, ".error")) {
		b.sc.failed[strings.TrimSuffix(path, ".error")] = why
		return
	}
	if n.obj != nil && b.isRoot(path) {
		for _, name := range sortedKeys(n.obj) {
			b.state(path+"."+name, n.obj[name])
		}
		return
	}
	if b.facts[path] != nil {
		b.wrong(diag.BadValue, n.at, path+" follows from the session and the message; it is not stated by itself.", "Write "+followsFrom(path)+".")
		return
	}
	b.wrong(diag.UnknownFact, n.at, "There is no fact "+path+".", diag.DidYouMean(path, append(b.filterFacts(), keys(b.own())...)))
}

// isFilter tells whether facts of a filter stand directly under a path.
func (b *binder) isFilter(path string) bool {
	for p, fact := range b.facts {
		if rest, ok := strings.CutPrefix(p, path+"."); ok && fact.Slot >= 0 && !strings.Contains(rest, ".") {
			return true
		}
	}
	return false
}

func (b *binder) isRoot(path string) bool {
	for p := range b.facts {
		if strings.HasPrefix(p, path+".") {
			return true
		}
	}
	return false
}

func (b *binder) filterFacts() (paths []string) {
	for p, fact := range b.facts {
		if fact.Slot >= 0 {
			paths = append(paths, p)
		}
	}
	return paths
}

func followsFrom(path string) string {
	root, _, _ := strings.Cut(path, ".")
	switch root {
	case "msg":
		return "message = { ... }"
	case "session":
		return "listener and client"
	case "rcpt":
		return "rcpt = [\"user@example.com\"]"
	}
	return "what it follows from"
}

// typed is a value as a fact of that type.
func (b *binder) typed(f *expr.Fact, n *node) (any, bool) {
	var v any
	var err error
	ok := true
	s, isText := n.leaf.(string)
	switch f.Type {
	case expr.Bool:
		v, ok = n.leaf.(bool)
	case expr.Number:
		v, ok = n.leaf.(float64)
	case expr.String:
		v, ok = s, isText
		if isText && f.Words != nil && !has(f.Words, s) {
			b.wrong(diag.NeverEqual, n.at, f.Path+" is never \""+s+"\".", diag.DidYouMean(s, f.Words))
			return nil, false
		}
	case expr.Strings:
		v, ok = n.texts()
	case expr.IP:
		v, err = netip.ParseAddr(s)
	case expr.Duration:
		v, err = expr.ParseDuration(s)
	case expr.Time:
		v, err = time.Parse(time.RFC3339, s)
	}
	if !ok || err != nil {
		b.wrong(diag.WrongType, n.at, f.Path+" is a "+f.Type.String()+".", "")
		return nil, false
	}
	return v, true
}

func sortedKeys[T any](m map[string]T) []string {
	ks := keys(m)
	sort.Strings(ks)
	return ks
}
