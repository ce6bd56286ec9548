package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// schema is RFC 9990 appendix A as far as we write it: by the name of an element
// the elements within it, in their order; ! stands behind those that must be
// there, * behind those that may come again.
var schema = map[string]string{
	"feedback":          "version report_metadata! policy_published! extension record!*",
	"report_metadata":   "org_name! email! extra_contact_info report_id! date_range! error* generator",
	"date_range":        "begin! end!",
	"policy_published":  "domain! discovery_method p! sp np fo adkim aspf testing",
	"record":            "row! identifiers! auth_results! extension",
	"row":               "source_ip! count! policy_evaluated!",
	"policy_evaluated":  "disposition! dkim! spf! reason*",
	"reason":            "type! comment",
	"identifiers":       "header_from! envelope_from envelope_to",
	"auth_results":      "dkim* spf",
	"auth_results/dkim": "domain! selector! result! human_result",
	"auth_results/spf":  "domain! scope result! human_result",
}

// words are the values of elements that have a choice.
var words = map[string]string{
	"p": "none quarantine reject", "sp": "none quarantine reject", "np": "none quarantine reject",
	"disposition": "none pass quarantine reject", "adkim": "r s", "aspf": "r s", "testing": "n y", "discovery_method": "psl treewalk",
	"policy_evaluated/dkim": "pass fail", "policy_evaluated/spf": "pass fail", "scope": "mfrom",
	"type":                     "local_policy mailing_list other policy_test_mode trusted_forwarder",
	"auth_results/dkim/result": "none pass fail policy neutral temperror permerror",
	"auth_results/spf/result":  "none pass fail softfail neutral temperror permerror",
}

// element is one of a report as somebody else's parser finds it.
type element struct {
	path     []string
	children []string
	text     string
}

// What we write has the elements of the schema, in its order, with its words.
func TestXMLKeepsToTheSchema(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range []*Aggregate{some(), {Org: "o", Email: "e", ID: "i", Policy: Policy{Domain: "b.test", P: "none"},
		Records: []Record{{IP: "192.0.2.1", Count: 1, Disposition: "none", DKIM: "fail", SPF: "fail", HeaderFrom: "b.test"}}}} {
		if err := eachElement(a.XML(), func(e element) { e.check(t, seen) }); err != nil {
			t.Fatal(err)
		}
	}
	for name := range schema {
		if !seen[name] {
			t.Errorf("no report has a %s", name)
		}
	}
}

func (e element) check(t *testing.T, seen map[string]bool) {
	name := e.in(func(s string) bool { return schema[s] != "" })
	if name == "" {
		if len(e.children) > 0 {
			t.Errorf("%v holds %v", e.path, e.children)
		}
		if w := e.in(func(s string) bool { return words[s] != "" }); w != "" && !slices.Contains(strings.Fields(words[w]), e.text) {
			t.Errorf("%v is %q, not one of %s", e.path, e.text, words[w])
		}
		return
	}
	seen[name] = true
	left := e.children
	for _, one := range strings.Fields(schema[name]) {
		child := strings.TrimRight(one, "!*")
		n := 0
		for len(left) > 0 && left[0] == child {
			left, n = left[1:], n+1
		}
		if strings.Contains(one, "!") && n == 0 || !strings.Contains(one, "*") && n > 1 {
			t.Errorf("%v has %d of %s", e.path, n, child)
		}
	}
	if len(left) > 0 {
		t.Errorf("%v: %v is not its, or in the wrong place", e.path, left)
	}
}

// in is the longest name of the element, with those around it, that is known.
func (e element) in(known func(string) bool) string {
	for i := range e.path {
		if s := strings.Join(e.path[i:], "/"); known(s) {
			return s
		}
	}
	return ""
}

func eachElement(text []byte, f func(element)) error {
	var open []element
	for d := xml.NewDecoder(bytes.NewReader(text)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		switch x := token.(type) {
		case xml.StartElement:
			var path []string
			if n := len(open); n > 0 {
				open[n-1].children = append(open[n-1].children, x.Name.Local)
				path = slices.Clone(open[n-1].path)
			}
			open = append(open, element{path: append(path, x.Name.Local)})
		case xml.EndElement:
			f(open[len(open)-1])
			open = open[:len(open)-1]
		case xml.CharData:
			if n := len(open); n > 0 {
				open[n-1].text += string(x)
			}
		}
	}
}
