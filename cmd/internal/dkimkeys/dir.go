package dkimkeys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/forepost/forepost/filters/dkim"
	"github.com/forepost/forepost/relay/mail"
)

// Dir is a directory of keys: DIR/DOMAIN/SELECTOR.pem, readable by their owner
// alone. What root makes there belongs to the owner of the directory above, so
// that the gateway, which runs as another user, can read it.
type Dir string

const keyEnding = ".pem"

// New is what is to be made.
type New struct {
	Domain   string
	Selector string // a base: with several sorts it gets the sort behind it
	Sorts    []Sort
	Bits     int // of RSA
}

// selector is the name of one of the keys: two under one name would leave it to
// the receiver which it takes (RFC 6376 section 3.6.2.2).
func (n New) selector(s Sort) string {
	if len(n.Sorts) == 1 {
		return n.Selector
	}
	return n.Selector + "-" + string(s)
}

// Make makes keys and writes them: all of them or none. A file that is there
// already is never written over.
func (d Dir) Make(n New) ([]Key, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	if err := d.makeDir(n.Domain); err != nil {
		return nil, err
	}
	var keys []Key
	for _, s := range n.Sorts {
		k := Key{Domain: n.Domain, Selector: n.selector(s), File: d.file(n.Domain, n.selector(s)+keyEnding)}
		var err error
		if k.Signer, err = Generate(s, n.Bits); err == nil {
			err = d.writeKey(k)
		}
		if err != nil {
			for _, made := range keys {
				err = errors.Join(err, os.Remove(made.File))
			}
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func (n New) check() error {
	if len(n.Sorts) == 0 {
		return errors.New("there is no sort of key to make: rsa and ed25519 are")
	}
	if d, err := mail.ParseDomain(n.Domain); err != nil || d != n.Domain || strings.HasPrefix(d, "[") {
		return fmt.Errorf("%q is no domain", n.Domain) // and would be no name of a folder
	}
	for i, s := range n.Sorts {
		if d, err := mail.ParseDomain(n.selector(s)); err != nil || d != n.selector(s) || strings.HasPrefix(d, "[") {
			return fmt.Errorf("%q is no selector: write a label of the DNS in lower case, like fp1", n.selector(s))
		}
		for _, before := range n.Sorts[:i] {
			if before == s {
				return fmt.Errorf("%s is named twice", s)
			}
		}
	}
	return nil
}

func (d Dir) file(domain, name string) string { return filepath.Join(string(d), domain, name) }

// makeDir makes the domain's folder and those above it that are missing.
func (d Dir) makeDir(domain string) error {
	path := filepath.Join(string(d), domain)
	var missing []string
	for p := path; ; p = filepath.Dir(p) {
		if _, err := os.Stat(p); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		missing = append(missing, p)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	for i := len(missing) - 1; i >= 0; i-- {
		if err := inherit(missing[i]); err != nil {
			return err
		}
	}
	return nil
}

func (d Dir) writeKey(k Key) error {
	text, err := encode(k.Signer)
	if err != nil {
		return err
	}
	err = create(k.File, text)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already; a key is never written over: choose another selector", k.File)
	}
	return err
}

// create writes a file that must not be there yet, for its owner alone.
func create(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = inherit(name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// inherit gives what root made to the owner of the directory that it is in.
func inherit(name string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	st, err := os.Stat(filepath.Dir(name))
	if err != nil {
		return err
	}
	owner, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Lchown(name, int(owner.Uid), int(owner.Gid))
}

// Keys are those of a domain, by selector. A file that cannot be read as a key
// is an error that names it.
func (d Dir) Keys(domain string) ([]Key, error) {
	entries, err := os.ReadDir(filepath.Join(string(d), domain)) // in order
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var keys []Key
	for _, e := range entries {
		selector, ok := strings.CutSuffix(e.Name(), keyEnding)
		if !ok {
			continue
		}
		k := Key{Domain: domain, Selector: selector, File: d.file(domain, e.Name())}
		text, err := os.ReadFile(k.File)
		if err != nil {
			return nil, err
		}
		if k.Signer, err = dkim.ParseKey(string(text)); err != nil {
			return nil, fmt.Errorf("%s: %w", k.File, err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// Domains are those that have a folder.
func (d Dir) Domains() ([]string, error) {
	entries, err := os.ReadDir(string(d))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if name, err := mail.ParseDomain(e.Name()); e.IsDir() && err == nil && name == e.Name() {
			out = append(out, name)
		}
	}
	return out, nil
}
