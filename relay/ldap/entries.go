package ldap

import (
	"context"
	"fmt"
)

// maxEntries bounds what a list takes from a directory.
const maxEntries = 1_000_000

// Entries are the values of a source's attributes, as a list has them: without
// the sort before those of proxyAddresses, and without those of other sorts.
func (c *Client) Entries(ctx context.Context, s Source) (list []string, err error) {
	attrs := s.Attrs
	if len(attrs) == 0 {
		attrs = addressAttrs
	}
	found, err := c.search(ctx, s, s.Filter, attrs, 0)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, e := range found {
		for _, attr := range attrs {
			for _, v := range e.GetEqualFoldAttributeValues(attr) {
				if v, ok := bare(attr, v); ok && v != "" && !seen[v] {
					seen[v] = true
					list = append(list, v)
				}
			}
		}
		if len(list) > maxEntries {
			return nil, fmt.Errorf("ldap: more than %d entries: narrow the filter of the source", maxEntries)
		}
	}
	return list, nil
}
