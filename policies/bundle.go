package policies

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"path/filepath"
	"strings"
)

// Bundle is a configuration with all files that it reads, as they were when it
// was packed: what was in force can so be had again, and one that was tried can
// be kept, whatever became of the files. Secrets are not in it; they are read
// where they lie.
type Bundle struct {
	Main  string              `json:"main"` // its path
	Files map[string][]byte   `json:"files"`
	Globs map[string][]string `json:"globs,omitempty"` // what patterns of include named
	Vars  map[string]string   `json:"vars,omitempty"`
}

// Pack is Load that keeps what it read. The Bundle is there even where the
// Config is nil.
func Pack(path string, o Options) (*Bundle, *Config, Diagnostics) {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	o = o.withDefaults()
	b := &Bundle{Main: path, Files: map[string][]byte{}, Globs: map[string][]string{}, Vars: o.Vars}
	read, glob := o.ReadFile, o.Glob
	o.ReadFile = func(name string) ([]byte, error) {
		text, err := read(name)
		if err == nil && !o.isSecret(name) {
			b.Files[name] = text
		}
		return text, err
	}
	o.Glob = func(pattern string) ([]string, error) {
		names, err := glob(pattern)
		if err == nil {
			b.Globs[pattern] = names
		}
		return names, err
	}
	cfg, ds := Load(path, o)
	return b, cfg, ds
}

// Options are o for reading the bundle's files instead of those that there are.
func (b *Bundle) Options(o Options) Options {
	o = o.withDefaults()
	read := o.ReadFile
	o.Vars = b.Vars
	o.ReadFile = func(name string) ([]byte, error) {
		if o.isSecret(name) {
			return read(name)
		}
		if text, ok := b.Files[name]; ok {
			return text, nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	o.Glob = func(pattern string) ([]string, error) { return b.Globs[pattern], nil }
	return o
}

// Hash is equal for bundles that say the same.
func (b *Bundle) Hash() string {
	text, _ := json.Marshal(b) // maps of texts: it never fails, and is in order
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func (o *Options) isSecret(name string) bool {
	for _, dir := range o.Credentials {
		if strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/") {
			return true
		}
	}
	return false
}
