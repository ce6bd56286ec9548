// Package sts knows the MTA-STS policies of domains (RFC 8461): it finds them,
// reads them, and keeps them over restarts.
package sts

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// Mode is what a policy asks of a sender.
type Mode string

// The modes. None is also that of a domain without a policy.
const (
	None    Mode = "none"
	Testing Mode = "testing" // failures are reported, and mail goes out
	Enforce Mode = "enforce" // what fails is not delivered
)

// Policy is what a domain asks of who sends it mail, RFC 8461 section 3.2.
type Policy struct {
	Mode   Mode          `json:"mode"`
	MX     []string      `json:"mx,omitempty"` // host names, lower case, some with *. in place of one label
	MaxAge time.Duration `json:"max_age"`
}

// maxAge is the longest time that a policy may be kept, RFC 8461 section 3.2.
const maxAge = 31557600 * time.Second

// MaxPolicy is how large a policy may be, in octets, RFC 8461 section 3.3.
const MaxPolicy = 64 << 10

// Parse reads a policy. Unknown fields are passed over; of one that stands twice
// the first counts (mx apart).
func Parse(text string) (Policy, error) {
	if len(text) > MaxPolicy {
		return Policy{}, fmt.Errorf("the policy has more than %d octets", MaxPolicy)
	}
	p := Policy{MaxAge: -1}
	version := ""
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, "\r \t")
		name, value, ok := strings.Cut(line, ":")
		if line == "" {
			continue
		}
		if !ok {
			return Policy{}, fmt.Errorf("the line %.60q is not of the form name: value", line)
		}
		value = strings.TrimLeft(value, " \t")
		var err error
		switch {
		case name == "version" && version == "":
			version = value
		case name == "mode" && p.Mode == "":
			p.Mode, err = modeOf(value)
		case name == "max_age" && p.MaxAge < 0:
			p.MaxAge, err = ageOf(value)
		case name == "mx":
			err = p.add(value)
		}
		if err != nil {
			return Policy{}, err
		}
	}
	return p, p.whole(version)
}

// whole tells what a policy lacks.
func (p *Policy) whole(version string) error {
	switch {
	case version != "STSv1":
		return fmt.Errorf("the version is %.20q, not STSv1", version)
	case p.Mode == "":
		return errors.New("there is no mode")
	case p.MaxAge < 0:
		return errors.New("there is no max_age")
	case p.Mode != None && len(p.MX) == 0:
		return errors.New("there is no mx")
	}
	return nil
}

func modeOf(s string) (Mode, error) {
	switch m := Mode(s); m {
	case None, Testing, Enforce:
		return m, nil
	}
	return "", fmt.Errorf("the mode is %.20q, none of enforce, testing, none", s)
}

func ageOf(s string) (time.Duration, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || len(s) > 10 {
		return 0, fmt.Errorf("max_age is %.20q, not a number of seconds", s)
	}
	return time.Duration(min(n, uint64(maxAge/time.Second))) * time.Second, nil
}

// add takes an mx pattern: a host name, or one with *. in place of its first label.
func (p *Policy) add(pattern string) error {
	host := strings.TrimPrefix(strings.ToLower(strings.TrimSuffix(pattern, ".")), "*.")
	name, err := mail.ParseDomain(host)
	if err != nil || strings.HasPrefix(name, "[") {
		return fmt.Errorf("the mx %.60q is not a host name", pattern)
	}
	if strings.HasPrefix(pattern, "*.") {
		name = "*." + name
	}
	p.MX = append(p.MX, name)
	return nil
}

// Match tells whether the policy names a host, RFC 8461 section 4.1: * stands for
// exactly one label.
func (p *Policy) Match(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	_, rest, _ := strings.Cut(host, ".")
	for _, pattern := range p.MX {
		if pattern == host || rest != "" && pattern == "*."+rest {
			return true
		}
	}
	return false
}

// Lines is the policy as a report quotes it, RFC 8460 section 4.4.
func (p *Policy) Lines() []string {
	lines := []string{"version: STSv1", "mode: " + string(p.Mode)}
	for _, mx := range p.MX {
		lines = append(lines, "mx: "+mx)
	}
	return append(lines, fmt.Sprintf("max_age: %d", p.MaxAge/time.Second))
}

// ParseRecord reads the TXT records at _mta-sts below a domain, RFC 8461 section
// 3.1: the ID of its policy. ok is false where they announce none: there is not
// exactly one of this version, or it has no ID.
func ParseRecord(records []string) (id string, ok bool) {
	found := ""
	for _, r := range records {
		if v, _, more := strings.Cut(r, ";"); !more || strings.TrimRight(v, " \t") != "v=STSv1" {
			continue
		}
		if found != "" {
			return "", false
		}
		found = r
	}
	for _, field := range strings.Split(found, ";") {
		name, value, _ := strings.Cut(strings.Trim(field, " \t"), "=")
		if name == "id" {
			return value, isID(value)
		}
	}
	return "", false
}

func isID(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i] | 0x20; !('a' <= c && c <= 'z') && !('0' <= s[i] && s[i] <= '9') {
			return false
		}
	}
	return s != "" && len(s) <= 32
}
