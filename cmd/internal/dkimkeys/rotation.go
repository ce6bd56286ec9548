package dkimkeys

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

// Rotation is the change of a domain's keys, which takes days and several runs:
// new keys are made and published; when the DNS has them the configuration is
// switched; the old ones stay published while mail that they signed is under
// way. It is kept in DIR/DOMAIN/rotation.json.
type Rotation struct {
	Domain   string    `json:"domain"`
	Begun    time.Time `json:"begun"`
	New      []string  `json:"new"` // selectors
	Old      []string  `json:"old"`
	Seen     time.Time `json:"seen,omitzero"`     // when all the new ones stood in the DNS
	Switched time.Time `json:"switched,omitzero"` // when the configuration was first found to sign with them alone
}

// Step is what is to be done next in a rotation.
type Step string

// The steps, in their order.
const (
	Publish  Step = "publish"  // the new records are not all in the DNS
	Switch   Step = "switch"   // the configuration does not sign with the new keys alone
	Keep     Step = "keep"     // wait, and leave the old records where they are
	Withdraw Step = "withdraw" // the old records can go: the rotation is over
)

// DefaultKeep is how long old records stay after the switch: mail waits in
// queues for up to five days (RFC 5321 section 4.5.4.1), and is verified on
// arrival.
const DefaultKeep = 7 * 24 * time.Hour

// Advance notes what was found and tells the next step: whether all new keys
// were seen in the DNS, and with which selectors the configuration signs.
func (r *Rotation) Advance(seen bool, signing []string, now time.Time, keep time.Duration) Step {
	if seen && r.Seen.IsZero() {
		r.Seen = now
	}
	if !seen {
		return Publish // once seen and gone again counts as well: nobody can verify
	}
	if !r.signsAlone(signing) {
		r.Switched = time.Time{}
		return Switch
	}
	if r.Switched.IsZero() {
		r.Switched = now
	}
	if len(r.Old) > 0 && now.Before(r.Switched.Add(keep)) {
		return Keep
	}
	return Withdraw
}

// signsAlone tells whether all of the new selectors sign and none of the old.
func (r *Rotation) signsAlone(signing []string) bool {
	for _, s := range r.New {
		if !slices.Contains(signing, s) {
			return false
		}
	}
	for _, s := range r.Old {
		if slices.Contains(signing, s) {
			return false
		}
	}
	return true
}

const rotationFile = "rotation.json"

// Rotation reads how far the rotation of a domain is; nil where none is under
// way.
func (d Dir) Rotation(domain string) (*Rotation, error) {
	text, err := os.ReadFile(d.file(domain, rotationFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := &Rotation{}
	if err := json.Unmarshal(text, r); err != nil || r.Domain != domain || len(r.New) == 0 {
		return nil, fmt.Errorf("%s is damaged (%w): remove it to begin anew; the keys beside it stay", d.file(domain, rotationFile), errors.Join(err, errors.New("it names no rotation of this domain")))
	}
	return r, nil
}

// Begin makes the keys of a rotation and remembers it. old are the selectors
// that sign now.
func (d Dir) Begin(n New, old []string, now time.Time) (*Rotation, []Key, error) {
	keys, err := d.Make(n)
	if err != nil {
		return nil, nil, err
	}
	r := &Rotation{Domain: n.Domain, Begun: now, Old: old}
	for _, k := range keys {
		r.New = append(r.New, k.Selector)
	}
	text, err := r.text()
	if err == nil {
		err = create(d.file(n.Domain, rotationFile), text) // fails where another command has just begun one
	}
	if err != nil {
		for _, k := range keys {
			err = errors.Join(err, os.Remove(k.File))
		}
		return nil, nil, err
	}
	return r, keys, nil
}

// Remember writes down how far a rotation is, whole or not at all.
func (d Dir) Remember(r *Rotation) error {
	text, err := r.text()
	if err != nil {
		return err
	}
	name := d.file(r.Domain, rotationFile)
	next := fmt.Sprintf("%s.%d", name, os.Getpid())
	if err := create(next, text); err != nil {
		return err
	}
	if err := os.Rename(next, name); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	return nil
}

// End forgets a rotation that is over. The keys stay.
func (d Dir) End(r *Rotation) error { return os.Remove(d.file(r.Domain, rotationFile)) }

func (r *Rotation) text() ([]byte, error) {
	b, err := json.MarshalIndent(r, "", "  ")
	return append(b, '\n'), err
}

// FreeSelector is a selector of the day that no key of the domain has: of those
// that sign, and of those in the directory.
func (d Dir) FreeSelector(domain string, taken []string, now time.Time) (string, error) {
	keys, err := d.Keys(domain)
	if err != nil {
		return "", err
	}
	for _, k := range keys {
		taken = append(taken, k.Selector)
	}
	base := "fp" + now.UTC().Format("20060102")
	for _, letter := range append([]string{""}, "b", "c", "d", "e", "f", "g", "h") {
		free := func(s string) bool { return !slices.Contains(taken, s) }
		if s := base + letter; free(s) && free(s+"-"+string(RSA)) && free(s+"-"+string(Ed25519)) {
			return s, nil
		}
	}
	return "", fmt.Errorf("%s has too many keys of today: name the selector yourself", domain)
}
