package sts

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A policy is a small file of JSON named after its domain, so that people can look
// at it, and remove it. It is replaced whole; nothing waits for the disk: what a
// power cut takes is fetched again.

// load reads what was kept, and removes what has ended or cannot be read.
func (c *Cache) load() error {
	if c.o.Dir == "" {
		return nil
	}
	if err := os.MkdirAll(c.o.Dir, 0o700); err != nil {
		return fmt.Errorf("MTA-STS policies: %w", err)
	}
	entries, err := os.ReadDir(c.o.Dir)
	if err != nil {
		return fmt.Errorf("MTA-STS policies: %w", err)
	}
	for _, e := range entries {
		k, err := c.read(e.Name())
		if errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("MTA-STS policies: %w; let it belong to the user that the gateway runs as (chown -R)", err)
		}
		if err != nil || !k.until().After(c.o.Now()) || len(c.kept) >= maxKept {
			c.remove(e.Name())
			continue
		}
		c.kept[k.Domain] = k
	}
	return nil
}

func (c *Cache) read(name string) (*kept, error) {
	text, err := os.ReadFile(filepath.Join(c.o.Dir, name))
	if err != nil {
		return nil, err
	}
	k := &kept{}
	if err := json.Unmarshal(text, k); err != nil {
		return nil, err
	}
	if k.Domain != name || !isName(name) || k.Policy.Mode == "" {
		return nil, errors.New("the file is not what it says")
	}
	return k, nil
}

// write replaces the file of a policy.
func (c *Cache) write(k *kept) error {
	if c.o.Dir == "" {
		return nil
	}
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(c.o.Dir, ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(c.o.Dir, k.Domain))
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

func (c *Cache) remove(name string) {
	if c.o.Dir != "" && (isName(name) || strings.HasPrefix(name, ".new-")) {
		os.Remove(filepath.Join(c.o.Dir, name)) // if it cannot be, it is passed over again
	}
}
