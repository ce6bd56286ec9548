package trail

import (
	"encoding/binary"
	"time"
)

// recordVersion is the first octet of a record behind its head. A program reads
// all versions up to its own; records older than the first of them were JSON.
const recordVersion = 1

// record codes all of a record but ID and time, which stand in the entry's head.
func (c *coder) record(r *Record) {
	known, judged := r.From != nil, !r.Judged.IsZero()
	loaded := !r.Loaded.IsZero()
	c.flags(&known, &loaded, &judged, &r.Trusted, &r.Verified, &r.UTF8, &r.Read)
	c.text(&r.Listener, ours)
	c.client(&r.Client)
	c.text(&r.Auth, usual)
	c.texts(&r.Own, usual)
	if known {
		if r.From == nil {
			r.From = new(string)
		}
		c.text(r.From, usual)
	}
	list(c, &r.Rcpts, c.rcpt)
	c.texts(&r.To, usual)
	c.text(&r.Subject, foreign)
	c.text(&r.Message, foreign)
	c.signed(&r.Size)
	c.signed(&r.Declared)
	c.time(&r.Judged, judged, r.Time)
	c.message(r)
	c.text(&r.Policy, ours)
	c.text(&r.Hash, ours)
	c.loaded(&r.Loaded, loaded)
	list(c, &r.Rules, c.rule)
	list(c, &r.Facts, c.fact)
	c.text(&r.Points, usual)
	list(c, &r.Outcomes, c.outcome)
	c.texts(&r.Added, ours)
	c.texts(&r.Cut, ours)
}

// time codes one that comes soon after another.
func (c *coder) time(t *time.Time, there bool, after time.Time) {
	if !there {
		return
	}
	ms := t.Sub(after).Milliseconds()
	c.signed(&ms)
	if !c.enc {
		*t = after.Add(time.Duration(ms) * time.Millisecond)
	}
}

// loaded codes a time that is the same for many.
func (c *coder) loaded(t *time.Time, there bool) {
	if !there {
		return
	}
	s := ""
	if c.enc {
		b := binary.BigEndian.AppendUint64(nil, uint64(t.UnixNano()))
		s = string(b)
	}
	c.text(&s, ours)
	if !c.enc && len(s) == 8 {
		*t = time.Unix(0, int64(binary.BigEndian.Uint64([]byte(s)))).UTC()
	}
}

func (c *coder) client(cl *Client) {
	c.text(&cl.IP, usual)
	c.text(&cl.Name, usual)
	c.text(&cl.Helo, usual)
	c.text(&cl.TLS, ours)
}

func (c *coder) rcpt(r *Rcpt) {
	c.flags(&r.Ours, &r.Known)
	c.text(&r.Address, usual)
	c.text(&r.Domain, ours)
}

func (c *coder) message(r *Record) {
	c.text(&r.Type, usual)
	c.texts(&r.Defects, usual)
	c.texts(&r.Asked, ours)
	list(c, &r.Header, func(f *Field) {
		c.flags(&f.Cut)
		c.text(&f.Name, usual)
		c.text(&f.Value, foreign)
	})
}

// rule codes a line of the trace: as a word where it is one.
func (c *coder) rule(line **Rule) {
	if !c.enc {
		*line = c.readRule()
		return
	}
	r := *line
	n, ok := c.dict.rule(r)
	if ok {
		n++
	}
	c.number(&n)
	if n == 0 {
		r.code(c)
	}
	c.text(&r.To, foreign)
	c.signed(&r.Took)
}

// readRule refers to the word itself where nothing else is said of it.
func (c *coder) readRule() (r *Rule) {
	n := c.next()
	if n > 0 {
		r = c.word(n - 1).rule
	}
	if r == nil {
		r = &Rule{}
	}
	if n == 0 {
		r.code(c)
	}
	var to string
	var took int64
	c.text(&to, foreign)
	c.signed(&took)
	if to != "" || took != 0 {
		r = r.For(to)
		r.Took = took
	}
	return r
}

// code codes what a word would say.
func (r *Rule) code(c *coder) {
	c.text(&r.Stage, ours)
	c.text(&r.Path, ours)
	c.text(&r.Outcome, usual)
	c.text(&r.Why, usual)
}

func (c *coder) fact(f *Fact) {
	c.text(&f.Filter, ours)
	c.integer(&f.Rcpt)
	c.text(&f.Conf, ours)
	c.values(&f.Values)
	c.text(&f.Reason, usual)
	c.text(&f.Error, usual)
	c.texts(&f.Auth, usual)
	c.texts(&f.Left, ours)
	c.signed(&f.Took)
}

func (c *coder) outcome(o *Outcome) {
	c.texts(&o.To, foreign)
	c.text(&o.Action, ours)
	c.text(&o.Rule, ours)
	c.text(&o.Reply, usual)
	c.text(&o.Where, ours)
	c.texts(&o.Tags, ours)
}
