package dns

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	mdns "github.com/miekg/dns"
)

// Names is a zone as a value, in the form of the JSON file: names to types to
// data in presentation format.
//
//	dns.Names{
//		"example.test": {"MX": []string{"10 mx.example.test."}, "TXT": []string{"v=spf1 -all"}},
//		"slow.test":    {"A": []string{"192.0.2.1"}, "error": "timeout"},
//		"broken.test":  {"TXT": "servfail"},
//	}
//
// TXT data are raw text, or a list of strings for a record of several. "error"
// makes every type that is not listed fail, a word in place of a list makes
// that type fail: timeout, servfail, refused or bogus. "secure": true makes the
// answers for a name authentic, as those from a signed zone are.
type Names map[string]map[string]any

// NewZone reads a zone file: RFC 1035 master format if its name ends in .zone,
// JSON if it ends in .json.
func NewZone(path string) (*Zone, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ParseZone(path, data)
}

// ParseZone reads the text of a zone file; name is for errors and tells the
// format by its ending.
func ParseZone(name string, data []byte) (*Zone, error) {
	switch filepath.Ext(name) {
	case ".zone":
		return parseMaster(name, data)
	case ".json":
		names := Names{}
		if err := json.Unmarshal(data, &names); err != nil {
			return nil, fmt.Errorf("%s: not a zone in JSON: %w", name, err)
		}
		z, err := ZoneOf(names)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return z, nil
	}
	return nil, fmt.Errorf("%s: a zone file ends in .zone (master format) or .json", name)
}

func parseMaster(name string, data []byte) (*Zone, error) {
	z := newZone()
	p := mdns.NewZoneParser(bytes.NewReader(data), ".", name)
	p.SetDefaultTTL(uint32(zoneTTL / time.Second))
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		z.add(rr)
	}
	if err := p.Err(); err != nil {
		return nil, fmt.Errorf("zone file: %w", err) // says the file and the line
	}
	return z, nil
}

// MustZone is ZoneOf for tests; it panics.
func MustZone(names Names) *Zone {
	z, err := ZoneOf(names)
	if err != nil {
		panic("dns: " + err.Error())
	}
	return z
}

// ZoneOf makes a zone of a map.
func ZoneOf(names Names) (*Zone, error) {
	z := newZone()
	for name, types := range names {
		at, err := canonical(name, mdns.TypeANY)
		if err != nil {
			return nil, fmt.Errorf("%q is not a name", name)
		}
		n := z.node(at)
		n.named = true
		for word, data := range types {
			if err := z.set(n, at, word, data); err != nil {
				return nil, fmt.Errorf("%s %s: %w", name, word, err)
			}
		}
	}
	return z, nil
}

// set adds what a map says of one type of a name.
func (z *Zone) set(n *node, name, word string, data any) error {
	if word == "error" {
		f, err := failing(data)
		n.fail = f
		return err
	}
	if word == "secure" {
		var ok bool
		if n.secure, ok = data.(bool); !ok {
			return fmt.Errorf("%v is neither true nor false", data)
		}
		return nil
	}
	qtype, ok := mdns.StringToType[strings.ToUpper(word)]
	if !ok {
		return fmt.Errorf("there is no such type")
	}
	if _, ok := data.(string); ok {
		f, err := failing(data)
		n.fails[qtype] = f
		return err
	}
	items, err := list(data)
	if err != nil {
		return err
	}
	for _, item := range items {
		rr, err := record(name, qtype, item)
		if err != nil {
			return err
		}
		z.add(rr)
	}
	return nil
}

// failing reads a word for a failure.
func failing(data any) (*Error, error) {
	switch data {
	case "timeout":
		return &Error{Kind: Temporary, Text: "the server did not answer in time", Timeout: true}, nil
	case "servfail", "refused":
		return &Error{Kind: Temporary, Text: "the server said " + strings.ToUpper(data.(string))}, nil
	case "bogus":
		return &Error{Kind: Bogus, Text: "DNSSEC validation failed"}, nil
	}
	return nil, fmt.Errorf("%v is neither a list nor one of timeout, servfail, refused, bogus", data)
}

func list(data any) ([]any, error) {
	switch data := data.(type) {
	case []any:
		return data, nil
	case []string:
		out := make([]any, len(data))
		for i, s := range data {
			out[i] = s
		}
		return out, nil
	case [][]string:
		out := make([]any, len(data))
		for i, s := range data {
			out[i] = s
		}
		return out, nil
	}
	return nil, fmt.Errorf("%v is not a list", data)
}

// record makes a record of its data.
func record(name string, qtype uint16, item any) (mdns.RR, error) {
	head := mdns.RR_Header{Name: name, Rrtype: qtype, Class: mdns.ClassINET, Ttl: uint32(zoneTTL / time.Second)}
	if qtype == mdns.TypeTXT || qtype == mdns.TypeSPF {
		strs, err := texts(item)
		if err != nil {
			return nil, err
		}
		if qtype == mdns.TypeSPF {
			return &mdns.SPF{Hdr: head, Txt: strs}, nil
		}
		return &mdns.TXT{Hdr: head, Txt: strs}, nil
	}
	s, ok := item.(string)
	if !ok {
		return nil, fmt.Errorf("%v is not a string", item)
	}
	rr, err := mdns.NewRR(". IN " + mdns.TypeToString[qtype] + " " + s)
	if err != nil || rr == nil {
		return nil, fmt.Errorf("%q is not the data of such a record: %v", s, err)
	}
	*rr.Header() = head
	return rr, nil
}

// texts are the strings of a TXT record, in presentation format.
func texts(item any) ([]string, error) {
	var out []string
	if s, ok := item.(string); ok {
		for _, p := range pieces(s) {
			out = append(out, escape(p))
		}
		return out, nil
	}
	parts, err := list(item)
	if err != nil {
		return nil, err
	}
	for _, p := range parts {
		s, ok := p.(string)
		if !ok || len(s) > 255 {
			return nil, fmt.Errorf("%v is not a string of at most 255 octets", p)
		}
		out = append(out, escape(s))
	}
	return out, nil
}
