package sts

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const good = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.test\r\nmx: *.Example.test\r\nmax_age: 604800\r\n"

func TestParse(t *testing.T) {
	week := 7 * 24 * time.Hour
	whole := Policy{Enforce, []string{"mail.example.test", "*.example.test"}, week}
	for _, c := range []struct {
		why, text string
		want      Policy
		err       string
	}{
		{"as RFC 8461 section 3.2 has it", good, whole, ""},
		{"any order, bare LF, blanks", "mx:mail.example.test  \nmax_age:\t604800\n\nmode: enforce\nmx: *.example.test\nversion: STSv1", whole, ""},
		{"unknown fields", good + "future: x\r\n", whole, ""},
		{"the first of a field counts", good + "mode: none\r\nmax_age: 1\r\nversion: STSv2\r\n", whole, ""},
		{"none needs no mx", "version: STSv1\nmode: none\nmax_age: 86400\n", Policy{None, nil, 24 * time.Hour}, ""},
		{"the longest time", "version: STSv1\nmode: none\nmax_age: 9999999999\n", Policy{None, nil, maxAge}, ""},
		{"nothing", "", Policy{}, "the version"},
		{"another version", "version: STSv2\nmode: none\nmax_age: 1\n", Policy{}, "the version"},
		{"no mode", "version: STSv1\nmx: a.test\nmax_age: 1\n", Policy{}, "no mode"},
		{"an unknown mode", "version: STSv1\nmode: Enforce\nmx: a.test\nmax_age: 1\n", Policy{}, "the mode"},
		{"no mx", "version: STSv1\nmode: testing\nmax_age: 1\n", Policy{}, "no mx"},
		{"no max_age", "version: STSv1\nmode: none\n", Policy{}, "no max_age"},
		{"a negative max_age", "version: STSv1\nmode: none\nmax_age: -1\n", Policy{}, "max_age"},
		{"too many digits", "version: STSv1\nmode: none\nmax_age: 12345678901\n", Policy{}, "max_age"},
		{"* in another place", "version: STSv1\nmode: enforce\nmx: mail.*.test\nmax_age: 1\n", Policy{}, "the mx"},
		{"an address", "version: STSv1\nmode: enforce\nmx: [192.0.2.1]\nmax_age: 1\n", Policy{}, "the mx"},
		{"a web page", "<html>\n", Policy{}, "the line"},
		{"too much", good + strings.Repeat("x: y\n", 14000), Policy{}, "octets"},
	} {
		p, err := Parse(c.text)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %+v, %v", c.why, p, err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(p, c.want) {
			t.Errorf("%s: %+v, %v; want %+v", c.why, p, err, c.want)
		}
	}
}

func TestMatch(t *testing.T) {
	p, err := Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]bool{
		"mail.example.test": true, "MX2.Example.TEST.": true, "example.test": false, "a.b.example.test": false,
		"mail.example.test.evil": false, "mailexample.test": false, "": false, ".example.test": true,
	} {
		if got := p.Match(host); got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
	if got, want := p.Lines(), strings.Split(strings.ToLower(strings.TrimSpace(good)), "\r\n"); !slices.Equal(got[1:], want[1:]) || got[0] != "version: STSv1" {
		t.Errorf("%q", got)
	}
}

func TestParseRecord(t *testing.T) {
	for _, c := range []struct {
		records []string
		want    string
	}{
		{[]string{"v=STSv1; id=20160831085700Z;"}, "20160831085700Z true"},
		{[]string{"v=STSv1;id=1"}, "1 true"},
		{[]string{"v=STSv1 ; x=y; id = 2"}, " false"},
		{[]string{"v=spf1 -all", "v=STSv1; id=3"}, "3 true"},
		{[]string{"v=STSv1; id=4", "v=STSv1; id=5"}, " false"}, // RFC 8461 section 3.1: as if there were none
		{[]string{"v=STSv1"}, " false"},
		{[]string{"v=STSv1;"}, " false"},
		{[]string{"v=STSv1; id="}, " false"},
		{[]string{"v=STSv1; id=../../x"}, "../../x false"},
		{[]string{"v=STSv1; id=" + strings.Repeat("1", 33)}, strings.Repeat("1", 33) + " false"},
		{[]string{"v=STSv10; id=6"}, " false"},
		{nil, " false"},
	} {
		id, ok := ParseRecord(c.records)
		if got := fmt.Sprint(id, " ", ok); got != c.want {
			t.Errorf("%q: %q, want %q", c.records, got, c.want)
		}
	}
}

// FuzzParse: what a policy host says never hurts, and what is taken is bounded and
// comes back the same.
func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Add("version: STSv1\nmode: none\nmax_age: 1\n")
	f.Add("mx: \xff\nmx: *.\nversion:\n:")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		if p.MaxAge < 0 || p.MaxAge > maxAge || p.Mode != None && len(p.MX) == 0 {
			t.Fatalf("%+v", p)
		}
		again, err := Parse(strings.Join(p.Lines(), "\r\n"))
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%+v became %+v, %v", p, again, err)
		}
		p.Match(text)
	})
}

func FuzzParseRecord(f *testing.F) {
	f.Add("v=STSv1; id=1")
	f.Fuzz(func(t *testing.T, record string) {
		if id, ok := ParseRecord([]string{record}); ok && (!isID(id) || strings.ContainsAny(id, "/\r\n;")) {
			t.Fatalf("%q", id)
		}
	})
}
