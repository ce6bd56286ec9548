package state

import (
	"context"
	"strings"
)

// scanned is how many keys Redis looks at for each answer of SCAN.
const scanned = 1000

// List is Lister's.
func (r *Redis) List(ctx context.Context, prefix string) (list []Kept, err error) {
	begin := r.key('v', "")
	pattern := strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "]", `\]`).Replace(begin+prefix) + "*"
	seen := map[string]bool{} // SCAN may name a key twice
	keys := r.client.Scan(ctx, 0, pattern, scanned).Iterator()
	for keys.Next(ctx) {
		key := strings.TrimPrefix(keys.Val(), begin)
		if seen[key] {
			continue
		}
		seen[key] = true
		text, err := r.Get(ctx, key)
		if err != nil {
			return nil, err
		}
		if text != "" { // it may have ended meanwhile
			list = append(list, Kept{key, text})
		}
	}
	return list, away(ctx, keys.Err())
}
