package replay

import (
	"slices"
	"strings"

	"github.com/forepost/forepost/relay/trail"
)

// guess names a rule for a recipient whose outcome is not known.
type guess struct {
	path string
	to   int
}

// past is what is known of a message, and one way in which the rest might have
// been. It is a pipeline.Past.
type past struct {
	r      *trail.Record
	cut    map[string]bool // header fields that are not whole, in lower case
	whole  bool            // the message itself is at hand
	world  map[guess]bool
	asked  []guess // in this world, in order, that the world does not say
	missed []string
}

func (p *past) begin(world map[guess]bool) { p.world, p.asked = world, p.asked[:0] }

// HasField tells whether the record has all fields of a name. "List-Id*" is what
// tells bulk mail, for which it is enough that they are there; "Content-Type*"
// what follows from the form.
func (p *past) HasField(name string) bool {
	if p.whole {
		return true
	}
	if !p.r.Read {
		return false
	}
	if strings.HasSuffix(name, "*") {
		return !slices.Contains(p.r.Cut, "header")
	}
	known := isName(trail.KeptFields, name) || isName(p.r.Asked, name)
	return known && !p.cut[strings.ToLower(name)]
}

func isName(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// Miss notes what is not known.
func (p *past) Miss(what string) {
	if !slices.Contains(p.missed, what) && len(p.missed) < 100 {
		p.missed = append(p.missed, what)
	}
}

// Guess says what this world says, else no.
func (p *past) Guess(path string, to int) bool {
	g := guess{path, to}
	yes, ok := p.world[g]
	if !ok && !slices.Contains(p.asked, g) {
		p.asked = append(p.asked, g)
	}
	return yes
}

// others are the worlds in which one thing that was taken for no was yes: for
// each, those before it stay no.
func (p *past) others() (list []map[guess]bool) {
	for i, g := range p.asked {
		w := map[guess]bool{g: true}
		for k, v := range p.world {
			w[k] = v
		}
		for _, no := range p.asked[:i] {
			w[no] = false
		}
		list = append(list, w)
		if len(list) > maxWorlds {
			break
		}
	}
	return list
}
