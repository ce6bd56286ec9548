package expr

import (
	"net/netip"

	"github.com/forepost/forepost/policies/internal/lists"
)

// Keys say of a condition that it can only hold where a fact of the relay's own is
// one of a few values. So of many such rules those that matter to a message are
// looked up, and the others need not be asked one by one.
type Keys struct {
	Fact  *Fact
	Texts []string     // in lower case; "@example.com" is every address of the domain
	IPs   []netip.Addr // without zones, IPv4 as such
}

// maxKeys bounds those of one condition: beyond, to ask it costs less than to keep
// all that it could be.
const maxKeys = 256

// Keys of a term, nil where it has none.
func (t *Term) Keys() *Keys { return t.Value.keys }

// Text is the fact's value in lower case, of a fact that is a text.
func (k *Keys) Text(r *Run) string {
	s, _ := k.Fact.value.Str(r)
	return lists.Lower(s)
}

// IP is the fact's value, of a fact that is an address.
func (k *Keys) IP(r *Run) netip.Addr {
	ip, _ := k.Fact.value.IP(r)
	return plainIP(ip)
}

func plainIP(ip netip.Addr) netip.Addr { return ip.Unmap().WithZone("") }

// keysOf are the keys of `fact == value`.
func keysOf(f *Fact, b *Value) *Keys {
	switch {
	case !f.fixed():
		return nil
	case f.Type == String:
		s, _ := b.Str(nil)
		return &Keys{Fact: f, Texts: []string{lists.Lower(s)}}
	case f.Type == IP:
		ip, _ := b.IP(nil)
		return &Keys{Fact: f, IPs: []netip.Addr{plainIP(ip)}}
	}
	return nil
}

// keysIn are the keys of `listed(fact, list)`.
func keysIn(x *Value, l *lists.List) *Keys {
	if x.fact == nil || x.fact.Type != x.Type || !x.fact.fixed() || l.Changes {
		return nil
	}
	k := &Keys{Fact: x.fact}
	ok := false
	switch x.Type {
	case String:
		k.Texts, ok = l.Texts(maxKeys)
	case IP:
		k.IPs, ok = l.Addresses(maxKeys)
	}
	if !ok {
		return nil
	}
	return k
}

// either are the keys of `a || b`.
func (k *Keys) either(o *Keys) *Keys {
	if k == nil || o == nil || k.Fact != o.Fact || len(k.Texts)+len(k.IPs)+len(o.Texts)+len(o.IPs) > maxKeys {
		return nil
	}
	return &Keys{Fact: k.Fact, Texts: append(k.Texts[:len(k.Texts):len(k.Texts)], o.Texts...), IPs: append(k.IPs[:len(k.IPs):len(k.IPs)], o.IPs...)}
}

// fixed tells whether a fact is known at once and is not one of a closed set, whose
// words stand in the trace: no filter finds it, and no rule changes it.
func (f *Fact) fixed() bool { return f.Slot < 0 && f.Words == nil }
