package queue

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// The grammar of filters, the same for every command, the API and whatever comes
// later:
//
//	from:@x.test to:bob@* age>2h reason:4.7.* route:exchange size>5MB tag:external
//
// Terms stand apart by blanks, and all must hold. One with ! in front must not. A
// value in quotation marks may have blanks in it. An ID alone stands for id:ID.

// FilterHelp is the grammar in words, for the help of commands.
const FilterHelp = `A filter is terms, all of which must hold (with ! in front: must not):
  ID                        a message; all that came in one session, by its ID
  from:ann@a.test           the sender; from:@a.test is a domain, from:<> no sender
  to:bob@*                  a recipient; * stands for anything
  domain:b.test             the recipient's domain
  route:exchange            the route of the last attempt
  state:held                waiting, ready, active or held
  reason:4.7.*              why it waits: a word of it, or part of it
  tag:external              a tag that a policy gave
  age>2h age<1d             m, h, d or w
  size>5MB                  B, KB, MB or GB
  tries>3                   attempts so far
A value with blanks goes into quotation marks: 'reason:"mailbox full"'.`

// test is one term: whether it holds for a recipient of an entry.
type test func(in *Info, s *Status) bool

// ParseFilter reads a filter. Ages are measured from the queue's clock at the time of
// each use. Empty text chooses all. The error says which term is wrong, and what
// there is.
func (q *Queue) ParseFilter(text string) (Filter, error) { return parseFilter(text, q.o.Now) }

// CheckFilter finds what is wrong with a filter, without a queue.
func CheckFilter(text string) error {
	_, err := parseFilter(text, time.Now)
	return err
}

func parseFilter(text string, now func() time.Time) (f Filter, err error) {
	terms, err := splitTerms(text)
	if err != nil {
		return f, err
	}
	var tests []test
	for _, t := range terms {
		one, sized, err := parseTerm(t, now)
		if err != nil {
			return f, err
		}
		f.sized = f.sized || sized
		tests = append(tests, one)
	}
	f.Where = func(in *Info, s *Status) bool {
		for _, t := range tests {
			if !t(in, s) {
				return false
			}
		}
		return true
	}
	return f, nil
}

// splitTerms cuts at blanks outside quotation marks, which are taken away.
func splitTerms(text string) (terms []string, err error) {
	var b strings.Builder
	quoted, some := false, false
	for _, c := range text {
		switch {
		case c == '"':
			quoted, some = !quoted, true
		case !quoted && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			if some {
				terms = append(terms, b.String())
			}
			b.Reset()
			some = false
		default:
			b.WriteRune(c)
			some = true
		}
	}
	if quoted {
		return nil, fmt.Errorf("the filter %q has a quotation mark without its other", text)
	}
	if some {
		terms = append(terms, b.String())
	}
	return terms, nil
}

func parseTerm(term string, now func() time.Time) (t test, sized bool, err error) {
	body, not := strings.CutPrefix(term, "!")
	i := strings.IndexAny(body, ":<>")
	switch {
	case i < 0 && mail.ID(body).Valid():
		t = hasID(body)
	case i <= 0 || i == len(body)-1:
		return nil, false, fmt.Errorf("%q is no term of a filter: they are like to:bob@b.test, age>2h, or an ID", term)
	case body[i] == ':':
		t, err = parseMatch(body[:i], body[i+1:])
	default:
		t, err = parseMeasure(body[:i], body[i], body[i+1:], now)
		sized = body[:i] == "size"
	}
	if err != nil || !not {
		return t, sized, err
	}
	plain := t
	return func(in *Info, s *Status) bool { return !plain(in, s) }, sized, nil
}

// parseMatch is key:value.
func parseMatch(key, value string) (test, error) {
	to := func(in *Info, s *Status) mail.Address { return in.Envelope.To[s.Index].Address }
	switch key {
	case "id":
		return hasID(value), nil
	case "from":
		if value == "<>" {
			return func(in *Info, _ *Status) bool { return in.Envelope.From.IsNull() }, nil
		}
		ok := address(value)
		return func(in *Info, _ *Status) bool { return ok(in.Envelope.From) }, nil
	case "to":
		ok := address(value)
		return func(in *Info, s *Status) bool { return ok(to(in, s)) }, nil
	case "domain":
		ok := pattern(value)
		return func(in *Info, s *Status) bool { return ok(to(in, s).Domain) }, nil
	case "route":
		ok := pattern(value)
		return func(_ *Info, s *Status) bool { return ok(s.Route) }, nil
	case "tag":
		ok := pattern(value)
		return func(in *Info, s *Status) bool {
			for _, tag := range in.Envelope.To[s.Index].Tags {
				if ok(tag) {
					return true
				}
			}
			return false
		}, nil
	case "reason":
		return reason(value), nil
	case "state":
		return state(value)
	}
	return nil, fmt.Errorf("a filter knows no %q: there are id, from, to, domain, route, state, reason, tag, age, size and tries", key)
}

func hasID(id string) test {
	return func(in *Info, _ *Status) bool {
		return in.Envelope.ID == mail.ID(id) || in.Envelope.ID.Session() == mail.ID(id)
	}
}

func state(name string) (test, error) {
	for i := Waiting; i <= Held; i++ {
		if i.String() == name {
			return func(_ *Info, s *Status) bool { return s.State == i }, nil
		}
	}
	return nil, fmt.Errorf("%q is no state: waiting, ready, active or held", name)
}

// address matches a whole address, with stars in it a pattern, and @domain a domain.
func address(value string) func(mail.Address) bool {
	if strings.HasPrefix(value, "@") {
		value = "*" + value
	}
	ok := pattern(value)
	return func(a mail.Address) bool { return ok(a.Key()) }
}

// reason matches a part of the reason; with stars in it, the whole or one word.
func reason(value string) test {
	value = strings.ToLower(value)
	ok := pattern(value)
	return func(_ *Info, s *Status) bool {
		have := strings.ToLower(s.Reply)
		if !strings.Contains(value, "*") {
			return strings.Contains(have, value)
		}
		if ok(have) {
			return true
		}
		for _, w := range strings.Fields(have) {
			if ok(w) {
				return true
			}
		}
		return false
	}
}

// pattern matches text without regard to case; * stands for anything.
func pattern(value string) func(string) bool {
	parts := strings.Split(strings.ToLower(value), "*")
	return func(s string) bool { return glob(parts, strings.ToLower(s)) }
}

// glob takes the parts in order, each where it comes first: no going back.
func glob(parts []string, s string) bool {
	if len(parts) == 1 {
		return s == parts[0]
	}
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	final := parts[len(parts)-1]
	for _, p := range parts[1 : len(parts)-1] {
		if _, s, ok = strings.Cut(s, p); !ok {
			return false
		}
	}
	return strings.HasSuffix(s, final)
}

// parseMeasure is key<value or key>value.
func parseMeasure(key string, op byte, value string, now func() time.Time) (test, error) {
	var measure func(in *Info, s *Status) int64
	var n int64
	var err error
	switch key {
	case "age":
		n, err = quantity(value, map[string]float64{"s": 1e9, "m": 60e9, "h": 3600e9, "d": 24 * 3600e9, "w": 7 * 24 * 3600e9})
		measure = func(in *Info, _ *Status) int64 { return int64(now().Sub(in.Envelope.Received)) }
	case "size":
		n, err = quantity(value, map[string]float64{"": 1, "b": 1, "k": 1 << 10, "kb": 1 << 10, "m": 1 << 20, "mb": 1 << 20, "g": 1 << 30, "gb": 1 << 30})
		measure = func(in *Info, _ *Status) int64 { return in.Size }
	case "tries":
		n, err = quantity(value, map[string]float64{"": 1})
		measure = func(_ *Info, s *Status) int64 { return int64(s.Attempts) }
	default:
		return nil, fmt.Errorf("a filter knows no %q to be more or less: there are age, size and tries", key)
	}
	if err != nil {
		return nil, fmt.Errorf("%s%c%s: %w", key, op, value, err)
	}
	if op == '>' {
		return func(in *Info, s *Status) bool { return measure(in, s) > n }, nil
	}
	return func(in *Info, s *Status) bool { return measure(in, s) < n }, nil
}

// quantity reads a number and its unit, in any case.
func quantity(value string, units map[string]float64) (int64, error) {
	i := strings.LastIndexAny(value, "0123456789.") + 1
	unit, ok := units[strings.ToLower(value[i:])]
	n, err := strconv.ParseFloat(value[:i], 64)
	if !ok || err != nil || n < 0 || n*unit > math.MaxInt64/2 {
		switch {
		case len(units) == 1:
			return 0, fmt.Errorf("%q is not a number", value)
		case units["h"] > 0:
			return 0, fmt.Errorf("%q is not a number and one of s, m, h, d, w", value)
		}
		return 0, fmt.Errorf("%q is not a number and one of B, KB, MB, GB", value)
	}
	return int64(n * unit), nil
}
