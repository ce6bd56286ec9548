package mime

// AllDefects are those of the part and of all that is within it, each once.
func (p *Part) AllDefects() (all []Defect) {
	seen := map[Defect]bool{}
	var walk func(p *Part)
	walk = func(p *Part) {
		if p == nil {
			return
		}
		for _, d := range p.Defects {
			if !seen[d] {
				seen[d] = true
				all = append(all, d)
			}
		}
		for _, q := range p.Parts {
			walk(q)
		}
		walk(p.Message)
	}
	walk(p)
	return all
}
