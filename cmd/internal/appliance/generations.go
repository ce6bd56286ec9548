package appliance

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/forepost/forepost/policies"
)

// keptGenerations are how many configurations that were in force are kept.
const keptGenerations = 10

// generations are the configurations that were in force, the oldest first, each
// with all its files. They lie in the data directory and outlive restarts.
type generations struct {
	dir     string
	list    []generation
	current int // in list
}

type generation struct {
	Number int              `json:"number"`
	Time   time.Time        `json:"time"` // when it came into force first
	Hash   string           `json:"hash"`
	Bundle *policies.Bundle `json:"bundle,omitempty"` // in the file; not kept in memory
}

// openGenerations reads what there is. A file that cannot be read is passed over:
// it is no reason not to start.
func openGenerations(dir string) (*generations, error) {
	g := &generations{dir: filepath.Join(dir, "policy"), current: -1}
	if err := os.MkdirAll(g.dir, 0o700); err != nil {
		return nil, err
	}
	names, err := filepath.Glob(filepath.Join(g.dir, "generation-*.json"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if one, err := readGeneration(name); err == nil {
			one.Bundle = nil
			g.list = append(g.list, one)
		}
	}
	slices.SortFunc(g.list, func(a, b generation) int { return a.Number - b.Number })
	return g, nil
}

// keepGenerations opens them, with the configuration in force as the latest.
func (a *Appliance) keepGenerations(l *live) (err error) {
	if a.generations, err = openGenerations(l.settings.DataDir); err != nil {
		return err
	}
	if err := a.generations.inForce(l.bundle, a.o.Now()); err != nil {
		a.log.Warn("the configuration cannot be kept for a rollback", "error", err)
	}
	return nil
}

func readGeneration(name string) (one generation, err error) {
	text, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(text, &one)
	}
	return one, err
}

func (g *generations) name(number int) string {
	return filepath.Join(g.dir, fmt.Sprintf("generation-%06d.json", number))
}

// inForce notes what is in force now: anew, unless it is the latest that there is.
func (g *generations) inForce(b *policies.Bundle, now time.Time) error {
	one := generation{Number: 1, Time: now, Hash: b.Hash(), Bundle: b}
	if last := len(g.list) - 1; last >= 0 {
		if g.list[last].Hash == one.Hash {
			g.current = last
			return nil
		}
		one.Number = g.list[last].Number + 1
	}
	if err := writeWhole(g.name(one.Number), one); err != nil {
		return err
	}
	one.Bundle = nil
	g.list = append(g.list, one)
	for len(g.list) > keptGenerations {
		os.Remove(g.name(g.list[0].Number)) // one that stays is passed over by its age
		g.list = g.list[1:]
	}
	g.current = len(g.list) - 1
	return nil
}

var errNoEarlier = errors.New("there is no earlier configuration to go back to")

// earlier is the one before the one in force.
func (g *generations) earlier() (at int, one generation, err error) {
	if at = g.current - 1; at < 0 {
		return 0, one, errNoEarlier
	}
	one, err = readGeneration(g.name(g.list[at].Number))
	if err == nil && one.Bundle == nil {
		err = errors.New("its file is damaged")
	}
	if err != nil {
		return 0, one, fmt.Errorf("the configuration before cannot be read: %w", err)
	}
	return at, one, nil
}

// writeWhole replaces a file whole: nobody reads half of it.
func writeWhole(name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := os.WriteFile(name+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}
