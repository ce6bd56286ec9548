package lists

import (
	"maps"
	"net/netip"
	"slices"
)

// Texts are what a text, in lower case, must be to be in the list: it itself, or,
// where it begins with @, its domain. ok is false for types of lists that cannot be
// told so, and where there are more than most.
func (l *List) Texts(most int) (keys []string, ok bool) {
	c := l.now.Load()
	if c == nil || l.Len() > most {
		return nil, false
	}
	switch set := c.set.(type) {
	case words:
		return slices.Sorted(maps.Keys(set)), true
	case *addresses:
		return slices.Sorted(maps.Keys(set.set)), !set.below && !set.locals
	}
	return nil, false
}

// Addresses is Texts for a list of addresses without networks.
func (l *List) Addresses(most int) (ips []netip.Addr, ok bool) {
	c := l.now.Load()
	if c == nil || l.Len() > most {
		return nil, false
	}
	n, ok := c.set.(*networks)
	if !ok {
		return nil, false
	}
	for p := range n.set {
		if !p.IsSingleIP() {
			return nil, false
		}
		ips = append(ips, p.Addr())
	}
	slices.SortFunc(ips, netip.Addr.Compare)
	return ips, true
}
