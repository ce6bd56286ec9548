package state

// table is a bounded map of things that end by themselves.
type table[V any] struct {
	m     map[string]V
	until func(V) int64
	limit int
}

func newTable[V any](limit int, until func(V) int64) table[V] {
	return table[V]{m: map[string]V{}, until: until, limit: limit}
}

// looks is how many others are looked at for each new key: Go begins a walk
// over a map anywhere, so that what has ended goes within a few rounds.
const looks = 4

// set keeps v. For a new key, a few others that have ended go; if there are
// still too many, the one of them that ends soonest.
func (t *table[V]) set(key string, v V, now int64) {
	if _, known := t.m[key]; !known {
		t.sweep(now)
	}
	t.m[key] = v
}

func (t *table[V]) sweep(now int64) {
	left, soonest, found := looks, "", false
	for key, v := range t.m {
		switch {
		case t.until(v) <= now:
			delete(t.m, key)
		case !found || t.until(v) < t.until(t.m[soonest]):
			soonest, found = key, true
		}
		if left--; left == 0 {
			break
		}
	}
	if found && len(t.m) >= t.limit {
		delete(t.m, soonest)
	}
}
