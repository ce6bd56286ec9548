package dmarc

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// Settings say whom the operator trusts beyond what the domains ask for.
type Settings struct {
	// Forwarders hand on the mail of others: addresses, networks, and domains
	// that SPF or DKIM must vouch for. A domain stands for itself alone.
	Forwarders []string `hcl:"forwarders"`
	// Exempt are authors' domains that are not held to their policy.
	Exempt []string `hcl:"exempt"`
}

// The overrides: reasons not to follow the policy of a domain whose mail fails,
// as RFC 9990 section 3.1.6 and RFC 8617 section 7.2.2 know them.
const (
	noOverride       = "none"
	trustedARC       = "trusted_arc"
	trustedForwarder = "trusted_forwarder"
	localPolicy      = "local_policy"
)

// trust is the settings, read.
type trust struct {
	networks   []netip.Prefix
	forwarders map[string]bool
	exempt     map[string]bool
}

func readTrust(s *Settings) (trust, error) {
	t := trust{forwarders: map[string]bool{}, exempt: map[string]bool{}}
	for _, v := range s.Forwarders {
		if n, ok := network(v); ok {
			t.networks = append(t.networks, n)
		} else if err := addDomain(t.forwarders, v); err != nil {
			return t, fmt.Errorf("forwarders: %q is neither an address, nor a network, nor a domain name", v)
		}
	}
	for _, v := range s.Exempt {
		if err := addDomain(t.exempt, v); err != nil {
			return t, fmt.Errorf("exempt: %q is not a domain name", v)
		}
	}
	return t, nil
}

func network(s string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	return p, err == nil
}

func addDomain(set map[string]bool, s string) error {
	d, err := mail.ParseDomain(strings.ToLower(s))
	if err != nil || d[0] == '[' || strings.Contains(s, "/") {
		return fmt.Errorf("%q is not a domain name", s)
	}
	set[d] = true
	return nil
}

// override tells why a message that fails might be let go. A chain of ARC that
// could not be looked at excuses nothing: who forges mail could add one.
func (t trust) override(ctx context.Context, tx *pipeline.Transaction, author string, ids []Identity) string {
	if t.exempt[author] {
		return localPolicy
	}
	ip := tx.Client.Unmap()
	if slices.ContainsFunc(t.networks, func(n netip.Prefix) bool { return n.Contains(ip) }) ||
		slices.ContainsFunc(ids, func(id Identity) bool { return t.forwarders[id.Domain] }) {
		return trustedForwarder
	}
	if !sealed(tx) {
		return noOverride
	}
	// The filter arc is there where it is configured or asked for, and is not
	// needed otherwise: without it nobody is trusted.
	arc, err := tx.Ask(ctx, "arc")
	if trusted, _ := arc.Facts["trusted"].(bool); err == nil && trusted && arc.Facts["dmarc"] == "pass" {
		return trustedARC
	}
	return noOverride
}

func sealed(tx *pipeline.Transaction) bool {
	return tx.Part != nil && len(tx.Part.All("ARC-Seal")) > 0
}
