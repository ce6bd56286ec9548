package test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/trail"
)

// Written is a case that was made of a message that the trail knows.
type Written struct {
	Name string // of the case
	Text string // a file of tests with it
	// Differs says in what the policy as it stands decides otherwise than the trail
	// has it; the case expects what the policy does.
	Differs []string
}

// FromRecord writes a case from a record. Addresses are replaced by others,
// domains too, except those that the configuration itself names; lists that have
// them get the replacements. The case passes against the policy as it stands.
func FromRecord(ctx context.Context, rec *trail.Record, o Options) (*Written, error) {
	w := &writer{rec: rec, o: o, name: "message " + string(rec.ID)}
	r, ds := stageFor("from-id.test.hcl", o, func(cfg *policies.Config) string { return w.draft(cfg) })
	if r == nil {
		return nil, ds
	}
	cases := r.bindAll()
	if r.f.bag.Errors() > 0 {
		return nil, r.f.bag.All()
	}
	c := cases[0]
	w.counters(ctx, r, c)
	r.stage.set(c.scene)
	p := r.rehearse(ctx, c.scene)
	out := &Written{Name: w.name}
	w.expect(p)
	out.Differs = w.differs(p)
	text, err := policies.Format("from-id.test.hcl", []byte(w.file(out.Differs)))
	if err != nil {
		return nil, err
	}
	out.Text = string(text)
	return out, nil
}

// writer writes a case.
type writer struct {
	rec  *trail.Record
	o    Options
	name string

	ren     *renamer
	body    []string
	state   []string // counters and waited
	expects []string
	lists   map[string][]string
	to      []string // recipients as they are written, in order
}

// draft is the case without what comes of it.
func (w *writer) draft(cfg *policies.Config) string {
	rec := w.rec
	w.ren = newRenamer(cfg)
	add := func(format string, args ...any) { w.body = append(w.body, fmt.Sprintf(format, args...)) }
	add("listener = listener.%s", rec.Listener)
	if !rec.Time.IsZero() {
		add("now = %s", quote(rec.Time.UTC().Format(time.RFC3339)))
	}
	from := ""
	if rec.From != nil {
		from = w.ren.address(*rec.From)
	}
	for _, to := range rec.To {
		w.to = append(w.to, w.ren.address(to))
	}
	groups := w.facts()
	client := map[string]string{"ip": quote(rec.Client.IP)}
	merge2(client, groups["client"])
	if rec.Client.Name != "" {
		client["name"] = quote(w.ren.domain(rec.Client.Name))
	}
	add("client = %s", object(client))
	if rec.Client.Helo != "" {
		add("helo = %s", quote(w.ren.domain(rec.Client.Helo)))
	}
	if version, _, _ := strings.Cut(rec.Client.TLS, ","); version != "" {
		add("tls = { on = true, version = %s }", quote(version))
	}
	if rec.Auth != "" {
		user := w.ren.address(rec.Auth)
		add("auth = { ok = true, user = %s, addresses = %s }", quote(user), quoted([]string{user}))
	}
	add("mail = { from = %s }", quote(from))
	add("rcpt = %s", quoted(w.to))
	if unknown := w.unknown(); unknown != nil {
		add("unknown = %s", quoted(unknown))
	}
	message := map[string]string{"from": quote(w.author(from)), "subject": quote(w.ren.text(rec.Subject))}
	merge2(message, groups["msg"])
	add("message = %s", object(message))
	for _, name := range sortedKeys(groups) {
		if name != "client" && name != "msg" {
			add("%s = %s", name, object(groups[name]))
		}
	}
	if waited := w.waited(); waited != nil {
		add("waited = %s", quoted(waited))
	}
	ip, _ := netip.ParseAddr(rec.Client.IP)
	w.lists = w.ren.lists(ip)
	w.known(cfg)
	w.expects = []string{"expect {\nverdict = accept\n}"}
	text := w.file(nil)
	w.expects = nil
	return text
}

// author is who stands in From, as far as the record knows.
func (w *writer) author(from string) string {
	for _, f := range w.rec.Facts {
		if d, ok := f.Values["domain"].(string); ok && f.Filter == "dmarc" && d != "" {
			if d = w.ren.domain(d); !strings.HasSuffix(from, "@"+d) {
				return "author@" + d
			}
		}
	}
	return from
}

// unknown are recipients that did not exist.
func (w *writer) unknown() (list []string) {
	for _, o := range w.rec.Outcomes {
		if o.Rule == "builtin.recipient" {
			for _, to := range o.To {
				list = append(list, w.ren.address(to))
			}
		}
	}
	return list
}

// known puts recipients that existed into the list that knows them: it may have
// changed since.
func (w *writer) known(cfg *policies.Config) {
	unknown := w.unknown()
	for _, to := range w.to {
		_, domain, _ := strings.Cut(to, "@")
		for _, d := range cfg.Settings.Domains {
			name := d.Recipients.Name
			if d.Name == domain && name != "" && !has(unknown, to) && !has(w.lists[name], to) {
				w.lists[name] = append(w.lists[name], to)
			}
		}
	}
}

// waited are greylists that let the sender through.
func (w *writer) waited() (list []string) {
	for _, f := range w.rec.Facts {
		path, ok := strings.CutPrefix(f.Filter, "greylist:")
		if early, _ := f.Values["early"].(bool); ok && !early && !slices.Contains(list, path) {
			list = append(list, path)
		}
	}
	return list
}

// counters states what limits had counted, where one was over: the first
// rehearsal shows by which key.
func (w *writer) counters(ctx context.Context, r *runner, c *oneCase) {
	over := map[string]int64{}
	for _, f := range w.rec.Facts {
		path, ok := strings.CutPrefix(f.Filter, "limit:")
		if is, _ := f.Values["over"].(bool); ok && is {
			n, _ := f.Values["limit"].(float64)
			over[path] = int64(n)
		}
	}
	if len(over) == 0 {
		return
	}
	r.stage.set(c.scene)
	r.rehearse(ctx, c.scene)
	var lines []string
	for _, key := range sortedKeys(r.stage.taken) {
		name, rest, _ := strings.Cut(key, " ")
		_, who, _ := strings.Cut(rest, " ")
		path := strings.TrimPrefix(name, "limit:")
		if n, ok := over[path]; ok && c.scene.counters[path] == nil {
			c.scene.counters[path] = map[string]int64{who: n}
			lines = append(lines, fmt.Sprintf("%s = { %s = %d }", quote(path), quote(who), n))
		}
	}
	if lines != nil {
		w.state = append(w.state, "counters = {\n"+strings.Join(lines, "\n")+"\n}")
	}
}

// expect writes what came of the case.
func (w *writer) expect(p *played) {
	same := true
	for _, f := range p.Fates {
		same = same && f.Action == p.Fates[0].Action && f.Rule == p.Fates[0].Rule && f.Reply == p.Fates[0].Reply
	}
	for i := range p.Fates {
		f := &p.Fates[i]
		label := ""
		if !same {
			label = quote(f.To.String()) + " "
		}
		lines := "verdict = " + f.Action.String()
		if f.Rule != "" {
			lines += "\nby = " + quote(f.Rule)
		}
		if len(f.Ledger.Tags) > 0 {
			lines += "\ntags = " + quoted(f.Ledger.Tags)
		}
		if f.Action.Refuses() && f.Reply != "" {
			lines += "\nreply = " + quote(f.Reply)
		}
		w.expects = append(w.expects, "expect "+label+"{\n"+lines+"\n}")
		if same {
			return
		}
	}
}

// differs compares with the trail.
func (w *writer) differs(p *played) (list []string) {
	i := 0
	for _, o := range w.rec.Outcomes {
		for range o.To {
			if i < len(p.Fates) {
				f := p.Fates[i]
				if action := f.Action.String(); action != o.Action || f.Rule != o.Rule {
					list = append(list, fmt.Sprintf("%s: the trail says %s%s, the policy as it stands %s%s", f.To, o.Action, by(o.Rule), action, by(f.Rule)))
				}
			}
			i++
		}
	}
	return list
}

func by(rule string) string {
	if rule == "" {
		return ""
	}
	return " by " + rule
}

// file is the whole text.
func (w *writer) file(differs []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Written from message %s. Addresses and domains are replaced, except those that the\n# configuration names. Of the text of the message nothing is known.\n", w.rec.ID)
	for _, d := range differs {
		fmt.Fprintf(&b, "# %s\n", d)
	}
	if len(w.lists) > 0 {
		b.WriteString("lists {\n")
		for _, name := range sortedKeys(w.lists) {
			fmt.Fprintf(&b, "%s = %s\n", name, quoted(w.lists[name]))
		}
		b.WriteString("}\n\n")
	}
	fmt.Fprintf(&b, "case %s {\n%s\n\n%s\n}\n", quote(w.name), strings.Join(append(w.body[:len(w.body):len(w.body)], w.state...), "\n"), strings.Join(w.expects, "\n\n"))
	return b.String()
}
