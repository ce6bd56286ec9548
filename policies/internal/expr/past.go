package expr

// fromFields makes a fact that follows from header fields unknown where a record
// does not have them.
func fromFields(f *Fact, names ...string) *Fact {
	known := func(r *Run) bool { return r.Tx.Past == nil || r.hasFields(f.Path, names) }
	v := f.value
	switch {
	case v.Str != nil:
		f.value.Str = func(r *Run) (string, bool) {
			if !known(r) {
				return "", false
			}
			return v.Str(r)
		}
	case v.Strs != nil:
		f.value.Strs = func(r *Run) ([]string, bool) {
			if !known(r) {
				return nil, false
			}
			return v.Strs(r)
		}
	case v.Bool != nil:
		f.value.Bool = func(r *Run) Tri {
			if !known(r) {
				return Unknown
			}
			return v.Bool(r)
		}
	}
	return f
}

// hasFields tells whether a record has the fields, and notes what is asked in vain.
func (r *Run) hasFields(what string, names []string) bool {
	for _, n := range names {
		if !r.Tx.Past.HasField(n) {
			r.miss(what)
			return false
		}
	}
	return true
}
